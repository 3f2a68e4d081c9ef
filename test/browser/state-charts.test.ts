import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { SPICE } from "../pages/world.ts";
import { expectAccessible, hasBrowser, soon, World } from "./browser.ts";

const START = Date.now() - 3_600_000;
type Op = Batch["ops"][number];

function session(id: string, ops: Op[], more: Partial<Batch> = {}): Batch[] {
  return [{ session: id, lane: `${id}-lane`, first: 1, last: ops.length, ops, ...more }];
}

const MODES = ["menu", "loading", "game", "menu"];

/** A hundred seconds: a level that rises every 10 s, a mode that changes every 25 s, and 600 changes within one second. */
const PLAYED: Op[] = [
  { op: "start", at: START, product: "game", state: { fixed: SPICE, level: 0 } },
  ...Array.from({ length: 100 }, (_, i): Op[] => {
    const at = START + i * 1_000;
    return [
      ...(i % 10 === 5 ? [{ op: "state" as const, at, patch: { level: (i + 5) / 10 } }] : []),
      ...(i % 25 === 0
        ? [{ op: "state" as const, at, patch: { window: { mode: MODES[i / 25] ?? "" } } }]
        : []),
    ];
  }).flat(),
  ...Array.from({ length: 600 }, (_, i): Op => ({
    op: "state",
    at: START + 99_100 + i,
    patch: { busy: { step: i } },
  })),
  {
    op: "dropped",
    cause: "disk_full",
    count: 3,
    at: START + 99_800,
    first_at: START + 40_000,
    last_at: START + 45_000,
  },
  { op: "end", at: START + 100_000, exit_code: 0 },
];

/** More paths than are drawn at first. */
const WIDE: Op[] = [
  { op: "start", at: START, product: "game" },
  ...[0, 1].map((value): Op => ({
    op: "state",
    at: START + 1_000 * (value + 1),
    patch: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`path${i}`, value])),
  })),
  { op: "end", at: START + 10_000, exit_code: 0 },
];

const rowOf = (page: Page, path: string) => page.locator(`.state-chart[data-path="${path}"]`);
const reading = (row: Locator) => row.locator("output").textContent();

/** Points at a share of the plots' width. */
async function pointAt(page: Page, share: number): Promise<void> {
  const box = await page.locator("#timeline .row-plot").last().boundingBox();
  if (!box) throw new Error("The timeline has no plot");
  await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
}

