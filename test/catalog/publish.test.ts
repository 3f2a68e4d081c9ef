import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { removeSession, publish } from "../../src/catalog/publish.ts";
import { PARAMETER_LENGTH } from "../../src/catalog/limits.ts";
import { listSessions } from "../../src/catalog/sessions.ts";
import { MAX_BATCHES } from "../../src/core/limits.ts";
import { eventCount, exception, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const all = async (sql: string, ...values: unknown[]) =>
  (
    await db
      .prepare(sql)
      .bind(...values)
      .all()
  ).results;

/** Everything in the catalog, to compare. */
async function contents(): Promise<Record<string, unknown[]>> {
  const tables = [
    "sessions",
    "metrics",
    "event_counts",
    "exceptions",
    "exception_groups",
    "exception_days",
    "state_values",
    "versions",
    "version_days",
  ];
  return Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, await all(`SELECT * FROM ${table}`)])),
  );
}

const full = (id: string, revision: number, changes: object = {}) =>
  publication(id, {
    session: { revision, ...changes },
    metrics: [metric("fps", { points: revision })],
    event_counts: [eventCount("door_opened", { count: revision })],
    exceptions: [exception("f1", { count: revision, last_at: NOON + revision })],
    state_values: [{ path: "level", value: "=3", first_at: NOON, last_at: null }],
  });

test("a publication sent twice writes nothing the second time", async () => {
  expect(await publish(db, full("twice", 5))).toBeGreaterThan(0);
  const before = await contents();
  expect(await publish(db, full("twice", 5))).toBe(0);
  expect(await contents()).toEqual(before);
});

test("an older publication changes nothing", async () => {
  await publish(db, full("late", 5));
  const before = await contents();
  expect(await publish(db, full("late", 4, { status: "crashed", product: "other" }))).toBe(0);
  expect(await contents()).toEqual(before);
});

test("publications in any order end as the newest one alone", async () => {
  const steps = [
    full("order", 1),
    full("order", 2, { status: "hung", ever_hung: true }),
    full("order", 3, {
      status: "active",
      ever_hung: true,
      version: "1.1",
      created_at: NOON - 86_400_000,
    }),
    full("order", 4, {
      status: "crashed",
      is_open: false,
      ever_hung: true,
      version: "1.1",
      created_at: NOON - 86_400_000,
      ended_at: NOON + 9,
    }),
  ];
  await removeSession(db, "order");
  for (const step of steps.slice(-1)) await publish(db, step);
  const expected = await contents();
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 3],
  ]) {
    await removeSession(db, "order");
    for (const index of order) if (steps[index]) await publish(db, steps[index]);
    expect(visible(await contents())).toEqual(visible(expected));
  }
});

test("sessions published together are stored as if each was published alone", async () => {
  const ids = Array.from({ length: MAX_BATCHES }, (_, n) => `together-${n}`);
  const step = (id: string, n: number, revision: number) =>
    publication(id, {
      session: {
        revision,
        version: `1.${(n + revision) % 3}`,
        status: n % 4 === 0 && revision === 2 ? "crashed" : "active",
        created_at: NOON + n,
      },
      metrics: [metric("fps", { points: n })],
      event_counts: [eventCount("door_opened", { count: n })],
      exceptions:
        n % 2 === 0
          ? [exception(`f${n % 3}`, { count: n + 1, last_at: NOON + n, first_seq: n })]
          : [],
      state_values: [{ path: "level", value: `=${n}`, first_at: NOON, last_at: null }],
    });
  const history = [1, 2].map((revision) => ids.map((id, n) => step(id, n, revision)));

  for (const one of history.flat()) await publish(db, one);
  const alone = visible(await contents());
  for (const id of ids) await removeSession(db, id);
  for (const some of history) await publish(db, ...some);
  expect(visible(await contents())).toEqual(alone);

  // Older ones among newer ones change nothing, and the newer ones are written.
  const mixed = ids.map((id, n) => step(id, n, n % 2 === 0 ? 1 : 2));
  expect(await publish(db, ...mixed)).toBe(0);
  for (const id of ids) await removeSession(db, id);
});

