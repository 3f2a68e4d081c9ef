import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import {
  type SessionFilter,
  stateFilter,
  UNPUBLISHED,
} from "../../../src/catalog/search/filter.ts";
import { unpackedAll } from "../../../src/catalog/tables/details.ts";
import { TOKEN } from "../../../src/catalog/tables/posting.ts";
import { sessionFigures } from "../../../src/catalog/figures.ts";
import { metricNames } from "../../../src/catalog/metrics.ts";
import { listSessions } from "../../../src/catalog/search/sessions.ts";
import { withQuery } from "../../../src/catalog/search/written.ts";
import { SERVER } from "../../../src/core/access/authority.ts";
import { POSTING_MS, PUBLISH_MS } from "../../../src/core/limits.ts";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { askHeld } from "../../../src/session/client.ts";
import { rowsOfDay } from "../../../src/registry/usage.ts";
import { heartbeat, event, gauge, NOON, start, state, World } from "../world.ts";

/** The lists of a session in the catalog; null if it has none. */
async function lists(id: string) {
  const names = ["events", "exceptions", "state", "figures", "rollups"] as const;
  const row = await env.CATALOG.prepare(
    `SELECT ${names.map((name) => `json(${name}) AS ${name}`).join()} FROM details
     WHERE key IN (SELECT rowid FROM postings WHERE postings MATCH ?)`,
  )
    .bind(TOKEN.id(id))
    .first<Record<(typeof names)[number], string | null>>();
  return (
    row && {
      events: unpackedAll("events", row.events),
      exceptions: unpackedAll("exceptions", row.exceptions),
      state: unpackedAll("state", row.state),
      figures: unpackedAll("figures", row.figures),
      rollups: JSON.parse(row.rollups ?? "{}") as { [key: string]: unknown[][] },
    }
  );
}

const published = (world: World, row: object) =>
  expect.poll(() => world.catalogued(), { timeout: 10_000 }).toMatchObject(row);

async function whole(): Promise<World> {
  const world = new World();
  await world.send(
    [
      { op: "start", at: NOON, product: "game", version: "1.0", tags: ["nightly"] },
      state(NOON, { mode: "menu" }),
      state(NOON + 10, { mode: "play", level: 3 }),
      event(NOON, "door", { message: "creaks" }),
      event(NOON, "exception", { exception_type: "KeyError", exception_msg: "brass" }),
      gauge(NOON, "fps", 60),
      heartbeat(NOON),
      gauge(NOON + 1_000, "fps", 30),
      { op: "end", at: NOON + 2_000, exit_code: 0 },
    ],
    { writer: { machine_id: "m-1", boot_id: "b-1", hostname: "workshop" } },
  );
  return world;
}

test("the catalog gets all that it holds of a session", async () => {
  const world = await whole();
  await published(world, {
    product: "game",
    version: "1.0",
    tags: '["nightly"]',
    machine_id: "m-1",
    hostname: "workshop",
    status: "ended",
    is_open: 0,
    created_at: NOON,
    ended_at: NOON + 2_000,
    states: 2,
    events: 2,
    exceptions: 1,
    points: 2,
    series: 1,
    exit_code: 0,
    revision: 9,
    headline: "Ended with exit code 0",
  });
  const { events, exceptions, state: values, figures, rollups } = (await lists(world.id)) ?? {};
  expect(figures).toMatchObject([
    { name: "fps", type: "gauge", points: 2, sum: 90, min: 30, max: 60, first: 60, last: 30 },
  ]);
  expect(Object.values(rollups ?? {})).toMatchObject([
    [[0, { sketch: [60, 30] }, { step_ms: expect.any(Number) }, expect.any(Object)]],
  ]);
  expect(events).toMatchObject([
    { name: "door", category: "info", count: 1 },
    { name: "exception", category: "error", count: 1 },
  ]);
  expect(exceptions).toMatchObject([{ type: "KeyError", message: "brass", count: 1 }]);
  expect(values).toMatchObject([
    { path: "mode", value: '"menu', first_at: NOON, last_at: NOON + 10 },
    { path: "mode", value: '"play', last_at: null },
    { path: "level", value: "=3", last_at: null },
  ]);
});

test("publishing again writes nothing that is the same already", async () => {
  const world = await whole();
  await published(world, { status: "ended" });
  const before = [await world.catalogued(), await lists(world.id)];
  for (let i = 0; i < 3; i++) {
    await world.client.publish();
    await world.evict();
  }
  expect([await world.catalogued(), await lists(world.id)]).toEqual(before);
});

