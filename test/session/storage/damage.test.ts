/** Damage of any stored part of a session costs that part, is named, and nothing else. A file that SQLite cannot read: test/daemon/serve/damage.test.ts. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { DamagedPart } from "../../../src/core/answers/damage.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import { type SessionFilter, stateFilter } from "../../../src/catalog/search/filter.ts";
import { listSessions } from "../../../src/catalog/search/sessions.ts";
import { SERVER } from "../../../src/core/access/authority.ts";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import { askHeld, sessionOf } from "../../../src/session/client.ts";
import { reindexSessions } from "../../../src/session/publication/reindex.ts";
import { server } from "../../api/server.ts";
import { bulky, event, gauge, heartbeat, NOON, start, state, World } from "../world.ts";

const ask = server();

/** Five segments, four of them sealed: the changes of `a` from 0 to 9 in pairs, with their events and points. */
async function recorded(): Promise<World> {
  const world = new World();
  await world.send([start()]);
  for (let i = 0; i < 10; i++) {
    const at = NOON + i * 1_000;
    const full = i % 2 === 1 && i < 9 ? [bulky(at, SEGMENT_BYTES), bulky(at, SEGMENT_BYTES)] : [];
    await world.send([
      state(at, { a: i }),
      event(at, `event-${i}`),
      gauge(at, "fps", i),
      heartbeat(at),
      ...full,
    ]);
  }
  expect((await world.segments()).map(({ sealed }) => sealed)).toEqual([1, 1, 1, 1, 0]);
  return world;
}

type Harm = "flip" | "zero" | "cut" | "empty" | "text";
const HARMS: Harm[] = ["flip", "zero", "cut", "empty", "text"];

