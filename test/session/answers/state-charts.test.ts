import { describe, expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import { MAX_CHARTED_SEGMENTS } from "../../../src/core/questions/limits.ts";
import { bulky, NOON, start, state, World } from "../world.ts";

const asked = { limit: 20, points: 1_000 };

/** Changes of a number and a text over several segments, one a second; every tenth second fills a segment. */
async function travelled(seconds = 40) {
  const world = new World();
  await world.send([
    { op: "start", at: NOON, product: "game", state: { mode: "menu", fixed: { a: 1 } } },
  ]);
  for (let i = 1; i <= seconds; i++) {
    const at = NOON + i * 1_000;
    const full = i % 10 === 0 ? [bulky(at, SEGMENT_BYTES), bulky(at, SEGMENT_BYTES)] : [];
    await world.send([
      state(at, { level: i, ...(i % 8 === 0 && { mode: `mode ${i / 8}` }) }),
      ...full,
    ]);
  }
  await world.send([{ op: "end", at: NOON + seconds * 1_000 + 500 }]);
  expect((await world.segments()).length).toBeGreaterThan(seconds / 10);
  await world.evict();
  return world;
}

/** The texts of a path's values, by the milliseconds at which they began. */
function textsOf(
  charts: { items: { path: string[]; spans: { at: number; text?: string }[] }[] },
  path: string,
) {
  const chart = charts.items.find((item) => item.path.join(".") === path);
  return chart?.spans.map(({ at, text }) => [at - NOON, text]);
}

describe("values of the state over time", () => {
  test("are the recorded ones over all segments, of the paths that changed", async () => {
    const world = await travelled();
    const charts = await world.client.ask("stateCharts", asked);
    expect(charts.items.map(({ path }) => path)).toEqual([["level"], ["mode"]]);
    expect(textsOf(charts, "mode")).toEqual([
      [0, "menu"],
      ...[1, 2, 3, 4, 5].map((i) => [i * 8_000, `mode ${i}`]),
    ]);
    const levels = textsOf(charts, "level") ?? [];
    expect(levels[0]).toEqual([0, undefined]);
    expect(levels.slice(1)).toEqual(
      Array.from({ length: 40 }, (_, i) => [(i + 1) * 1_000, String(i + 1)]),
    );
    expect(charts).toMatchObject({
      from: NOON,
      to: NOON + 40_500,
      until: NOON + 40_500,
      matching: 2,
      paths: 3,
      left_out: 0,
      unknown: [],
    });
    expect(charts.items[1]?.known).toEqual(["menu", ...[1, 2, 3, 4, 5].map((i) => `mode ${i}`)]);
  });

  test("begin with the value at the begin of the range, and end with it", async () => {
    const world = await travelled();
    const charts = await world.client.ask("stateCharts", {
      ...asked,
      from: NOON + 17_500,
      to: NOON + 24_500,
    });
    expect(textsOf(charts, "mode")).toEqual([
      [17_500, "mode 2"],
      [24_000, "mode 3"],
    ]);
    expect(textsOf(charts, "level")).toEqual([
      [17_500, "17"],
      ...[18, 19, 20, 21, 22, 23, 24].map((i) => [i * 1_000, String(i)]),
    ]);
    // A change exactly at the begin of the range is its first value.
    const exact = await world.client.ask("stateCharts", { ...asked, from: NOON + 16_000 });
    expect(textsOf(exact, "mode")?.[0]).toEqual([16_000, "mode 2"]);
    // Before the session there is nothing.
    const early = await world.client.ask("stateCharts", {
      ...asked,
      from: NOON - 1_000,
      to: NOON + 500,
    });
    expect(textsOf(early, "mode")).toEqual([
      [-1_000, undefined],
      [0, "menu"],
    ]);
  });

  test("are of all paths, of those that a search finds, and of one that is in no index", async () => {
    const world = await travelled(10);
    const paths = async (query: object) =>
      (await world.client.ask("stateCharts", { ...asked, ...query })).items.map(({ path }) =>
        path.join("."),
      );
    expect(await paths({ all: true })).toEqual(["fixed.a", "level", "mode"]);
    expect(await paths({ search: "FIX" })).toEqual(["fixed.a"]);
    expect(await paths({ limit: 1 })).toEqual(["level"]);
    expect(await paths({ path: ["mode"], limit: 1 })).toEqual(["mode"]);
    expect(await paths({ path: ["fixed"], search: "e" })).toEqual([
      "fixed",
      "fixed.a",
      "level",
      "mode",
    ]);
    const { items } = await world.client.ask("stateCharts", { ...asked, path: ["fixed"] });
    expect(items[0]?.spans).toMatchObject([{ text: "{…}", changes: 0 }]);
  });

  test("of a list that stays, or of values at one time, are no changes; a removed value is one", async () => {
    const world = new World();
    await world.send([
      { op: "start", at: NOON, product: "game", state: { tags: ["a", "b"], gone: 1 } },
      state(NOON + 1_000, { gone: null }),
    ]);
    const charts = await world.client.ask("stateCharts", asked);
    expect(charts.items.map(({ path }) => path)).toEqual([["gone"]]);
    expect(textsOf(charts, "gone")).toEqual([
      [0, "1"],
      [1_000, undefined],
    ]);
  });

  test("of ordinary keys with special names are those values", async () => {
    const world = new World();
    await world.send([start()]);
    for (const [i, value] of ["a", "b"].entries())
      await world.send([
        state(NOON + 1_000 * (i + 1), JSON.parse(`{"__proto__":{"x.y":"${value}"}}`) as object),
      ]);
    const { items } = await world.client.ask("stateCharts", asked);
    expect(items.map(({ path }) => path)).toEqual([["__proto__", "x.y"]]);
    expect(items[0]?.spans.map(({ text }) => text)).toEqual([undefined, "a", "b"]);
  });

  test("that take too many segments are those of the newest, and the others are named as unread", async () => {
    const world = new World();
    await world.send([start()]);
    const segments = MAX_CHARTED_SEGMENTS + 3;
    for (let i = 1; i <= segments; i++) {
      const at = NOON + i * 1_000;
      await world.send([
        state(at, { level: i }),
        bulky(at, SEGMENT_BYTES),
        bulky(at, SEGMENT_BYTES),
      ]);
    }
    const charts = await world.client.ask("stateCharts", asked);
    expect(charts.unknown).toHaveLength(1);
    const { from = 0, to = 0 } = charts.unknown[0] ?? {};
    expect(charts.unknown).toMatchObject([{ from: NOON, cause: "unread" }]);
    expect(to).toBeGreaterThan(NOON + 1_000);
    // From there on each value is the recorded one, and what is read of the first part is all of it.
    const known = (textsOf(charts, "level") ?? []).filter(([at]) => Number(at) + NOON >= to);
    expect(known.at(-1)).toEqual([segments * 1_000, String(segments)]);
    for (const [at, text] of known) expect(text).toBe(String(Number(at) / 1_000));
    const early = await world.client.ask("stateCharts", { ...asked, from, to });
    expect(early.unknown).toEqual([]);
    expect(textsOf(early, "level")?.[1]).toEqual([1_000, "1"]);

    // Segments that do not have the path are not opened.
    const other = await world.client.ask("stateCharts", {
      ...asked,
      search: "nothing",
      path: ["x"],
    });
    expect(other.unknown).toEqual([]);
  });

  test("of a damaged segment are named as not known, and those after it are whole", async () => {
    const world = await travelled();
    await world.sql("UPDATE segments SET body = ? WHERE id = 2", new ArrayBuffer(8));
    await world.evict();
    const charts = await world.client.ask("stateCharts", asked);
    const [gap] = charts.unknown;
    expect(charts.unknown).toHaveLength(1);
    expect(gap?.cause).toBe("damaged");
    const levels = textsOf(charts, "level") ?? [];
    const inside = levels.filter(([at]) => {
      const moment = Number(at) + NOON;
      return gap && moment > gap.from && moment < gap.to;
    });
    expect(inside).toEqual([]);
    for (const [at, text] of levels.slice(1)) expect(text).toBe(String(Number(at) / 1_000));
    expect(levels.length).toBeGreaterThan(25);
  });
});
