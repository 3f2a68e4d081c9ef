import { describe, expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import type { Json } from "../../../src/core/wire.ts";
import { bulky, event, NOON, start, state, World } from "../world.ts";

/** Forty changes over five segments, one a second: what they were, seq by seq. */
async function travelled() {
  const world = new World();
  await world.send([
    { op: "start", at: NOON, product: "game", state: { mode: "menu", player: { hp: 100 } } },
  ]);
  for (let i = 1; i <= 40; i++) {
    const at = NOON + i * 1_000;
    const full = i % 10 === 0 ? [bulky(at, SEGMENT_BYTES), bulky(at, SEGMENT_BYTES)] : [];
    await world.send([
      state(at, { level: i, ...(i % 8 === 0 && { player: { hp: 100 - i } }) }),
      ...full,
    ]);
  }
  expect((await world.segments()).length).toBeGreaterThanOrEqual(4);
  return world;
}

describe("the state at a moment", () => {
  test("is what it was, by clock", async () => {
    const world = await travelled();
    await world.evict();
    const at = async (ms: number) => (await world.client.ask("state", { at: NOON + ms })).state;
    expect(await at(-1)).toEqual({});
    expect(await at(0)).toEqual({ mode: "menu", player: { hp: 100 } });
    expect(await at(999)).toEqual({ mode: "menu", player: { hp: 100 } });
    for (const i of [1, 7, 8, 9, 10, 11, 20, 21, 25, 30, 39, 40])
      for (const ms of [i * 1_000, i * 1_000 + 999])
        expect(await at(ms)).toEqual({
          mode: "menu",
          level: i,
          player: { hp: i < 8 ? 100 : 100 - (i - (i % 8)) },
        });
    expect((await world.client.ask("state")).state).toEqual(await at(1e9));
  });

  test("is what it was, by sequence, with the op that made it so", async () => {
    const world = await travelled();
    const { items } = await world.client.ask("history", { limit: 100 });
    for (const { seq, at, patch } of items) {
      const there = await world.client.ask("state", { seq });
      expect(there).toMatchObject({ seq, at });
      expect(there.state["level"]).toBe(patch["level"]);
      expect((await world.client.ask("state", { seq: seq - 1 })).state["level"]).not.toBe(
        patch["level"],
      );
    }
    expect(await world.client.ask("state", { seq: 0 })).toEqual({ seq: 0, at: null, state: {} });
  });

  test("goes one way when the clock went back", async () => {
    const world = new World();
    await world.send([
      start(),
      state(NOON + 5_000, { a: 1 }),
      state(NOON + 1_000, { a: 2 }),
      state(NOON + 6_000, { a: 3 }),
    ]);
    const at = async (ms: number) => (await world.client.ask("state", { at: NOON + ms })).state;
    // The clock was set back by four seconds after the first change, whose own time is kept.
    expect(await at(999)).toEqual({});
    expect(await at(1_000)).toEqual({ a: 2 }); // both took effect, the later one last
    expect(await at(6_000)).toEqual({ a: 3 });
    const { items } = await world.client.ask("history");
    expect(items.map((change) => change.at - NOON)).toEqual([1_000, 1_000, 6_000]);
    expect(items[0]?.recorded_at).toBe(NOON + 5_000);
  });

  test("of a patch that arrives late in another lane is its own from when it was applied, which its change states", async () => {
    const world = new World();
    await world.send([start(), state(NOON + 1_000, { a: 1 }), state(NOON + 5_000, { a: 2 })]);
    await world.send([state(NOON + 2_000, { b: 1 })], { lane: "lane-2" });
    const at = async (ms: number) => (await world.client.ask("state", { at: NOON + ms })).state;
    expect(await at(4_999)).toEqual({ a: 1 });
    expect(await at(5_000)).toEqual({ a: 2, b: 1 });

    const late = { at: NOON + 2_000, applied_at: NOON + 5_000 };
    const [last] = (await world.client.ask("history", { order: "desc" })).items;
    expect(last).toMatchObject({ patch: { b: 1 }, ...late });
    const history = await world.client.ask("pathHistory", { path: ["b"] });
    expect(history.items).toMatchObject([{ after: 1, held_ms: null, ...late }]);
    const others = await world.client.ask("pathHistory", { path: ["a"] });
    for (const change of others.items) expect(change).not.toHaveProperty("applied_at");
  });

  test("keeps 1.x's null, __proto__ and everything else over eviction and sealing", async () => {
    const world = new World();
    const patch = JSON.parse('{"a":{"b":null},"__proto__":{"x":1},"":[1,null],"🐈":-0.5}') as {
      [key: string]: Json;
    };
    await world.send([
      start(),
      state(NOON, patch),
      bulky(NOON, SEGMENT_BYTES),
      bulky(NOON, SEGMENT_BYTES),
    ]);
    await world.evict();
    expect(JSON.stringify((await world.client.ask("state")).state)).toBe(JSON.stringify(patch));
    await world.send([state(NOON + 1, patch)]);
    await world.evict();
    expect(JSON.stringify((await world.client.ask("state")).state)).toBe(
      '{"a":{},"__proto__":{"x":1},"":[1,null],"🐈":-0.5}',
    );
  });
});

describe("history", () => {
  test("is paged in both orders, without a change twice or missing", async () => {
    const world = await travelled();
    for (const order of ["asc", "desc"] as const) {
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.client.ask("history", {
          limit: 7,
          order,
          ...(cursor && { cursor }),
        });
        seen.push(...page.items.map(({ patch }) => Number(patch["level"])));
        cursor = page.next ?? undefined;
      } while (cursor);
      const all = Array.from({ length: 40 }, (_, i) => i + 1);
      expect(seen).toEqual(order === "asc" ? all : all.toReversed());
    }
  });

  test("has an end: a page that is just full has no next", async () => {
    const world = await travelled();
    expect(await world.client.ask("history", { limit: 40 })).toMatchObject({ next: null });
    expect(await world.client.ask("history", { limit: 39 })).toMatchObject({
      next: expect.any(String),
    });
  });

  test("of a range is what took effect in it", async () => {
    const world = await travelled();
    const { items } = await world.client.ask("history", {
      from: NOON + 9_500,
      to: NOON + 21_000,
      limit: 100,
    });
    expect(items.map(({ patch }) => patch["level"])).toEqual([
      10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    ]);
  });
});

