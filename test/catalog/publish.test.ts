import { env } from "cloudflare:workers";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { allRows, columnOf, type GroupDays } from "../../src/catalog/tables/details.ts";
import { keysOf } from "../../src/catalog/tables/key.ts";
import { MAX_GROUP_DAYS, PARAMETER_LENGTH } from "../../src/catalog/limits.ts";
import { TOKEN } from "../../src/catalog/tables/posting.ts";
import { listSessions } from "../../src/catalog/search/sessions.ts";
import { DAY_MS, MAX_BATCHES } from "../../src/core/limits.ts";
import { eventCount, exception, metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const all = async (sql: string, ...values: unknown[]) =>
  (
    await db
      .prepare(sql)
      .bind(...values)
      .all()
  ).results;

const keyOf = async (id: string) =>
  (await all("SELECT key FROM sessions WHERE id = ?1", id))[0]?.key as number;

/** The catalog, to compare: without how often a row was written, and without the names, which only a sweep removes. */
async function contents(): Promise<Record<string, unknown[]>> {
  const columns = {
    sessions: "*",
    details: DETAILS,
    more_rollups: "key, part, json(rollups) AS rollups",
    exception_groups: "*",
    version_days: "*",
    test_parts: "*",
    failed_tests: "*",
  };
  const tables = Object.entries(columns).map(
    async ([table, of]) => [table, await all(`SELECT ${of} FROM ${table}`)] as const,
  );
  const found: Record<string, unknown[]> = Object.fromEntries(await Promise.all(tables));
  found.sessions = (found.sessions as object[]).map((row) => ({ ...row, writes: 0 }));
  found.postings = await Promise.all(
    (found.sessions as { id: string }[]).map(({ id }) =>
      all("SELECT rowid AS key FROM postings WHERE postings MATCH ?1", TOKEN.id(id)),
    ),
  );
  return found;
}

const DETAILS = [
  "key, searched",
  ...["events", "exceptions", "state", "figures", "attachments", "tests", "texts", "rollups"].map(
    (list) => `json(${list}) AS ${list}`,
  ),
].join();

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
  const rows = (revision: number, session: object, counts = 0, scope: "row" | "all" = "all") =>
    publish(
      db,
      publication("costs", {
        scope,
        session: { revision, points: revision, ...session },
        metrics:
          scope === "all" && counts > 0
            ? [metric("costs-1", { points: counts }), metric("costs-2", { series: 2 })]
            : [],
        exceptions: revision === 6 ? [exception("f-costs")] : [],
      }),
    );
  expect(await rows(1, {})).toBe(3); // itself, its posting, its day
  expect(await rows(2, {}, 1)).toBe(5); // itself, its posting, its details, and two new names
  expect(await rows(3, {}, 2)).toBe(2); // itself, its details
  expect(await rows(4, {}, 2, "row")).toBe(1);
  expect(await rows(5, { status: "hung", ever_hung: true }, 2)).toBe(3); // itself, its posting, its day
  const over = { status: "ended", is_open: false, ever_hung: true };
  expect(await rows(6, over, 2)).toBe(5); // the same, its details, and its exception
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
  expect(await all("SELECT key FROM details WHERE key NOT IN (SELECT key FROM sessions)")).toEqual(
    [],
  );
});

test("numbers that JSON cannot carry do not stop a publication", async () => {
  const wild = metric("wild", { sum: Infinity, min: -Infinity, max: NaN });
  expect(await publish(db, publication("wild", { metrics: [wild] }))).toBeGreaterThan(0);
  const figures = (["sum", "min", "max"] as const).map((name) => columnOf("figures", name));
  const { sql } = new SQLiteAsyncDialect().sqlToQuery(allRows("figures"));
  expect(
    await all(
      `SELECT ${figures.join()} FROM details AS d CROSS JOIN ${sql} WHERE d.key = ?1`,
      await keyOf("wild"),
    ),
  ).toEqual([
    Object.fromEntries(
      figures.map((name, index) => [name, [Number.MAX_VALUE, -Number.MAX_VALUE, 0][index]]),
    ),
  ]);
});

test("as many series as a session may have fit into one publication", async () => {
  const text = JSON.stringify({ sketch: "x".repeat(4_000) });
  const metrics = Array.from({ length: 1_000 }, (_, series) =>
    metric(`series-${series}`, { series, rollup: text, distribution: text }),
  );
  expect(await publish(db, publication("wide", { metrics }))).toBeGreaterThan(1_000); // their names
  expect(await publish(db, publication("wide", { metrics }))).toBe(0);
  await removeSession(db, "wide");
});

