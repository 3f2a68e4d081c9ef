import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SERVER } from "../../src/core/access/authority.ts";
import { describe, expect, test } from "vitest";
import { MAX_LANES, MAX_SERIES, MAX_STATE_BYTES, SEGMENT_BYTES } from "../../src/core/limits.ts";
import type { Op } from "../../src/core/wire.ts";
import { bulky, event, gauge, NOON, start, state, World } from "./world.ts";

const refused = (code: string) => ({ error: { code, message: expect.any(String) } });

describe("a batch", () => {
  test("is applied once, however often it is sent", async () => {
    const world = new World();
    const batch = world.batch([start(), state(NOON, { level: 1 }), event(NOON, "door")]);
    for (let i = 0; i < 3; i++)
      expect(await world.deliver([batch])).toEqual([
        { session: world.id, lane: "lane-1", applied: 3 },
      ]);
    await world.evict();
    expect(await world.deliver([batch, batch])).toMatchObject([{ applied: 3 }, { applied: 3 }]);
    const { counts, ledger, revision } = await world.client.ask("summary");
    expect(counts).toMatchObject({ states: 1, events: 1 });
    expect(ledger).toEqual({ accepted: 3, stored: 3, dropped: {} });
    expect(revision).toBe(3);
  });

  test("an old one is a repeat too, and its result has how far the lane is", async () => {
    const world = new World();
    await world.send([start(), state(NOON, { a: 1 }), state(NOON, { a: 2 })]);
    expect(await world.send([state(NOON, { a: 1 })], { first: 2 })).toMatchObject({ applied: 3 });
    expect((await world.client.ask("state")).state).toEqual({ a: 2 });
  });

  test("that leaves a gap is refused with what is there, and changes nothing", async () => {
    const world = new World();
    await world.send([start()]);
    const before = await world.everything();
    expect(await world.send([state(NOON, { a: 1 })], { first: 3 })).toMatchObject({
      applied: 1,
      ...refused("lane_gap"),
    });
    expect(await world.everything()).toEqual(before);
  });

  test("that overlaps is refused with what is there, and changes nothing", async () => {
    const world = new World();
    await world.send([start(), state(NOON, { a: 1 })]);
    const ops = [state(NOON, { a: 2 }), state(NOON, { a: 3 })];
    expect(await world.send(ops, { first: 2 })).toMatchObject({
      applied: 2,
      ...refused("lane_overlap"),
    });
    expect((await world.client.ask("state")).state).toEqual({ a: 1 });
  });

  test("in any order arrives in the order of its lane, since gaps are sent again", async () => {
    const world = new World();
    const batches = [1, 2, 3].map((n) => world.batch([state(NOON + n, { a: n })], { first: n }));
    const applied = new Set<number>();
    for (const n of [2, 1, 3, 2, 0, 1, 2]) {
      const [result] = await world.deliver([batches[n] ?? {}]);
      if (result && !result.error) applied.add(n);
    }
    expect(applied.size).toBe(3);
    const { items } = await world.client.ask("history");
    expect(items.map(({ patch }) => patch["a"])).toEqual([1, 2, 3]);
  });

  test("of a second writer of the same lane is refused or a repeat, never mixed in", async () => {
    const world = new World();
    await world.send([start(), state(NOON, { by: "one" })]);
    const other = [start(), state(NOON, { by: "two" }), state(NOON, { only: "two" })];
    expect(await world.send(other.slice(0, 2), { first: 1 })).toMatchObject({ applied: 2 });
    expect(await world.send(other, { first: 1 })).toMatchObject(refused("lane_overlap"));
    expect((await world.client.ask("state")).state).toEqual({ by: "one" });
  });

  test("refused half-way leaves nothing of it, in memory or on disk", async () => {
    const world = new World();
    await world.send([start(), state(NOON, { a: 1 }), gauge(NOON, "fps", 60)]);
    const before = await world.everything();
    const deep = JSON.parse('{"a":'.repeat(80) + "1" + "}".repeat(80));
    const bad = [state(NOON, { a: 2 }), gauge(NOON, "new", 1), event(NOON, "x"), state(NOON, deep)];
    for (let i = 0; i < 2; i++) {
      expect(await world.send(bad)).toMatchObject({ applied: 3, ...refused("too_deep") });
      expect(await world.everything()).toEqual(before);
      await world.evict();
    }
    expect(await world.send([state(NOON, { a: 3 })])).toMatchObject({ applied: 4 });
  });

  test("refused does not mix up the series that come after it", async () => {
    const world = new World();
    await world.send([start(), gauge(NOON, "fps", 60)]);
    await world.client.ask("series"); // builds the rollups
    const bad: Op = { op: "metric", at: NOON, type: "histogram", name: "h", bounds: [2, 1] };
    await world.send([
      gauge(NOON, "lost", 1),
      { op: "metric", at: NOON, type: "counter", name: "lost too", delta: 1 },
      bad,
    ]);
    await world.send([
      { op: "metric", at: NOON, type: "counter", name: "kills", delta: 1 },
      gauge(NOON, "memory", 7),
    ]);
    const kept = await world.client.ask("series");
    expect(kept.map(({ name, quantiles }) => [name, quantiles?.p50])).toEqual([
      ["fps", 60],
      ["kills", undefined],
      ["memory", 7],
    ]);
  });

  test("that is bad does not hold up the good ones beside it", async () => {
    const world = new World();
    const good = world.batch([start()]);
    const other = world.batch([start()], { lane: "lane-2" });
    const results = await world.deliver([
      good,
      { session: world.id, lane: "lane-3", ops: 5 },
      "nonsense",
      other,
    ]);
    expect(results).toMatchObject([
      { applied: 1 },
      { lane: "lane-3", applied: 0, ...refused("invalid_body") },
      { lane: "", ...refused("invalid_body") },
      { lane: "lane-2", applied: 1 },
    ]);
  });

  test.each([
    ["ends before it begins", { first: 5, last: 2 }],
    ["brings more ops than records", { first: 1, last: 1 }],
    ["is of another session", { session: "another" }],
  ])("that %s is refused", async (_, wrong) => {
    const world = new World();
    const batch = { ...world.batch([start(), start()]), ...wrong };
    expect(await world.deliver([batch])).toMatchObject([refused("invalid_body")]);
    await expect(world.client.ask("summary")).rejects.toMatchObject({ code: "not_found" });
  });

  test("may cover more records than it has ops: they were filtered or put together", async () => {
    const world = new World();
    expect(await world.send([start()], { last: 1_000, aggregated: 999 })).toMatchObject({
      applied: 1_000,
    });
    expect((await world.client.ask("summary")).ledger).toMatchObject({
      accepted: 1_000,
      stored: 1_000,
    });
  });

  test("without ops extends the lease, and costs one row", async () => {
    const world = new World();
    await world.send([start()], { lease_ms: 1 });
    await scheduler.wait(5);
    expect((await world.client.ask("summary")).verdict.status).toBe("suspended");
    expect(await world.send([], { lease_ms: 60_000 })).toMatchObject({ applied: 1 });
    await world.evict();
    expect((await world.client.ask("summary")).verdict.status).toBe("active");
  });

  test("larger than a segment is stored whole", async () => {
    const world = new World();
    const ops = Array.from({ length: 12 }, (_, i) => bulky(NOON + i, SEGMENT_BYTES / 4));
    expect(await world.send([start(), ...ops])).toMatchObject({ applied: 13 });
    expect(await world.segments()).toEqual([{ id: 1, sealed: 1 }]);
    await world.evict();
    expect((await world.client.ask("events", { limit: 100 })).items).toHaveLength(12);
  });
});