describe("a path's history", () => {
  test("has the values before and after, how long it held, and the event just before", async () => {
    const world = new World();
    await world.send([
      start(),
      event(NOON + 500, "opened"),
      state(NOON + 1_000, { door: "open", other: 1 }),
      state(NOON + 1_500, { other: 2 }), // another path
      state(NOON + 2_000, { door: "open" }), // no change
      event(NOON + 2_900, "slammed", { message: "by the wind" }),
      event(NOON + 2_950, "noise"),
      state(NOON + 3_000, { door: { angle: 10 } }),
      state(NOON + 4_000, { door: null }),
    ]);
    const { items, next } = await world.client.ask("pathHistory", { path: ["door"] });
    expect(next).toBeNull();
    expect(items).toMatchObject([
      { at: NOON + 1_000, after: "open", held_ms: 2_000, cause: { name: "opened" } },
      {
        at: NOON + 3_000,
        before: "open",
        after: { angle: 10 },
        held_ms: 1_000,
        cause: { name: "noise" },
      },
      { at: NOON + 4_000, before: { angle: 10 }, held_ms: null, cause: { name: "noise" } },
    ]);
    expect(items[0]).not.toHaveProperty("before");
    expect(items[2]).not.toHaveProperty("after");
    const reversed = await world.client.ask("pathHistory", { path: ["door"], order: "desc" });
    expect(reversed.items).toEqual(items.toReversed());
    expect(
      (await world.client.ask("pathHistory", { path: ["door", "angle"] })).items,
    ).toMatchObject([
      { after: 10, held_ms: 1_000 },
      { before: 10, held_ms: null },
    ]);
    expect((await world.client.ask("pathHistory", { path: ["window"] })).items).toEqual([]);
  });

  test("is the same over segments and evictions, paged in both orders", async () => {
    const world = await travelled();
    await world.evict();
    const whole = (await world.client.ask("pathHistory", { path: ["player", "hp"], limit: 100 }))
      .items;
    expect(whole.map(({ after }) => after)).toEqual([100, 92, 84, 76, 68, 60]);
    expect(whole.map(({ held_ms }) => held_ms)).toEqual([8_000, 8_000, 8_000, 8_000, 8_000, null]);
    for (const order of ["asc", "desc"] as const) {
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.client.ask("pathHistory", {
          path: ["player", "hp"],
          limit: 2,
          order,
          ...(cursor && { cursor }),
        });
        seen.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor);
      expect(seen).toEqual(order === "asc" ? whole : whole.toReversed());
    }
  });

  test("steps into lists", async () => {
    const world = new World();
    await world.send([
      start(),
      state(NOON, { bag: ["sword", "key"] }),
      state(NOON + 10, { bag: ["sword"] }),
    ]);
    expect((await world.client.ask("pathHistory", { path: ["bag", "1"] })).items).toMatchObject([
      { after: "key", held_ms: 10 },
      { before: "key" },
    ]);
  });
});

