/** Every page in every state that it can be in, and what one does on it with a pointer. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { brief, game, nameless } from "../pages/world.ts";
import { atRest, expectAccessible, hasBrowser, soon, World } from "./browser.ts";

const START = Date.now() - 600_000;

/** Names that draw nothing, act on a terminal, or run from right to left. */
const NAMES = [
  "",
  ".",
  "..",
  "  ",
  "\u001B[31mred\u001B[0m",
  "\u200B",
  "\u202Eabc",
  "مرحبا",
  "a,b",
  "x".repeat(256),
];

const HOSTILE: Batch = {
  session: "hostile",
  lane: "hostile-lane",
  first: 1,
  last: 2 + 3 * NAMES.length,
  ops: [
    {
      op: "start",
      at: START,
      product: "\u001B[1m",
      version: " ",
      tags: NAMES,
      state: Object.fromEntries(NAMES.map((name) => [name, { [name]: name }])),
    },
    ...NAMES.flatMap((name, index): Batch["ops"] => [
      {
        op: "metric",
        at: START + index * 10,
        type: "gauge",
        name,
        value: index,
        unit: name,
        tags: [name],
      },
      {
        op: "event",
        at: START + index * 10,
        name,
        category: name,
        group: name,
        labels: [name],
        message: name,
        data: { [name]: name },
      },
      {
        op: "event",
        at: START + index * 10 + 1,
        name,
        exception_type: name || "E",
        exception_msg: name,
        stacktrace: [name],
        handled: false,
      },
    ]),
    { op: "crash", at: START + 5_000, reason: "\u001B[31mred", signal: " " },
  ],
  writer: { program: "\u001B[1m", hostname: "\u200B" },
};

const HUNG: Batch = {
  session: "hung",
  lane: "hung-lane",
  first: 1,
  last: 3,
  ops: [
    { op: "start", at: START, product: "worker" },
    { op: "heartbeat", at: START + 1_000, timeout_ms: 5_000 },
    { op: "hang", at: START + 6_000, last_heartbeat_at: START + 1_000, process_state: "spinning" },
  ],
};

const COMMON = ["/", "/sessions", "/exceptions?status=all", "/metrics", "/settings", "/compare"];
const FILLED = [
  "/sessions/crashed",
  "/sessions/hung",
  "/sessions/hostile",
  "/sessions/nameless",
  "/sessions/short",
  "/sessions/hostile/delete",
  `/sessions?metric=${encodeURIComponent('""')}`,
  `/metrics?metric=${encodeURIComponent('""')}`,
  "/metrics?metric=no",
  "/compare?ids=crashed,hostile,hung",
];

describe.skipIf(!hasBrowser)("every page", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(() => world.close());

  /**
   * On a screen and on a phone. Half of the pages are checked for accessibility in light and wide, the others in dark and narrow:
   * lists.test.ts checks the same components in both. Three tabs wait for their pages at the same time.
   */
  async function expectUsable(paths: string[]): Promise<void> {
    const tabs = await Promise.all([0, 1, 2].map(() => world.look("/health")));
    const looks = tabs.map(async ({ page, complaints }, tab) => {
      for (let index = tab; index < paths.length; index += tabs.length) {
        const path = paths[index] ?? "/";
        await page.setViewportSize({ width: 1_440, height: 900 });
        await page.emulateMedia({ colorScheme: "light" });
        await page.goto(path);
        await atRest(page);
        if (index % 2 === 0) await expectAccessible(page);
        await page.emulateMedia({ colorScheme: "dark" });
        await page.setViewportSize({ width: 390, height: 844 });
        // Charts are drawn again after the screen has changed.
        await soon(() => page.evaluate<number>("document.documentElement.scrollWidth")).toBe(390);
        if (index % 2 === 1) await expectAccessible(page);
        expect(complaints, path).toEqual([]);
      }
    });
    await Promise.all(looks);
  }

  test("is usable while nothing is recorded", () => expectUsable(COMMON));

  test("is usable with sessions that crashed, hang, or have hostile names", async () => {
    await world.record(
      [HOSTILE],
      [HUNG],
      game({ id: "crashed", at: START, seconds: 30 }),
      nameless({ id: "nameless", at: START }),
      brief({ id: "short", at: START, product: "tool", version: "1", ending: "end" }),
    );
    await world.listed("hostile", "hung", "crashed", "nameless", "short");
    await expectUsable([...COMMON, ...FILLED]);
  });

  test("a row leads to its session, and text in it can be selected", async () => {
    const { page } = await world.look("/sessions");
    const row = page.locator(".sessions tbody tr", { hasText: "worker" });
    await row.getByRole("checkbox").click();
    expect(new URL(page.url()).pathname).toBe("/sessions");
    const machine = row.locator("td").nth(5);
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      machine.click({ modifiers: ["ControlOrMeta"] }),
    ]);
    await tab.waitForURL(/\/sessions\/hung$/);
    await machine.click();
    await page.waitForURL(/\/sessions\/hung$/);
  });

  test("a last event moves the cursor wherever it is clicked", async () => {
    const { page } = await world.look("/sessions/crashed");
    const line = page.locator(".last-events .line").first();
    const at = await line.locator(".moment").getAttribute("data-t");
    await line.locator(".line-text").click();
    await soon(() => new URL(page.url()).searchParams.get("t")).toBe(at);
  });

  test("the state at an exception is scrolled to", async () => {
    const { page } = await world.look("/sessions/crashed", {
      viewport: { width: 1_200, height: 500 },
    });
    await page.getByRole("link", { name: "Show state at this moment" }).first().click();
    await soon(() =>
      page.evaluate<boolean>(
        `(() => { const box = document.getElementById("moment").getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight / 2; })()`,
      ),
    ).toBe(true);
    expect(new URL(page.url()).searchParams.get("t")).not.toBeNull();
  });

  test("names its keys, and the zone of its times", async () => {
    const { page } = await world.look("/sessions/crashed", { timezoneId: "America/St_Johns" });
    expect(await page.locator(".timeline-start").textContent()).toMatch(/ UTC−[23]:30$/);
    await page.getByRole("button", { name: "UTC" }).click();
    expect(await page.locator(".timeline-start").textContent()).toMatch(/\d UTC$/);
    await page.locator("#moment").getByText("shows all keys").waitFor();
    await page.getByRole("button", { name: "Keys" }).click();
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
  });
});