describe("rows", () => {
  /** What the platform counts while the batches are sent, alarms not counted. */
  async function written(world: World, batches: Op[][]): Promise<number> {
    return runInDurableObject(world.stub, async (session, { storage }) => {
      let rows = 0;
      const { sql } = storage;
      const exec = sql.exec.bind(sql);
      const cursors: { rowsWritten: number }[] = [];
      Object.defineProperty(sql, "exec", {
        configurable: true,
        value: (...query: Parameters<typeof exec>) => {
          const cursor = exec(...query);
          cursors.push(cursor);
          return cursor;
        },
      });
      for (const ops of batches)
        world.note(
          JSON.parse(await session.ingest(SERVER, JSON.stringify({ batches: [world.batch(ops)] }))),
        );
      for (const cursor of cursors) rows += cursor.rowsWritten;
      Reflect.deleteProperty(sql, "exec");
      return rows;
    });
  }

  test("one is written per batch, whatever is in it", async () => {
    const world = new World();
    await world.send([start()]);
    const batches = Array.from({ length: 40 }, (_, i) => [
      state(NOON + i, { a: i }),
      event(NOON + i, "door"),
      ...Array.from({ length: 50 }, (__, n): Op => ({
        op: "points",
        at: NOON + i,
        type: "gauge",
        name: `m${n}`,
        dt: [1, 1],
        values: [i, i + 0.123],
      })),
      bulky(NOON, 8_000), // so that segments are sealed on the way
    ]);
    expect(await written(world, batches)).toBe(40);
    expect((await world.segments()).length).toBeGreaterThan(2);
  });
});