test("sessions are stored in the order of their starts, however many start at once", async () => {
  const { first, last } = keysOf(NOON);
  const taken = Array.from({ length: last - first }, (_, slot) => first + slot);
  await publish(db, publication("first"));
  // All slots of a millisecond but one.
  const filled = await db
    .prepare(
      `INSERT OR IGNORE INTO sessions SELECT new.value, 'other-' || new.value, ${(
        await all("SELECT name FROM pragma_table_info('sessions')")
      )
        .map(({ name }) => `s.${String(name)}`)
        .slice(2)
        .join()} FROM json_each(?1) AS new CROSS JOIN sessions AS s WHERE s.id = 'first'`,
    )
    .bind(JSON.stringify(taken))
    .run();
  expect(filled.meta.rows_written).toBeGreaterThan(2_000);
  await publish(db, ...["second", "third", "fourth"].map((id) => publication(id)));
  const keys = await Promise.all(["first", "second", "third", "fourth"].map(keyOf));
  expect(new Set(keys).size).toBe(4);
  expect(keys.filter((key) => key > last)).toHaveLength(keys.includes(last) ? 2 : 3);
  await publish(db, publication("before", { session: { created_at: NOON - 1 } }));
  await publish(db, publication("long-ago", { session: { created_at: 0 } }));
  const order = await all(
    "SELECT id FROM sessions WHERE id IN ('first', 'before', 'long-ago') ORDER BY key",
  );
  expect(order.map(({ id }) => id)).toEqual(["long-ago", "before", "first"]);
  await db.prepare("DELETE FROM sessions WHERE id LIKE 'other-%'").run();
  for (const id of ["first", "second", "third", "fourth", "before", "long-ago"])
    await removeSession(db, id);
});

test("publications at the same time end as the newest one alone", async () => {
  const step = (revision: number) =>
    full("race", revision, {
      version: `1.${revision % 3}`,
      status: revision === 9 ? "crashed" : "active",
      created_at: NOON + (revision % 2),
    });
  await publish(db, step(9));
  const alone = visible(await contents());
  await removeSession(db, "race");
  const revisions = [3, 9, 1, 7];
  await Promise.all(revisions.map((revision) => publish(db, step(revision))));
  await publish(db, step(9));
  expect(visible(await contents())).toEqual(alone);
  await removeSession(db, "race");
});

test("a row of a session that the catalog has lost is found, and its lists follow", async () => {
  const whole = full("lost", 2);
  const { session } = whole;
  const row = { ...publication("lost"), session, scope: "row" as const, searched: "" };
  await publish(db, row);
  const { items } = await listSessions(db, { event: "door_opened" });
  expect(items.find(({ id }) => id === "lost")).toMatchObject({ unsure: true });
  await publish(db, whole);
  const after = await listSessions(db, { event: "door_opened" });
  expect(after.items.find(({ id }) => id === "lost")).not.toHaveProperty("unsure");
  await removeSession(db, "lost");
});

test("rollups that do not fit into a row have further ones, and no more than needed", async () => {
  const rollup = JSON.stringify({ sums: "1".repeat(100_000) });
  const of = (count: number, revision: number) =>
    publication("wide-rollups", {
      session: { revision },
      metrics: Array.from({ length: count }, (_, n) => metric(`wide-${n}`, { series: n, rollup })),
    });
  const parts = async () =>
    (await all("SELECT part FROM more_rollups WHERE key = ?1", await keyOf("wide-rollups"))).length;
  await publish(db, of(9, 1));
  expect(await parts()).toBe(4);
  await publish(db, of(4, 2));
  expect(await parts()).toBe(1);
  await removeSession(db, "wide-rollups");
  expect(await all("SELECT * FROM more_rollups")).toEqual([]);
});

test("the trend of an exception is bounded: of a long one the last days are kept, and their counts stay exact", async () => {
  const days = Array.from({ length: 120 }, (_, n) => n);
  const of = (day: number) =>
    publication(`trend-${day}`, {
      session: { created_at: NOON + day * DAY_MS, version: "v".repeat(100) },
      exceptions: [
        exception("trend", { first_at: NOON + day * DAY_MS, last_at: NOON + day * DAY_MS }),
      ],
    });
  for (let day = 0; day < days.length; day += 10)
    await publish(db, ...days.slice(day, day + 10).map(of));
  const trend = async () => {
    const [row] = await all(
      "SELECT days, sessions FROM exception_groups WHERE fingerprint = 'trend'",
    );
    const { days: text, sessions } = row as { days: string; sessions: number };
    return { trend: Object.values(JSON.parse(text) as GroupDays), sessions };
  };
  expect(await trend()).toMatchObject({ sessions: 120, trend: { length: MAX_GROUP_DAYS } });
  await removeSession(db, "trend-3"); // which is not in the trend any more
  await removeSession(db, "trend-119");
  const left = await trend();
  expect(left).toMatchObject({ sessions: 118, trend: { length: MAX_GROUP_DAYS - 1 } });
  expect(
    left.trend.map((versions) => Object.values(versions).map(([, ...counts]) => counts)),
  ).toEqual(left.trend.map(() => [[1, 1]]));
  for (const day of days) await removeSession(db, `trend-${day}`);
});