describe.skipIf(!hasBrowser)("values of the state on the axis", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(session("played", PLAYED), session("wide", WIDE));
  });
  afterAll(() => world.close());

  test("are lines for numbers and bands for texts, with the value under the pointer and at the cursor", async () => {
    const { page, complaints } = await world.look("/sessions/played");
    const [level, mode] = [rowOf(page, "level"), rowOf(page, "window.mode")];
    expect(await level.locator(".state-line").count()).toBe(1);
    expect(await mode.locator(".state-value").count()).toBe(4);
    // A value has one colour.
    const colours = await mode
      .locator(".state-value")
      .evaluateAll((bands) => bands.map((band) => band.getAttribute("data-line")));
    expect(colours[3]).toBe(colours[0]);
    expect(new Set(colours).size).toBe(3);
    expect([await reading(level), await reading(mode)]).toEqual(["10", "menu"]);

    await pointAt(page, 0.3);
    await soon(() => reading(mode)).toBe("loading");
    expect(await reading(level)).toBe("3");
    await pointAt(page, 0.6);
    await soon(() => reading(mode)).toBe("game");
    await page.mouse.move(5, 5);
    await soon(() => reading(mode)).toBe("menu");
    expect(await rowOf(page, "fixed").count()).toBe(0);
    // The ops that are lost may have been changes.
    const lost = await level.locator(".unknown").boundingBox();
    const plot = await level.locator(".row-plot").boundingBox();
    if (!lost || !plot) throw new Error("no mark of the loss");
    expect((lost.x - plot.x) / plot.width).toBeCloseTo(0.4, 1);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  test("that change too often to be drawn each are a range, whose last value is shown after it; a zoom shows each", async () => {
    const { page } = await world.look(`/sessions/played?t=${START + 99_300}`);
    const busy = rowOf(page, "busy.step");
    await soon(() => reading(busy)).toMatch(/^\d+ to \d+$/);
    const { page: near } = await world.look(
      `/sessions/played?from=${START + 99_200}&to=${START + 99_400}&t=${START + 99_300}`,
    );
    expect(await reading(rowOf(near, "busy.step"))).toBe("200");
    // By dragging, too: the section follows the axis.
    expect(await rowOf(page, "window.mode").locator(".state-value").count()).toBe(4);
    await pointAt(page, 0.9);
    await page.mouse.down();
    await pointAt(page, 0.99);
    await page.mouse.up();
    await soon(() => page.url()).toContain("from=");
    await soon(() => rowOf(page, "window.mode").locator(".state-value").count()).toBe(1);
  });

  test("of further paths are found, and all are drawn", async () => {
    const { page, complaints } = await world.look("/sessions/wide");
    const rows = page.locator(".state-chart");
    expect(await rows.count()).toBe(8);
    await page.getByRole("link", { name: "Show all" }).click();
    await soon(() => rows.count()).toBe(12);
    await page.getByLabel("Find a path of the state").fill("path11");
    await soon(() => rows.count()).toBe(1);
    expect(await page.getByLabel("Find a path of the state").inputValue()).toBe("path11");
    await page.getByLabel("Find a path of the state").fill("none <b>");
    await soon(() => page.locator("#state-charts").textContent()).toContain("No path");
    // A search stays while the range changes, and does not keep the range.
    await page.getByLabel("Find a path of the state").fill("path1");
    await soon(() => rows.count()).toBe(3);
    for (const span of ["5 s of", "2.5 s of"]) {
      await page.locator("#recorder").press("+");
      await soon(() => page.locator(".timeline-span").textContent()).toContain(span);
    }
    expect(await rows.count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  test("are that of the path whose history is open, too", async () => {
    const { page, complaints } = await world.look("/sessions/played");
    await page.locator("#state").getByRole("link", { name: "fixed", exact: true }).click();
    await soon(() => rowOf(page, "fixed").count()).toBe(1);
    expect(await reading(rowOf(page, "fixed"))).toBe(SPICE);
    await page.locator("[data-close-history]").click();
    await soon(() => rowOf(page, "fixed").count()).toBe(0);
    await rowOf(page, "level").getByRole("link").click();
    await soon(() => page.locator("#history").textContent()).toContain("level");
    expect(complaints).toEqual([]);
  });

  test("appear while a session runs", async () => {
    const now = Date.now();
    const ops: Op[] = [{ op: "start", at: now - 5_000, product: "game", state: { level: 1 } }];
    await world.record(session("running", ops, { lease_ms: 60_000 }));
    const { page, complaints } = await world.look("/sessions/running");
    expect(await page.locator("#state-charts").isVisible()).toBe(false);
    const next: Op[] = [{ op: "state", at: now - 1_000, patch: { level: 2 } }];
    await world.record(session("running", next, { first: 2, last: 2, lease_ms: 60_000 }));
    await soon(() => reading(rowOf(page, "level"))).toBe("2");
    expect(await page.locator("#state-charts").isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("are read without script", async () => {
    const { page } = await world.look(`/sessions/played?t=${START + 30_000}`, {
      javaScriptEnabled: false,
    });
    expect(await reading(rowOf(page, "window.mode"))).toBe("loading");
    await page.getByRole("link", { name: "Show all" }).click();
    expect(await reading(rowOf(page, "fixed"))).toBe(SPICE);
    expect(new URL(page.url()).searchParams.get("t")).toBe(String(START + 30_000));
  });
});
