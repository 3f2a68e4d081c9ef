import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../src/core/limits.ts";
import { sessionOf } from "../../src/session/client.ts";
import { bulky, event, gauge, NOON, start, state, World } from "./world.ts";

/** Five segments, four of them sealed: the changes of `a` from 0 to 9 in pairs, with their events and points. */
async function recorded(): Promise<World> {
  const world = new World();
  await world.send([start()]);
  for (let i = 0; i < 10; i++) {
    const at = NOON + i * 1_000;
    const full = i % 2 === 1 && i < 9 ? [bulky(at, SEGMENT_BYTES), bulky(at, SEGMENT_BYTES)] : [];
    await world.send([state(at, { a: i }), event(at, `event-${i}`), gauge(at, "fps", i), ...full]);
  }
  expect((await world.segments()).map(({ sealed }) => sealed)).toEqual([1, 1, 1, 1, 0]);
  return world;
}

/** Flips one bit in the middle of a column, through SQL as a disk would. */
async function flip(world: World, id: number, column: string): Promise<void> {
  const middle = `(length(${column}) / 2 + 1)`;
  const [row] = await world.sql<{ hex: string }>(
    `SELECT hex(substr(${column}, ${middle}, 1)) AS hex FROM segments WHERE id = ?`,
    id,
  );
  const flipped = (Number.parseInt(row?.hex ?? "0", 16) ^ 0x10).toString(16).padStart(2, "0");
  await world.sql(
    `UPDATE segments SET ${column} = CAST(substr(${column}, 1, ${middle} - 1) || x'${flipped}' || substr(${column}, ${middle} + 1) AS BLOB) WHERE id = ?`,
    id,
  );
}

const values = async (world: World) =>
  (await world.client.ask("history", { limit: 100 })).items.map(({ patch }) => patch["a"]);

describe.each(["body", "session_index", "keyframe"])(
  "a sealed segment with a flipped bit in its %s",
  (column) => {
    test("is skipped and reported, and everything else is there", async () => {
      const world = await recorded();
      await world.evict();
      await flip(world, 2, column);

      expect(await values(world)).toEqual([0, 1, 4, 5, 6, 7, 8, 9]);
      expect((await world.client.ask("summary")).damaged_segments).toBe(1);
      expect((await world.client.ask("state")).state).toEqual({ a: 9 });
      expect((await world.client.ask("state", { at: NOON + 4_500 })).state).toEqual({ a: 4 });
      // Within the damage: the state that it found.
      expect((await world.client.ask("state", { at: NOON + 2_500 })).state).toEqual({ a: 1 });
      const { items } = await world.client.ask("events", { limit: 100, text: "event-" });
      expect(items).toHaveLength(8);
      const exported = await new Response(await world.client.stream("export")).text();
      expect(exported).toContain('{"damaged_segment":2,');
      const [chart] = await world.client.ask("charts", { name: "fps" });
      expect(chart?.points?.map(([, value]) => value)).toEqual([0, 1, 4, 5, 6, 7, 8, 9]);
      expect(await world.client.ask("pathHistory", { path: ["a"] })).toMatchObject({
        items: expect.any(Array),
      });
      expect(await world.client.ask("timeline")).toMatchObject({ step_ms: expect.any(Number) });
      const legacy = (await new Response(await world.client.stream("legacy")).json()) as {
        metrics: object[];
      };
      expect(legacy.metrics).toHaveLength(8);
    });

    test("does not harm the projection that goes on, nor a batch that is refused, nor a rest", async () => {
      const world = await recorded();
      await flip(world, 2, column);
      await world.client.ask("events", { limit: 100 }); // it is noticed
      expect(await world.send([state(NOON, { a: 99 })], { first: 1_000 })).toMatchObject({
        error: { code: "lane_gap" },
      });
      expect(await world.send([], {})).not.toHaveProperty("error"); // only the index is written
      expect(await world.send([state(NOON + 20_000, { a: 10 })])).not.toHaveProperty("error");
      await world.evict();
      expect(await values(world)).toEqual([0, 1, 4, 5, 6, 7, 8, 9, 10]);
      expect((await world.segments()).map(({ sealed }) => sealed)).toEqual([1, 1, 1, 1, 0]);
      expect((await world.client.ask("summary")).ledger.dropped).toEqual({});
    });
  },
);