test("the day's usage counts each row that was written once", async () => {
  const before = await rowsOfDay(env.REGISTRY, Date.now());
  const world = await whole();
  await published(world, { status: "ended" });
  await world.client.publish();
  const after = await rowsOfDay(env.REGISTRY, Date.now());
  expect(after.object_rows - before.object_rows).toBeGreaterThanOrEqual(2); // a batch, an alarm
  expect(after.d1_rows - before.d1_rows).toBeGreaterThan(6); // roster, row, posting, lists, day, exception, usage
  for (let i = 0; i < 3; i++) {
    await world.client.publish();
    await world.evict();
  }
  expect(await rowsOfDay(env.REGISTRY, Date.now())).toEqual(after);
});

test("a session of steady metrics costs the catalog at most a row in four seconds", async () => {
  const world = new World();
  await world.send([start(Date.now())], { lease_ms: 60_000 });
  await published(world, { status: "active" });
  const before = await rowsOfDay(env.REGISTRY, Date.now());
  // What 30 s bring: one batch a second, and a publication at their end.
  await runInDurableObject(world.stub, async (session) => {
    for (let i = 0; i < 30; i++) {
      const at = Date.now();
      const ops = Array.from({ length: 10 }, (_, n) => gauge(at, `metric-${n}`, i));
      const batches = [world.batch(ops, { lease_ms: 60_000 })];
      world.note(JSON.parse(await session.ingest(SERVER, JSON.stringify({ batches }))));
    }
    await session.alarm();
  });
  await world.send([{ op: "end", at: Date.now() }]);
  await published(world, { status: "ended" });
  await world.ring();
  const after = await rowsOfDay(env.REGISTRY, Date.now());
  const atStartAndEnd = 12;
  const names = 10;
  expect(after.d1_rows - before.d1_rows).toBeLessThanOrEqual(30 * 0.25 + atStartAndEnd + names);
});

describe("while the catalog does not answer", () => {
  test("the session goes on, and the catalog catches up", async () => {
    const world = new World();
    await env.CATALOG.exec("ALTER TABLE sessions RENAME TO sessions_gone");
    try {
      await world.send([start(), state(NOON, { a: 1 })], { lease_ms: 60_000 });
      expect(await world.ring().catch(() => true)).toBeTypeOf("boolean");
      expect(await world.send([state(NOON + 1, { a: 2 })], { lease_ms: 60_000 })).toMatchObject({
        applied: 3,
      });
      expect((await world.client.ask("state")).state).toEqual({ a: 2 });
      await expect(world.client.publish()).rejects.toMatchObject({ code: "unavailable" });
      // It tries again by itself, later each time, and not in a busy loop.
      const due = (await world.alarmAt()) ?? 0;
      expect(due).toBeGreaterThan(Date.now() + 1_000);
      expect(due).toBeLessThan(Date.now() + 61_000);
      await expect(world.client.erase()).rejects.toMatchObject({ code: "unavailable" });
      expect((await world.client.ask("state")).state).toEqual({ a: 2 });
    } finally {
      await env.CATALOG.exec("ALTER TABLE sessions_gone RENAME TO sessions");
    }
    await runInDurableObject(world.stub, async (session) => {
      await session.publish(SERVER);
    });
    expect(await world.catalogued()).toMatchObject({ states: 2 });
  });

  test("an evicted session catches up too", async () => {
    const world = new World();
    await env.CATALOG.exec("ALTER TABLE sessions RENAME TO sessions_gone");
    try {
      await world.send([start(), state(NOON, { a: 1 })], { lease_ms: 60_000 });
      await world.ring().catch(() => true);
      await world.evict();
    } finally {
      await env.CATALOG.exec("ALTER TABLE sessions_gone RENAME TO sessions");
    }
    await world.ring();
    await published(world, { states: 1 });
  });
});

test("a lost catalog is made anew from the objects", async () => {
  const worlds = [await whole(), await whole()];
  for (const world of worlds) await published(world, { status: "ended" });
  const contents = () =>
    Promise.all(worlds.map(async ({ id }, n) => [await worlds[n]?.catalogued(), await lists(id)]));
  const before = await contents();
  for (const table of ["sessions", "postings", "details", "version_days", "exception_groups"])
    await env.CATALOG.exec(`DELETE FROM ${table}`);
  await worlds[0]?.evict();
  for (const world of worlds) await world.client.publish();
  expect(await contents()).toEqual(before);
});