test("a diff lists what was added, removed and changed between two moments", async () => {
  const world = new World();
  await world.send([
    start(),
    state(NOON, { a: 1, b: { c: [1], d: 2 }, gone: null, same: { x: 1 } }),
  ]);
  await world.send([state(NOON + 10, { a: null, b: { c: [2], e: { f: 1 } } })]);
  const { from, to, differences } = await world.client.ask("diff", { from: { at: NOON }, to: {} });
  expect(from.state).toMatchObject({ a: 1 });
  expect(to.state).not.toHaveProperty("a");
  expect(differences).toEqual([
    { path: ["a"], kind: "removed", before: 1 },
    { path: ["b", "c"], kind: "changed", before: [1], after: [2] },
    { path: ["b", "e"], kind: "added", after: { f: 1 } },
  ]);
  expect(
    (await world.client.ask("diff", { from: { seq: 2 }, to: { seq: 2 } })).differences,
  ).toEqual([]);
});

test("whether a path ever held a value is known, listed or not", async () => {
  const world = new World();
  const tags = Array.from({ length: 30 }, (_, i) => `tag-${i}`);
  await world.send([start(), state(NOON, { mode: "menu", tags }), state(NOON, { mode: null })]);
  for (let i = 0; i < 12; i++)
    await world.send([state(NOON + i, { progress: i }), bulky(NOON, SEGMENT_BYTES)]);
  await world.evict();
  for (const [path, text, held] of [
    ["mode", '"menu', true],
    ["mode", '"play', false],
    ["progress", "=3", true],
    ["progress", '"3', false],
    ["progress", "=99", false],
    ["tags", '"tag-29', true],
    ["tags", '"tag-99', false],
    ["tags.29", '"tag-29', true],
    ["tags.2", '"tag-29', false],
    ["nowhere", "=1", false],
  ] as const) {
    const asked = { state: { path: path.split("."), texts: [text] } };
    expect([path, text, await world.client.ask("held", asked)]).toEqual([path, text, held]);
  }
});

test("secrets are written over before they are stored", async () => {
  const world = new World();
  await world.send([
    { op: "start", at: NOON, state: { api_key: "k-1" } },
    state(NOON, { user: { password: "hunter2" } }),
    event(NOON, "login", { data: { token: "t-1" } }),
    { op: "metric", at: NOON, type: "gauge", name: "x", value: 1, metadata: { secret: "s-1" } },
  ]);
  const everything =
    (await new Response(await world.client.stream({ kind: "lines" })).text()) +
    JSON.stringify(await world.everything());
  for (const secret of ["k-1", "hunter2", "t-1", "s-1"]) expect(everything).not.toContain(secret);
  expect(everything).toContain("[redacted]");
});