describe("waking up", () => {
  test("reads one row of the log, however long it is", async () => {
    const world = new World();
    await world.send([start()]);
    for (let i = 0; i < 8; i++)
      await world.send([
        state(NOON + i, { a: i }),
        bulky(NOON + i, SEGMENT_BYTES),
        bulky(NOON + i, SEGMENT_BYTES),
      ]);
    expect((await world.segments()).length).toBeGreaterThan(6);
    await world.evict();
    const rows = await runInDurableObject(world.stub, async (session, { storage }) => {
      const { sql } = storage;
      const exec = sql.exec.bind(sql);
      const cursors: { query: string; cursor: { rowsRead: number } }[] = [];
      Object.defineProperty(sql, "exec", {
        configurable: true,
        value: (...query: Parameters<typeof exec>) => {
          const cursor = exec(...query);
          cursors.push({ query: query[0], cursor });
          return cursor;
        },
      });
      await session.ingest(
        SERVER,
        JSON.stringify({ batches: [world.batch([state(NOON + 9, { b: 1 })])] }),
      );
      Reflect.deleteProperty(sql, "exec");
      return cursors
        .filter(({ query }) => query.startsWith("SELECT * FROM segments"))
        .map(({ cursor }) => cursor.rowsRead);
    });
    expect(rows).toEqual([1]);
    expect((await world.client.ask("state")).state).toEqual({ a: 7, b: 1 });
  });
});

describe("limits", () => {
  test("a state over its size is refused, and stays as it was", async () => {
    const world = new World();
    await world.send([start()]);
    const half = "x".repeat(MAX_STATE_BYTES / 2);
    expect(await world.send([state(NOON, { a: half })])).not.toHaveProperty("error");
    expect(await world.send([state(NOON, { b: half })])).toMatchObject(refused("too_large"));
    expect(await world.send([state(NOON, { a: null, b: half })])).not.toHaveProperty("error");
    // Bytes of UTF-8 count, not characters.
    expect(await world.send([state(NOON, { b: "語".repeat(MAX_STATE_BYTES / 3) })])).toMatchObject(
      refused("too_large"),
    );
    expect(Object.keys((await world.client.ask("state")).state)).toEqual(["b"]);
  });

  test("a state of too many keys is refused", async () => {
    const world = new World();
    await world.send([start()]);
    const keys = (from: number) =>
      Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`k${from + i}`, 0]));
    expect(await world.send([state(NOON, keys(0))])).not.toHaveProperty("error");
    expect(await world.send([state(NOON, keys(12_000))])).toMatchObject(refused("too_many_keys"));
    expect(await world.send([state(NOON, keys(0))])).not.toHaveProperty("error");
    const { left_out } = await world.client.ask("summary");
    expect(Object.keys(left_out ?? {})).toEqual(["state_paths"]);
  });

  test("series over the limit are dropped and counted, the others go on", async () => {
    const world = new World();
    const many = Array.from({ length: MAX_SERIES + 5 }, (_, i) => gauge(NOON, `s${i}`, i));
    await world.send([start(), ...many]);
    const points: Op = {
      op: "points",
      at: NOON,
      type: "gauge",
      name: "one more",
      dt: [1, 1, 1],
      values: [1, 2, 3],
    };
    await world.send([points, gauge(NOON + 1, "s0", 5)]);
    const { counts, ledger } = await world.client.ask("summary");
    expect(counts).toMatchObject({ series: MAX_SERIES, points: MAX_SERIES + 1 });
    expect(ledger.dropped).toEqual({ series_limit: 8 });
    expect(ledger.accepted).toBe(ledger.stored + 8);
    expect(ledger.stored).toBe(1 + MAX_SERIES + 1);
  });

  test("lanes over the limit are refused", async () => {
    const world = new World();
    const batches = Array.from({ length: 40 }, (_, n) => n);
    for (let round = 0; round * 40 < MAX_LANES; round++)
      await world.deliver(
        batches.map((n) => world.batch([start()], { lane: `lane-${round * 40 + n}` })),
      );
    expect(await world.send([start()], { lane: "one-more" })).toMatchObject(refused("too_large"));
    expect(await world.send([state(NOON, { a: 1 })], { lane: "lane-7" })).toMatchObject({
      applied: 2,
    });
  });

  test("a index made as large as it can be still fits its row", async () => {
    const world = new World();
    await world.send([start()]);
    const long = (i: number) => `${i}${"x".repeat(240)}`;
    for (let round = 0; round < 8; round++) {
      const ops = Array.from({ length: 300 }, (_, i) => [
        event(NOON, long(i), {
          message: long(round),
          category: long(0),
          exception_type: "T".repeat(5_000) + i,
          exception_msg: long(i),
        }),
        state(NOON, { [long(i % 150)]: `${long(round)}` }),
      ]).flat();
      expect(
        await world.send(ops, {
          lane: `${round}-${"l".repeat(120)}`,
          writer: { program: "p".repeat(9_000), arguments: ["a".repeat(9_000)], user: "u" },
        }),
      ).not.toHaveProperty("error");
      const [{ bytes } = { bytes: 0 }] = await world.sql<{ bytes: number }>(
        "SELECT max(length(session_index)) AS bytes FROM segments",
      );
      expect(bytes).toBeLessThan(700_000);
    }
    expect((await world.client.ask("summary")).left_out).toMatchObject({
      event_names: expect.any(Number),
      exceptions: expect.any(Number),
      state_paths: expect.any(Number),
    });
  });

  test("causes of loss are bounded, and all losses counted", async () => {
    const world = new World();
    const ops = Array.from({ length: 80 }, (_, i): Op => ({
      op: "dropped",
      at: NOON,
      cause: i === 0 ? "__proto__" : `cause ${i}`,
      count: 2,
    }));
    await world.send([start(), ...ops], { dropped: { damaged: 3 }, last: 84 });
    const { dropped, accepted, stored } = (await world.client.ask("summary")).ledger;
    expect(Object.keys(dropped).length).toBeLessThanOrEqual(51);
    expect(Object.values(dropped).reduce((a, b) => a + b)).toBe(163);
    expect(accepted).toBe(1 + 3 + 160); // the reports themselves were not issued
    expect(stored).toBe(1);
  });
});