describe("a deleted session", () => {
  test("is gone from object and catalog, with a receipt, and takes nothing any more", async () => {
    const world = await whole();
    await published(world, { status: "ended" });
    expect(await world.client.erase()).toMatchObject({
      id: world.id,
      segments: 1,
      states: 2,
      events: 2,
      points: 2,
      catalog_rows: expect.any(Number),
      bytes: expect.any(Number),
    });
    const gone = { code: "gone" };
    for (const asking of [
      () => world.client.ask("summary"),
      () => world.client.ask("state"),
      () => world.client.stream({ kind: "lines" }),
      () => world.client.erase(),
      () => world.client.publish(),
    ])
      await expect(asking()).rejects.toMatchObject(gone);
    await world.evict();
    expect(await world.send([state(NOON, { a: 1 })])).toMatchObject({ error: gone });
    expect(await world.send([start()], { lane: "new" })).toMatchObject({ applied: 0, error: gone });
    await expect(world.client.record([start()])).rejects.toMatchObject(gone);
    expect(await world.catalogued()).toBeNull();
    expect(await lists(world.id)).toBeNull();
    expect(await world.alarmAt()).toBeNull();
    const tables = await world.sql<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
    );
    expect(tables).toEqual([{ name: "tombstone" }]);
  });

  test("is not brought back by a publication that was on its way", async () => {
    for (let i = 0; i < 5; i++) {
      const world = await whole();
      await Promise.all(
        [world.ring(), world.client.publish(), world.client.erase()].map((one) =>
          one.catch(() => null),
        ),
      );
      await expect.poll(() => world.alarmAt()).toBeNull();
      await scheduler.wait(50);
      expect(await world.catalogued()).toBeNull();
    }
  });
});

test("what is published later than the session's row is asked of the object", async () => {
  const world = new World();
  const names = Array.from({ length: 20 }, (_, n) => event(NOON + n, `first-${n}`));
  await world.send([start(), ...names, gauge(NOON, "fps", 60), state(NOON, { mode: "menu" })]);
  await world.client.publish();
  // The row is published PUBLISH_MS later, without the lists: those were a moment ago.
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  await world.send([
    event(NOON + 30, "later"),
    gauge(NOON + 30, "late_fps", 60),
    state(NOON + 30, { late: 1 }),
  ]);
  vi.setSystemTime(Date.now() + PUBLISH_MS);
  await world.ring();
  expect(await world.catalogued()).toMatchObject({ events: 21, left_out: UNPUBLISHED });
  const held = askHeld(env, SERVER);
  const search = async (filter: SessionFilter) => {
    const { items, partial } = await listSessions(env.CATALOG, filter, held);
    return [items.map(({ id }) => id), partial];
  };
  expect((await lists(world.id))?.events).toHaveLength(20);
  expect(await search({ event: "later" })).toEqual([[world.id], false]);
  expect(await search({ metric: "late_fps" })).toEqual([[world.id], false]);
  expect(await search({ state: stateFilter(["late"], "1") })).toEqual([[world.id], false]);
  expect(await search({ event: "never" })).toEqual([[], false]);
  await world.client.publish();
  expect(await world.catalogued()).toMatchObject({ left_out: 0 });
});

test("a list gives the time after which a running session may not have published yet", async () => {
  const to = async (filter: SessionFilter) =>
    (await listSessions(env.CATALOG, filter)).published_to;
  const before = Date.now() - PUBLISH_MS;
  expect(await to({})).toBeGreaterThanOrEqual(before);
  // A session that started before may record the event only now.
  expect(await to({ to: NOON, event: "e" })).toBeGreaterThanOrEqual(before);
  expect(await to({ to: NOON })).toBeNull();
});

test("figures of series are those of some minutes ago", async () => {
  const before = () => Date.now() - POSTING_MS;
  const lists = [
    await listSessions(env.CATALOG, withQuery({}, "metric.fps.mean:>30", NOON)),
    await listSessions(env.CATALOG, { sort: "metric.fps.mean" }),
    await listSessions(env.CATALOG, { sort: "state.level", to: NOON }),
    await sessionFigures(env.CATALOG, { to: NOON }, { names: ["fps"], limit: 1 }),
    await metricNames(env.CATALOG),
  ];
  for (const { published_to } of lists) expect(published_to).toBeLessThanOrEqual(before());
  expect((await listSessions(env.CATALOG, { sort: "events" })).published_to).toBeGreaterThan(
    before(),
  );
});