/** Damages a column of a segment through SQL as a disk would, at a place from 0 to 1. */
async function harm(world: World, id: number, column: string, how: Harm = "flip", place = 0.5) {
  const [row] = await world.sql<{ hex: string }>(
    `SELECT hex(${column}) AS hex FROM segments WHERE id = ?`,
    id,
  );
  const bytes = Uint8Array.from(row?.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const at = Math.min(bytes.length - 1, Math.floor(place * bytes.length));
  if (how === "flip") bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  // At least four bytes: the last one of deflated bytes may be zero already.
  if (how === "zero") bytes.fill(0, Math.min(at, bytes.length - 4), at + 4_096);
  const kept = how === "cut" ? bytes.slice(0, at) : how === "empty" ? new Uint8Array() : bytes;
  const value = how === "text" ? "not a blob" : kept.buffer;
  await world.sql(`UPDATE segments SET ${column} = ? WHERE id = ?`, value, id);
}

const PART = {
  body: "log",
  session_index: "index",
  keyframe: "state",
  summary: "summary",
} as const;
const COLUMNS = ["body", "session_index", "keyframe", "summary"] as const;

const values = async (world: World) =>
  (await world.client.ask("history", { limit: 100 })).items.map(({ patch }) => patch["a"]);

const partsOf = ({ damaged = [] }: Summary) =>
  damaged.map(({ segment, part }: DamagedPart) => `${segment} ${part}`);

/** Asks everything that can be asked, and returns the summary, which names the damage that the others met. */
async function askAll(world: World): Promise<Summary> {
  const { client } = world;
  const [summary] = await Promise.all([
    client.ask("summary"),
    client.ask("state"),
    client.ask("state", { at: NOON + 2_500 }),
    client.ask("state", { seq: 7 }),
    client.ask("diff", { from: { at: NOON }, to: { at: NOON + 5_500 } }),
    client.ask("history", { limit: 100 }),
    client.ask("pathHistory", { path: ["a"], order: "desc" }),
    client.ask("stateCharts", { limit: 10, points: 100 }),
    client.ask("events", { limit: 100 }),
    client.ask("events", { name: "event-3", order: "desc" }),
    client.ask("eventCounts"),
    client.ask("series"),
    client.ask("charts", { name: "fps" }),
    client.ask("charts", { name: "fps", points: 3 }),
    client.ask("timeline"),
    client.ask("held", { state: { path: ["a"], texts: ["=99"] } }),
  ]);
  const lines = (await new Response(await client.stream({ kind: "lines" })).text())
    .trim()
    .split("\n");
  for (const line of lines) JSON.parse(line);
  await new Response(await client.stream({ kind: "legacy" })).json();
  return summary;
}

type Stored = { [column: string]: SqlStorageValue };

describe("any damage of one part of one segment", () => {
  test(
    "is answered with everything else, is named, and never fails",
    { timeout: 120_000 },
    async () => {
      const world = await recorded();
      const before = await world.client.ask("events", { limit: 100 });
      const rows = await world.sql<Stored>("SELECT * FROM segments");
      for (let n = 0; n < 48; n++) {
        const id = 1 + (n % 5);
        const column = COLUMNS[n % COLUMNS.length] ?? "body";
        const how = HARMS[Math.floor(n / 4) % HARMS.length] ?? "flip";
        const place = Math.random();
        if (column === "summary" && id === 5) continue; // the open one has none
        await world.evict();
        await harm(world, id, column, how, place);
        const what = `${how} ${column} of ${id} at ${place}`;

        const summary = await askAll(world);
        expect(partsOf(summary), what).toEqual([`${id} ${PART[column]}`]);
        expect([summary.product, summary.damaged_segments], what).toEqual(["game", 1]);
        const { accepted, stored, dropped } = summary.ledger;
        expect(accepted - stored, what).toBe(dropped["damaged"] ?? 0);
        const { items } = await world.client.ask("events", { limit: 100 });
        const lost = column === "body" ? items.length : before.items.length;
        expect(items.length, what).toBe(lost);
        for (const item of items) expect(before.items, what).toContainEqual(item);
        if (column !== "body")
          expect(await values(world), what).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // An intact session again.
        await world.evict();
        await world.sql("DROP TABLE damage");
        await world.sql("DELETE FROM segments");
        for (const row of rows)
          await world.sql(
            `INSERT INTO segments (${Object.keys(row).join()}) VALUES (${Object.keys(row)
              .map(() => "?")
              .join()})`,
            ...Object.values(row),
          );
      }
      await world.evict();
      expect((await askAll(world)).damaged).toBeUndefined();
    },
  );

  test.each(COLUMNS)(
    "of its %s stays named after the object slept, and in the catalog",
    async (column) => {
      const world = await recorded();
      await world.client.publish();
      await world.evict();
      await harm(world, 2, column);
      await askAll(world);
      await world.ring();
      expect(await world.catalogued()).toMatchObject({ damaged: 1 });
      await world.evict();
      expect(partsOf(await world.client.ask("summary"))).toEqual([`2 ${PART[column]}`]);
    },
  );

  test.each(COLUMNS)(
    "of its %s does not harm what is recorded afterwards, nor a refused batch",
    async (column) => {
      const world = await recorded();
      await world.evict();
      await harm(world, column === "summary" ? 4 : 5, column);
      // Without its index a gap is expected once.
      if (column !== "session_index") {
        const refused = await world.send([state(NOON, { a: 99 })], { first: 1_000 });
        expect(refused).toMatchObject({ error: { code: "lane_gap" } });
      }
      expect(await world.send([], {})).not.toHaveProperty("error"); // only the index is written
      await world.ring();
      expect(await world.send([state(NOON + 20_000, { a: 10 })])).not.toHaveProperty("error");
      await world.evict();
      expect((await values(world)).at(-1)).toBe(10);
      expect((await world.client.ask("state")).state).toMatchObject({ a: 10 });
      expect((await world.client.ask("summary")).ledger.dropped).not.toHaveProperty("refused");
    },
  );

  test.each(COLUMNS)("of its %s does not keep the session from being deleted", async (column) => {
    const world = await recorded();
    await world.evict();
    await harm(world, 4, column, "zero", 0);
    expect(await world.client.erase()).toMatchObject({ id: world.id });
    await expect(world.client.ask("summary")).rejects.toMatchObject({ code: "gone" });
  });
});

test("numbers of a row that changed are taken from its neighbours", async () => {
  for (const [column, value] of [
    ["sealed", 0],
    ["from_at", 9e15],
    ["from_at", 0],
    ["first_seq", 1e9],
    ["last_seq", 0],
  ] as const) {
    const world = await recorded();
    await world.evict();
    await world.sql(`UPDATE segments SET ${column} = ? WHERE id = 3`, value);
    const four = await world.client.ask("state", { at: NOON + 4_500 });
    expect(four).toMatchObject({ state: { a: 4 }, damaged: [{ segment: 3, part: "numbers" }] });
    expect((await world.client.ask("state", { at: NOON + 6_500 })).state).toEqual({ a: 6 });
    expect(await values(world)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const page = await world.client.ask("events", { limit: 5 });
    expect(
      (await world.client.ask("events", { limit: 100, cursor: page.next ?? "" })).items,
    ).toHaveLength(13);
    expect(partsOf(await world.client.ask("summary"))).toEqual(["3 numbers"]);
  }
});

test("a list of the API, which cannot name the damage, counts it in a header", async () => {
  const world = await recorded();
  await world.evict();
  const answered = async (what: string) => {
    const { status, headers } = await ask(`/api/sessions/${world.id}/${what}`);
    return [status, headers.get("datacat-damaged")];
  };
  expect(await answered("metrics/fps")).toEqual([200, null]);
  await world.evict();
  await harm(world, 2, "body");
  // The first question that reads the segment finds it.
  for (const what of ["metrics/fps", "metrics", "events/counts"])
    expect(await answered(what), what).toEqual([200, "1"]);
  expect(await answered("metrics/other")).toEqual([404, "1"]);
});

test("a row that is missing is named, and what it held is not there", async () => {
  const world = await recorded();
  await world.evict();
  await world.sql("DELETE FROM segments WHERE id = 3");
  expect(await values(world)).toEqual([0, 1, 2, 3, 6, 7, 8, 9]);
  expect(partsOf(await askAll(world))).toEqual(["3 segment"]);
});

test("a search asks a damaged session whose catalog list counts as complete, and marks it if what it asks for may be lost", async () => {
  const world = new World();
  await world.send([start()]);
  await world.client.publish();
  await world.send([event(NOON, "here"), gauge(NOON, "fps", 60), state(NOON, { a: { b: 1 } })]);
  const search = async (filter: SessionFilter) => {
    const { items, partial } = await listSessions(env.CATALOG, filter, askHeld(env, SERVER));
    const row = items.find(({ id }) => id === world.id);
    if (row?.unsure) expect(partial).toBe(true);
    return row ? (row.unsure ? "maybe" : "found") : "none";
  };
  await world.evict();
  await harm(world, 1, "session_index", "zero", 0);
  await world.client.ask("summary");
  await world.ring();
  expect(await world.catalogued()).toMatchObject({ damaged: 1 });
  // The next publication of the details is not due; a restored list has lost the names of series.
  const own = "(SELECT key FROM sessions WHERE id = ?)";
  await env.CATALOG.prepare(`UPDATE details SET events = NULL WHERE key = ${own}`)
    .bind(world.id)
    .run();
  expect(await search({ event: "here" })).toBe("found");
  expect(await search({ state: stateFilter(["a", "b"], "1") })).toBe("found");
  expect(await search({ metric: "fps" })).toBe("maybe");
  expect(await search({ event: "lost" })).toBe("maybe");
  expect(await search({ event: "here", tag: "lost" })).toBe("maybe");

  await world.evict();
  for (const column of ["body", "session_index", "keyframe"]) await harm(world, 1, column, "empty");
  for (const filter of [{ event: "lost" }, { metric: "lost" }, { tag: "lost" }])
    expect(await search(filter)).toBe("maybe");
});

test("the index of the newest segment is counted again from its log", async () => {
  const world = await recorded();
  const before = await world.client.ask("summary");
  await world.evict();
  await harm(world, 5, "session_index");
  const { counts, ledger, lanes } = await world.client.ask("summary");
  expect(counts).toEqual(before.counts);
  expect(ledger).toEqual({ ...before.ledger, accepted: ledger.accepted });
  expect(lanes).toHaveLength(1);
  expect((await world.client.ask("state")).state).toEqual({ a: 9 });
  expect((await world.client.ask("series")).map(({ points, max }) => [points, max])).toEqual([
    [10, 9],
  ]);

  // Its sender had an answer that all was stored, and goes on from there. Only the start, an end and the like would be lost.
  const { applied } = before.lanes[0] ?? { applied: 0 };
  expect(await world.send([state(NOON + 20_000, { b: 1 })], { first: applied + 1 })).toMatchObject({
    applied: applied + 1,
  });
  await world.evict();
  const after = await world.client.ask("summary");
  expect((await world.client.ask("state")).state).toEqual({ a: 9, b: 1 });
  expect(after.counts).toEqual({ ...before.counts, states: before.counts.states + 1 });
  expect(after.ledger).toEqual({
    accepted: before.ledger.accepted + 1,
    stored: before.ledger.accepted + 1,
    dropped: {},
  });
  // Only once: the next gap is refused.
  expect(await world.send([state(NOON, { c: 1 })], { first: 99 })).toMatchObject({
    error: { code: "lane_gap" },
  });
});

test("a lane that was only in a segment without index and log is taken from where its sender is", async () => {
  const world = await recorded();
  await world.send([start(), start(), start()], { lane: "late" });
  await world.evict();
  await harm(world, 5, "session_index");
  await harm(world, 5, "body", "empty");
  expect(
    await world.send([state(NOON + 30_000, { late: true })], { lane: "late", first: 4 }),
  ).toMatchObject({ applied: 4 });
  expect((await world.client.ask("summary")).ledger.dropped).toEqual({ damaged: 3 });
});

async function lost(): Promise<World> {
  const world = new World();
  await world.send([start(), state(NOON, { a: 1 })]);
  await world.client.publish();
  await world.evict();
  for (const column of ["body", "session_index", "keyframe"]) await harm(world, 1, column);
  await harm(world, 1, "body", "empty");
  return world;
}

test("with everything damaged the session is still there, as the catalog has it, and can be sent again", async () => {
  const world = await lost();
  const summary = await askAll(world);
  expect(summary).toMatchObject({
    id: world.id,
    product: "game",
    version: "1.0",
    created_at: NOON,
  });
  expect(summary.damaged).toEqual([{ part: "storage", segment: null }]);
  expect(await world.send([state(NOON, { b: 2 })], { first: 3 })).toMatchObject({ applied: 3 });
  await world.evict();
  expect((await world.client.ask("state")).state).toEqual({ b: 2 });
  expect((await world.client.ask("summary")).ledger).toEqual({
    accepted: 3,
    stored: 1,
    dropped: { damaged: 2 },
  });
});

test("a listed session of which nothing is stored is there, too, and can be deleted", async () => {
  const world = new World();
  await world.send([start(), state(NOON, { a: 1 })]);
  await world.client.publish();
  await world.sql("DROP TABLE segments");
  await world.evict();
  const summary = await askAll(world);
  expect(summary).toMatchObject({ id: world.id, product: "game", segments: 0 });
  expect(summary.damaged).toEqual([{ part: "storage", segment: null }]);
  const reader = { kind: "read", product: "game" } as const;
  const ofProduct = sessionOf(env, reader, world.id).ask("summary");
  await expect(ofProduct).rejects.toMatchObject({ code: "not_found" });
  // Also after the catalog was lost: the roster has its product and its start.
  await env.CATALOG.prepare("DELETE FROM sessions WHERE id = ?").bind(world.id).run();
  expect(await world.client.ask("summary")).toMatchObject({ product: "game", created_at: NOON });
  expect(await world.catalogued()).toMatchObject({ damaged: 1 });
  expect((await reindexSessions(env, [world.id])).done).toEqual([world.id]);
  expect((await world.client.erase()).catalog_rows).toBeGreaterThan(0);
  expect(await world.catalogued()).toBeNull();
  await expect(world.client.ask("summary")).rejects.toMatchObject({ code: "not_found" });
});

test("with everything damaged a key for one product is refused, since the owner is not known", async () => {
  const world = await lost();
  const key = { kind: "ingest", product: "game" } as const;
  const batches = [world.batch([state(NOON, { b: 2 })])];
  const { results } = await sessionOf(env, key, world.id).ingest(JSON.stringify({ batches }));
  expect(results).toMatchObject([{ error: { code: "forbidden" } }]);
  const reader = { kind: "read", product: "game" } as const;
  await expect(sessionOf(env, reader, world.id).ask("summary")).rejects.toMatchObject({
    code: "forbidden",
  });
  expect(await world.segments()).toHaveLength(1);
});

test("a session of which only the log is left is known by it, its owner too", async () => {
  const world = new World();
  await world.send([
    start(),
    state(NOON, { a: 1 }),
    event(NOON + 5, "here"),
    gauge(NOON + 6, "fps", 60),
  ]);
  await world.evict();
  await harm(world, 1, "session_index", "zero", 0);
  const reader = { kind: "read", product: "game" } as const;
  const summary = await sessionOf(env, reader, world.id).ask("summary");
  expect(summary).toMatchObject({ product: "game", version: "1.0", created_at: NOON });
  expect(summary.counts).toMatchObject({ states: 1, events: 1, points: 1 });
  expect(await world.client.ask("series")).toMatchObject([
    { name: "(damaged name of series 0)", last: 60 },
  ]);
});
