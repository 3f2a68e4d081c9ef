import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { expectAccessible, hasBrowser, soon, World } from "./browser.ts";

const START = Date.now() - 10 * 3_600_000;
type Op = Batch["ops"][number];

/** Ten sessions of ten seconds: that of number n has a speed from 100 n to 100 n + 9. */
function session(n: number): Batch[] {
  const at = START + n * 60_000;
  const ops: Op[] = [
    { op: "start", at, product: "cars", version: "1", tags: [`track:${n % 2 ? "wet" : "dry"}`] },
    ...["speed", "heat"].flatMap((name, m) =>
      Array.from({ length: 10 }, (_, i): Op => ({
        op: "metric",
        type: "gauge",
        at: at + i * 1_000,
        name,
        value: (m + 1) * (100 * n + i),
      })),
    ),
    { op: "end", at: at + 10_000, exit_code: 0 },
  ];
  return [{ session: `car-${n}`, lane: `car-${n}-lane`, first: 1, last: ops.length, ops }];
}

/** A place on a plot: shares of its width and, from its top, of its height. */
async function place(page: Page, across: number, down: number) {
  const box = await page.locator("#over-time .plot-series").boundingBox();
  if (!box) throw new Error("no plot");
  return { x: box.x + box.width * across, y: box.y + box.height * down };
}

const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);
const ends = (page: Page) =>
  page
    .locator("#over-time .plot")
    .evaluate((plot) => [Number(plot.dataset["low"]), Number(plot.dataset["high"])]);

describe.skipIf(!hasBrowser)("the page of metrics", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    for (let n = 0; n < 10; n++) await world.record(session(n));
    await world.listed("car-0", "car-9");
  });
  afterAll(() => world.close());

  test("a click on a plot lists the sessions of the step there, and Enter does so from the keyboard", async () => {
    const { page, complaints } = await world.look("/metrics?metric=speed&by=tag.track&axis=clock");
    const { x, y } = await place(page, 0.998, 0.5);
    await page.mouse.click(x, y);
    const step = page.locator("#step");
    await soon(() => step.textContent()).toContain("Sessions in this step: 1");
    expect(await step.getByRole("link", { name: "car-9" }).count()).toBe(1);
    expect(parameter(page, "at")).not.toBeNull();

    await page.locator("#over-time .plot").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await soon(() => step.textContent()).not.toContain("car-9");
    await expectAccessible(page);
    await step.getByRole("link", { name: "Close" }).click();
    await soon(() => step.count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("a drag upwards sets the range of values, keys make it narrower and wider, and 0 shows all", async () => {
    const { page, complaints } = await world.look("/metrics?metric=speed&by=none&axis=clock");
    expect(await ends(page)).toEqual([0, 1_000]);
    const [from, to] = [await place(page, 0.5, 0.8), await place(page, 0.5, 0.6)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 3 });
    expect(await page.locator(".plot-range").count()).toBe(1);
    await page.mouse.up();
    await soon(() => ends(page)).toEqual([200, 400]);
    expect(Number(parameter(page, "low"))).toBeCloseTo(200, -1);
    expect(Number(parameter(page, "high"))).toBeCloseTo(400, -1);
    expect(await page.getByLabel("Least value shown").inputValue()).toBe(parameter(page, "low"));
    expect(await page.locator("#over-time").textContent()).toContain("above or below");

    const plot = page.locator("#over-time .plot");
    await plot.focus();
    await page.keyboard.press("-");
    await soon(() => ends(page)).toEqual([100, 500]);
    await plot.focus();
    await page.keyboard.press("+");
    await soon(() => ends(page)).toEqual([200, 400]);
    await plot.focus();
    await page.keyboard.press("0");
    await soon(() => ends(page)).toEqual([0, 1_000]);
    expect(parameter(page, "low")).toBeNull();
    await page.getByLabel("Greatest value shown").fill("400");
    await soon(() => ends(page)).toEqual([0, 400]);
    await page.getByRole("link", { name: "Show all values" }).click();
    await soon(() => ends(page)).toEqual([0, 1_000]);
    expect(complaints).toEqual([]);
  });

  test("metrics are added and removed, and a column sorts the tables, in one address", async () => {
    const { page, complaints } = await world.look("/metrics?metric=speed&by=session");
    await page.getByLabel("Add a metric").fill("heat");
    await page.locator("#over-time-2", { hasText: "heat" }).waitFor();
    expect(parameter(page, "also")).toBe("heat");
    const first = () => page.locator("#table tbody th").first().textContent();
    await page.locator("#table").getByRole("link", { name: "Mean" }).click();
    await soon(first).toContain("car-9");
    await page.locator("#table").getByRole("link", { name: "Mean" }).click();
    await soon(first).toContain("car-0");
    // The order of the table stays while the question changes.
    await page.getByLabel("Log").check();
    await soon(() => parameter(page, "scale")).toBe("log");
    expect(parameter(page, "table_order")).toBe("asc");
    await page.getByRole("link", { name: "Remove: heat" }).click();
    await page.locator("#over-time-2").waitFor({ state: "detached" });
    expect(parameter(page, "also")).toBeNull();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
    }
    expect(complaints).toEqual([]);
  });

  test("two metrics are points, each a link to its session", async () => {
    const { page, complaints } = await world.look("/metrics?metric=speed&by=tag.track");
    await page.getByLabel("Horizontal axis").selectOption("metric");
    await page.getByLabel("Horizontal", { exact: true }).fill("heat");
    await soon(() => page.locator(".scatter a").count()).toBe(10);
    await expectAccessible(page);
    await page.locator(".scatter a").first().click();
    await soon(() => page.url()).toContain("/sessions/car-");
    expect(complaints).toEqual([]);
  });
});
