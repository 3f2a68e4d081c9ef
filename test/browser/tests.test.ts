/** The report on a test run in a browser: what is fetched when it is unfolded, and that it can be read by everyone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { manyTests, NOON, runState, testEnded } from "../session/test-run.ts";
import { expectAccessible, hasBrowser, soon, World } from "./browser.ts";

function run(id: string): Batch[] {
  const ci = { provider: "github", commit: "c".repeat(40), branch: "main", job: "unit" };
  const flaky = ["a.py", "test_flaky"];
  const ops = [
    runState({ planned: 602 }, ci),
    ...manyTests(600),
    testEnded(NOON + 5_000, { id: flaky, result: "failed" }, { message: "at first" }),
    testEnded(NOON + 5_001, { id: flaky, result: "passed", attempt: 2 }),
    testEnded(NOON + 5_002, { id: ["a.py", "test_no"], result: "skipped", reason: "needs a disk" }),
    { op: "end" as const, at: NOON + 5_003, exit_code: 1 },
  ];
  return [{ session: id, lane: `${id}-lane`, first: 1, last: ops.length, ops }];
}

describe.skipIf(!hasBrowser)("the tests of a run", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(run("run-1"));
    await world.listed("run-1");
  });
  afterAll(() => world.close());

  test.each(["light", "dark"] as const)("are accessible, in %s colours", async (colorScheme) => {
    for (const path of ["/sessions/run-1", "/sessions/run-1/tests", "/tests?product=shop"]) {
      const { page, complaints } = await world.look(path, { colorScheme });
      await expectAccessible(page);
      expect(complaints, path).toEqual([]);
    }
  });

  test("a folded failure and a folded suite are fetched when they are opened, by keyboard", async () => {
    const { page, complaints } = await world.look("/sessions/run-1");
    const failures = page.locator(".test-failures > li");
    expect(await failures.count()).toBe(6);
    expect(await page.locator(".test-failures details[open]").count()).toBe(3);
    await failures.nth(5).locator("summary").first().focus();
    await page.keyboard.press("Enter");
    await failures.nth(5).locator(".test-account").waitFor();
    expect(await failures.nth(5).textContent()).toMatch(/assert \d+ == 0/);

    await page.locator(".suite-list summary").first().click();
    // It is fetched when it is in view. What loads above may move it out.
    const opened = page.locator(".suite-list details[open]").first();
    await soon(async () => {
      await opened.scrollIntoViewIfNeeded();
      return opened.locator(".suite-list").count();
    }).toBe(1);
    await failures.nth(5).getByRole("link", { name: "What happened during it" }).click();
    await page.getByRole("heading", { name: "While it ran" }).waitFor();
    await page.getByRole("link", { name: "History" }).click();
    await page.getByText("Failing since").waitFor();
    expect(complaints).toEqual([]);
  });

  test("the list follows what is typed", async () => {
    const { page, complaints } = await world.look("/sessions/run-1/tests");
    await page.getByLabel("Search tests").fill("needs a disk");
    await soon(() => page.locator(".test-rows > li").count()).toBe(1);
    expect(await page.locator(".test-rows > li").textContent()).toContain("test_no");
    expect(page.url()).toContain("text=needs");
    expect(complaints).toEqual([]);
  });

  test("the tests of a product are searched by conditions, which are completed, and explained if they are wrong", async () => {
    const { page, complaints } = await world.look("/tests?product=shop");
    const box = page.getByLabel("Search tests");
    await box.pressSequentially("last_f");
    const offered = page.locator("#suggested-text option");
    await soon(() =>
      offered.evaluateAll((all) => all.map((one) => one.getAttribute("value"))),
    ).toEqual(["last_failed:"]);
    await box.fill("file:a.py result:flaky");
    const rows = page.locator("#found tbody tr");
    await soon(() => rows.count()).toBe(1);
    expect(await rows.textContent()).toContain("a.py::test_flaky");
    expect(await rows.textContent()).toContain("Flaky");
    expect(new URL(page.url()).searchParams.get("text")).toBe("file:a.py result:flaky");
    await expectAccessible(page);
    await box.fill("flakey:>0");
    await page.locator("#found").getByText("Did you mean flaky?").waitFor();
    await box.fill("");
    await page.locator("#runs tbody tr").first().waitFor();
    expect(complaints).toEqual([]);
  });
});