describe("ops without a lane", () => {
  test("open a session with start, and are all or nothing", async () => {
    const world = new World();
    await expect(world.client.record([event(NOON, "x")])).rejects.toMatchObject({
      code: "not_found",
    });
    await world.client.record([start()], { writer: { machine_id: "m", hostname: "h" } });
    await expect(
      world.client.record([
        event(NOON, "x"),
        state(NOON, JSON.parse('{"a":'.repeat(80) + "1" + "}".repeat(80))),
      ]),
    ).rejects.toMatchObject({ code: "too_deep" });
    await world.client.record([event(NOON, "y")]);
    const summary = await world.client.ask("summary");
    expect(summary).toMatchObject({
      machine_id: "m",
      hostname: "h",
      counts: { events: 1 },
      ledger: { accepted: 2, stored: 2 },
    });
  });
});

test("asking for a session that never was leaves nothing behind", async () => {
  const world = new World();
  for (const asking of [
    () => world.client.ask("summary"),
    () => world.client.ask("state"),
    () => world.client.ask("events"),
    () => world.client.ask("charts"),
    () => world.client.stream({ kind: "legacy" }),
    () => world.client.stream({ kind: "lines" }),
    () => world.client.erase(),
    () => world.client.publish(),
    () => world.client.ask("pathHistory", { path: ["a"] }),
  ])
    await expect(asking()).rejects.toMatchObject({ code: "not_found" });
  expect(
    await world.sql("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'"),
  ).toEqual([]);
  expect(await world.alarmAt()).toBeNull();
  expect(
    await env.CATALOG.prepare("SELECT count(*) AS n FROM sessions WHERE id = ?")
      .bind(world.id)
      .first("n"),
  ).toBe(0);
});

test("a time from the future does not freeze the clock, the verdict or the last change", async () => {
  const world = new World();
  const now = Date.now();
  await world.send([
    start(now),
    state(now + 1e12, { a: 1 }),
    { op: "heartbeat", at: now + 1e12 },
    state(now, { b: 1 }),
  ]);
  const { updated_at, verdict } = await world.client.ask("summary");
  expect(updated_at).toBeLessThanOrEqual(Date.now());
  expect(verdict.status).toBe("active");
  expect((await world.client.ask("state", { at: Date.now() })).state).toEqual({ a: 1, b: 1 });
});

test("a session that opens in the future, and points from there, do not hide its crash", async () => {
  const world = new World();
  const now = Date.now();
  const dt = [0, 1e11];
  await world.send([
    start(now + 1e12),
    { op: "points", at: now, type: "gauge", name: "fps", dt, values: [1, 2] },
  ]);
  await world.send([{ op: "crash", at: Date.now(), reason: "killed" }]);
  const { created_at, updated_at, verdict } = await world.client.ask("summary");
  expect(verdict.status).toBe("crashed");
  expect(Math.max(created_at, updated_at)).toBeLessThanOrEqual(Date.now());
});