test("sessions whose rows exceed a parameter are published together too", async () => {
  const message = "x".repeat(PARAMETER_LENGTH / 4);
  const wide = Array.from({ length: 9 }, (_, n) =>
    publication(`long-${n}`, { exceptions: [exception("long", { message })] }),
  );
  await publish(db, ...wide);
  expect(await publish(db, ...wide)).toBe(0);
  expect(await all("SELECT sessions FROM exception_groups WHERE fingerprint = 'long'")).toEqual([
    { sessions: 9 },
  ]);
  for (const { session } of wide) await removeSession(db, session.id);
});

/** Without counts of 0, which no page shows and the next sweep removes. */
function visible(tables: Record<string, unknown[]>) {
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [
      name,
      rows.filter(
        (row) => !(typeof row === "object" && row && "sessions" in row && row.sessions === 0),
      ),
    ]),
  );
}

test("a running session costs one row when only its counts move", async () => {
  await publish(db, publication("cheap", { session: { revision: 1 } }));
  expect(await publish(db, publication("cheap", { session: { revision: 2, points: 99 } }))).toBe(1);
});

test("removing a session leaves no row of it, and counts as if it had never existed", async () => {
  const before = await contents();
  await publish(db, full("gone", 3, { product: "private", version: "secret" }));
  await removeSession(db, "gone");
  expect(await contents()).toEqual(before);
  expect(await removeSession(db, "gone")).toBe(0);
});

test("what a session costs in rows: few to begin, one while it runs, few to end", async () => {
  const rows = async (revision: number, session: object, counts = 0) =>
    publish(
      db,
      publication("costs", {
        session: { revision, points: revision, ...session },
        metrics:
          counts > 0 ? [metric("fps", { points: counts }), metric("rss", { points: 1 })] : [],
      }),
    );
  expect(await rows(1, {})).toBeLessThanOrEqual(6); // itself, by id, by product, open; its version, its day
  expect(await rows(2, {}, 1)).toBe(5); // itself, and two series with their names
  expect(await rows(3, {}, 2)).toBe(2); // itself, and the series that went on
  expect(await rows(4, { status: "hung", ever_hung: true })).toBeLessThanOrEqual(5);
  expect(await rows(5, { status: "ended", is_open: false, ever_hung: true })).toBeLessThanOrEqual(
    5,
  );
});

test("names that no language allows are kept apart, or at least kept", async () => {
  const odd = [
    "",
    " ",
    "a\u0000b",
    "a\u0000c",
    "\ud800",
    "\u{1f600}",
    "'",
    '"',
    "%",
    "$.a",
    "\u202e",
    "x".repeat(256),
  ];
  const rows = publication("odd", {
    session: { product: "\u0000", version: "\udfff", headline: "\u0000" },
    metrics: odd.map((name, series) => metric(name, { series })),
    event_counts: odd.map((name) => eventCount(name)),
    exceptions: odd.map((name) => exception(`f${name}`)),
    state_values: odd.map((name) => ({
      path: name,
      value: `"${name}`,
      first_at: 1,
      last_at: null,
    })),
  });
  await publish(db, rows);
  expect(await publish(db, rows)).toBe(0);
  const { items } = await listSessions(db, {
    event: "\u{1f600}",
    state: { path: ["$", "a"], value: "$.a" },
  });
  expect(items.map((row) => row.id)).toEqual(["odd"]);
  await removeSession(db, "odd");
  expect(await all("SELECT count(*) AS n FROM metrics WHERE session_id = 'odd'")).toEqual([
    { n: 0 },
  ]);
});

test("numbers that JSON cannot carry do not stop a publication", async () => {
  const wild = metric("wild", { sum: Infinity, min: -Infinity, max: NaN });
  expect(await publish(db, publication("wild", { metrics: [wild] }))).toBeGreaterThan(0);
  expect(await all("SELECT sum, min, max FROM metrics WHERE session_id = 'wild'")).toEqual([
    { sum: Number.MAX_VALUE, min: -Number.MAX_VALUE, max: 0 },
  ]);
});

test("as many series as a session may have fit into one publication", async () => {
  const text = "x".repeat(4_000);
  const metrics = Array.from({ length: 1_000 }, (_, series) =>
    metric(`series-${series}`, { series, rollup: text, distribution: text }),
  );
  expect(await publish(db, publication("wide", { metrics }))).toBeGreaterThan(2_000);
  expect(await publish(db, publication("wide", { metrics }))).toBe(0);
});