test("a flipped bit in a summary costs nothing: the segment is opened instead", async () => {
  const world = await recorded();
  await world.evict();
  for (const id of [1, 2, 3, 4]) await flip(world, id, "summary");
  expect(await values(world)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect((await world.client.ask("events", { name: "event-3" })).items).toHaveLength(1);
  const [chart] = await world.client.ask("charts", { name: "fps", points: 4 });
  expect(chart).toMatchObject({ total: 10, buckets: expect.any(Array) });
  expect(
    (await world.client.ask("series")).find(({ name }) => name === "fps")?.quantiles,
  ).toMatchObject({ p50: 4.5, exact: true });
});

test("numbers of a row that changed are damage as well", async () => {
  const world = await recorded();
  await world.evict();
  await world.sql("UPDATE segments SET sealed = 0 WHERE id = 3");
  expect(await values(world)).toEqual([0, 1, 2, 3, 6, 7, 8, 9]);
});

describe.each(["body", "session_index", "keyframe"])(
  "the newest segment with a flipped bit in its %s",
  (column) => {
    test("costs what was in it, and the session goes on after it", async () => {
      const world = await recorded();
      const before = await world.client.ask("summary");
      await world.evict();
      await flip(world, 5, column);

      expect((await world.client.ask("state")).state).toEqual({ a: 7 });
      expect((await world.client.ask("summary")).damaged_segments).toBe(1);

      // Its sender had an answer that all was stored, and goes on from there: the gap is accepted, and counted.
      expect(await world.send([state(NOON + 20_000, { b: 1 })])).toMatchObject({ applied: 40 });
      await world.evict();
      const after = await world.client.ask("summary");
      expect((await world.client.ask("state")).state).toEqual({ a: 7, b: 1 });
      expect(after.ledger.dropped).toEqual({ damaged: 6 });
      expect(after.ledger.accepted).toBe(before.ledger.accepted + 1);
      expect((await world.segments()).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
      expect((await world.client.ask("summary")).segments).toBe(6);

      // Only once: the next gap is refused.
      expect(await world.send([state(NOON, { c: 1 })], { first: 99 })).toMatchObject({
        error: { code: "lane_gap" },
      });
      expect(await world.send([state(NOON + 21_000, { c: 1 })])).toMatchObject({ applied: 41 });
      await world.evict();
      expect((await world.client.ask("state")).state).toEqual({ a: 7, b: 1, c: 1 });
    });

    test("survives a heartbeat and an alarm before the next batch", async () => {
      const world = await recorded();
      await world.evict();
      await flip(world, 5, column);
      await world.send([], { first: 40, lease_ms: 60_000 });
      await world.ring();
      await world.evict();
      expect((await world.client.ask("state")).state).toEqual({ a: 7 });
      expect(await world.send([state(NOON + 20_000, { b: 1 })], { first: 40 })).toMatchObject({
        applied: 40,
      });
      await world.evict();
      expect((await world.client.ask("state")).state).toEqual({ a: 7, b: 1 });
    });
  },
);

test("a lane that was only in the damaged segment is taken from where its sender is", async () => {
  const world = await recorded();
  await world.send([start(), start(), start()], { lane: "late" });
  await world.evict();
  await flip(world, 5, "body");
  expect(
    await world.send([state(NOON + 30_000, { late: true })], { lane: "late", first: 4 }),
  ).toMatchObject({ applied: 4 });
  expect((await world.client.ask("summary")).ledger.dropped).toEqual({ damaged: 3 });
});

test("with every segment damaged the session can be sent again from the start", async () => {
  const world = new World();
  await world.send([start(), state(NOON, { a: 1 })]);
  await world.evict();
  await flip(world, 1, "body");
  await expect(world.client.ask("summary")).rejects.toMatchObject({ code: "not_found" });
  expect(await world.send([state(NOON, { b: 2 })])).toMatchObject({ applied: 3 });
  await world.evict();
  expect((await world.client.ask("state")).state).toEqual({ b: 2 });
  expect((await world.client.ask("summary")).ledger).toEqual({
    accepted: 3,
    stored: 1,
    dropped: { damaged: 2 },
  });
});

test("with every segment damaged a key for one product is refused, since the owner is not known", async () => {
  const world = new World();
  await world.send([start()]);
  await world.evict();
  await flip(world, 1, "body");
  const key = { kind: "ingest", product: "game" } as const;
  const batches = [world.batch([state(NOON, { b: 2 })])];
  const { results } = await sessionOf(env, key, world.id).ingest(JSON.stringify({ batches }));
  expect(results).toMatchObject([{ error: { code: "forbidden" } }]);
  expect(await world.segments()).toHaveLength(1);
});
