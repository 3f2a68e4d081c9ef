/** A hundred thousand sessions are listed as ten are: no query reads more rows for there being more sessions. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { changesOf, distinctionsOf } from "../../src/catalog/distinctions.ts";
import { eventNames } from "../../src/catalog/events.ts";
import { exceptionGroups } from "../../src/catalog/exceptions.ts";
import { expiredSessions } from "../../src/catalog/expired.ts";
import { openBeforeBoot } from "../../src/catalog/known.ts";
import { COMPARED_RUNS, RARE_SESSIONS, SCAN_SESSIONS } from "../../src/catalog/limits.ts";
import { metricNames, sessionMetrics } from "../../src/catalog/metrics.ts";
import { statePaths, stateValues } from "../../src/catalog/paths.ts";
import { versionDays, versions } from "../../src/catalog/products.ts";
import { removeSession, publish } from "../../src/catalog/publish.ts";
import { listSessions, type SessionListQuery } from "../../src/catalog/sessions.ts";
import { withQuery } from "../../src/catalog/written.ts";
import { DAY, fill } from "./many.ts";
import { metric, publication } from "./publication.ts";

const SESSIONS = 100_000;
const NEWEST = Date.UTC(2026, 10, 23, 12);
const read: { sql: string; values: unknown[] }[] = [];
const db = listening(env.CATALOG);

beforeAll(async () => {
  await fill(env.CATALOG, SESSIONS, NEWEST);
}, 120_000);

/** The database, writing down what it is asked. */
function listening(database: D1Database): D1Database {
  return new Proxy(database, {
    get(target, name) {
      if (name !== "prepare") return Reflect.get(target, name).bind(target);
      return (sql: string) => {
        const statement = target.prepare(sql);
        const bind = statement.bind.bind(statement);
        statement.bind = (...values) => {
          read.push({ sql, values });
          return bind(...values);
        };
        return statement;
      };
    },
  });
}

/** The rows that these queries read: each is executed again for its count. */
async function rowsRead(ask: () => Promise<unknown>): Promise<number> {
  read.length = 0;
  await ask();
  let rows = 0;
  for (const { sql, values } of read.splice(0)) {
    const { meta } = await env.CATALOG.prepare(sql)
      .bind(...values)
      .all();
    rows += meta.rows_read;
  }
  return rows;
}

/** Candidates walked (twice, to know where it stopped), and one look into another table for each. */
const BOUND = 3 * SCAN_SESSIONS;

function asked(query: string): SessionListQuery {
  return withQuery({}, query, NEWEST);
}

const LISTS: [what: string, query: SessionListQuery, rows: number][] = [
  ["the newest", {}, 200],
  ["the oldest", { order: "asc" }, 200],
  ["of a month", { from: NEWEST - 60 * DAY, to: NEWEST - 30 * DAY }, 200],
  ["of a product", { product: "editor" }, 5_000],
  ["of a version", { product: "game", version: "1.7" }, 5_000],
  ["of a product that is not there", { product: "nothing" }, 100],
  ["that crashed", { status: ["crashed"] }, 200],
  ["that crashed or failed", { status: ["crashed", "failed"] }, BOUND],
  ["that succeeded", { status: ["succeeded"] }, BOUND],
  ["that hung", { status: ["ever_hung"] }, 200],
  ["that are open", { status: ["active", "suspended", "hung"] }, 1_000],
  ["with a rare event", { event: "door_opened" }, 5_000],
  ["with a common event", { event: "ready" }, 5_000],
  ["with an exception", { exception: "f1" }, BOUND],
  ["once in a common state", { state: { path: ["level"], value: "3" } }, 10_000],
  ["once in a rare state", { state: { path: ["ticket"], value: "70000" } }, 100],
  ["of one machine", { machine: "machine-7" }, BOUND],
  ["with terms that no session has", { text: "no such terms" }, BOUND],
  ["with a tag that no session has", { tag: "none" }, BOUND],
  ["with a metric that few have", { metric: "rare" }, 500],
  ["by events", { sort: "events" }, BOUND],
  ["by how long they ran", { sort: "ran_ms" }, BOUND],
  ["by machine", { sort: "hostname", order: "asc" }, BOUND],
  ["with a query that its indexes answer", asked("ever.ticket:70000 -is:crashed"), 200],
  ["with a query on values", asked("state.level:>8 -event:door_opened"), 5_000],
  ["with a query that no session passes", asked("ever.level:>100 OR metric.fps.p95:<1"), 2 * BOUND],
  ["with a query on versions", asked("version:>=1.48 -product:editor"), 10_000],
  [
    "of a version by points, with everything else",
    {
      product: "game",
      version: "1.7",
      sort: "points",
      event: "ready",
      text: "host",
      status: ["ended", "crashed"],
    },
    BOUND,
  ],
];

test.each(LISTS)("a list of sessions %s reads few rows", async (_, query, rows) => {
  expect(await rowsRead(() => listSessions(db, query))).toBeLessThanOrEqual(rows);
});

test.each([
  ["crashed ones", { status: ["crashed"] }, "status = 'crashed'"],
  [
    "ones that hung, of one product",
    { status: ["ever_hung"], product: "game" },
    "ever_hung = 1 AND product = 'game'",
  ],
  ["ones with a common event", { event: "ready", version: "1.7" }, "version = '1.7'"],
  [
    "ones once in a common state",
    { state: { path: ["level"], value: "3" } },
    "id IN (SELECT session_id FROM state_values WHERE path = 'level' AND value = '=3')",
  ],
  [
    "ones with a common exception",
    { exception: "f1", product: "editor" },
    "product = 'editor' AND id IN (SELECT session_id FROM exceptions)",
  ],
  [
    "open ones of a machine",
    { status: ["active"], machine: "machine-1" },
    "status = 'active' AND machine_id = 'machine-1'",
  ],
  [
    "ones of a month, oldest first",
    { from: NEWEST - 60 * DAY, to: NEWEST - 30 * DAY, order: "asc" },
    `created_at BETWEEN ${NEWEST - 60 * DAY} AND ${NEWEST - 30 * DAY - 1}`,
  ],
] as [string, SessionListQuery, string][])(
  "%s are the ones that plain SQL finds",
  async (_, query, where) => {
    const way = query.order ?? "desc";
    const { results } = await env.CATALOG.prepare(
      `SELECT id FROM sessions WHERE ${where} ORDER BY created_at ${way}, id ${way} LIMIT 150`,
    ).all<{ id: string }>();
    const found: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 3; page++) {
      const { items, next } = await listSessions(db, {
        ...query,
        ...(cursor !== undefined && { cursor }),
      });
      found.push(...items.map((row) => row.id));
      cursor = next ?? undefined;
      if (cursor === undefined) break;
    }
    expect(found).toEqual(results.map((row) => row.id).slice(0, found.length));
    expect(found.length).toBe(Math.min(150, results.length));
  },
);

test("the first page and the thousandth cost the same", async () => {
  let cursor: string | undefined;
  const costs: number[] = [];
  for (let page = 0; page < 50; page++) {
    costs.push(
      await rowsRead(async () => {
        cursor =
          (await listSessions(db, { limit: 1_000, ...(cursor !== undefined && { cursor }) }))
            .next ?? undefined;
      }),
    );
  }
  expect(Math.max(...costs)).toBeLessThan((costs[0] ?? 0) * 1.1 + 10);
});

test("a list that stops early names the place, and continues there until all sessions were read", async () => {
  const query = { text: "0198", tag: "ci", machine: "machine-0", limit: 100 }; // n % 200 = 0: 500 sessions
  const seen: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await listSessions(db, { ...query, ...(cursor !== undefined && { cursor }) });
    seen.push(...page.items.map((row) => row.id));
    expect(page.next === null || page.items.length === 100 || page.searched_to !== null).toBe(true);
    cursor = page.next ?? undefined;
    pages++;
  } while (cursor !== undefined && pages < 100);
  expect([seen.length, new Set(seen).size]).toEqual([500, 500]);
  expect(pages).toBeLessThanOrEqual(SESSIONS / SCAN_SESSIONS + 500 / 100 + 1);
});

test("every other query of the pages reads few rows", async () => {
  const costs = {
    versions: await rowsRead(() => versions(db)),
    versionDays: await rowsRead(() => versionDays(db, NEWEST)),
    exceptionGroups: await rowsRead(() => exceptionGroups(db, {}, { decisions: [], merged: [] })),
    eventNames: await rowsRead(() => eventNames(db)),
    metricNames: await rowsRead(() => metricNames(db)),
    statePaths: await rowsRead(() => statePaths(db)),
    stateValues: await rowsRead(() => stateValues(db, "level")),
    expired: await rowsRead(() => expiredSessions(db, NEWEST - 30 * DAY, 10)),
    returned: await rowsRead(() =>
      openBeforeBoot(db, { machine_id: "machine-1", boot_id: "new", product: "game" }),
    ),
    common: await rowsRead(() => sessionMetrics(db, { name: "fps" })),
    rare: await rowsRead(() => sessionMetrics(db, { name: "rare" })),
  };
  for (const [what, rows] of Object.entries(costs)) expect(rows, what).toBeLessThan(6_000);
});

test("merged groups read the sessions of all but the most frequent one", async () => {
  const merged = [{ product: "game", members: ["f1", "f2"] }];
  await db.batch([
    db.prepare(
      "INSERT INTO exceptions SELECT session_id, 'f2', product, version, type, message, place, search, count, unhandled, first_at, last_at, first_seq FROM exceptions WHERE fingerprint = 'f1' ORDER BY session_id DESC LIMIT 1000",
    ),
    db.prepare(
      "INSERT INTO exception_groups SELECT product, 'f2', type, message, place, search, 1000, 1000, 0, first_at, last_at, session_id, session_at, session_seq FROM exception_groups WHERE fingerprint = 'f1'",
    ),
  ]);
  const list = () => exceptionGroups(db, {}, { decisions: [], merged });
  expect((await list()).items).toMatchObject([{ sessions: SESSIONS / 20 }]);
  expect(await rowsRead(list)).toBeLessThan(20_000);
  await db.exec("DELETE FROM exceptions WHERE fingerprint = 'f2'");
  await db.exec("DELETE FROM exception_groups WHERE fingerprint = 'f2'");
});

test("what distinguishes sessions is found in few rows", async () => {
  const crashed = { product: "game", status: ["crashed" as const], limit: 1 };
  const [bad] = (await listSessions(db, crashed)).items;
  const one = bad ?? { id: "", product: "", created_at: 0, revision: 0 };
  expect((await changesOf(env.CATALOG, one)).others.sessions).toBe(COMPARED_RUNS);
  expect(await rowsRead(() => changesOf(db, one))).toBeLessThan(10_000);
  expect(
    await rowsRead(() => distinctionsOf(db, { product: "game", version: "1.7" })),
  ).toBeLessThan(10_000);
  expect(await rowsRead(() => distinctionsOf(db, { tag: "none" }))).toBeLessThan(2 * BOUND);
});

test("publishing and removing cost the same however many sessions there are", async () => {
  const one = publication("one-more", { metrics: [metric("fps")] });
  expect(await rowsRead(() => publish(db, one))).toBeLessThan(200);
  expect(await rowsRead(() => removeSession(db, "one-more"))).toBeLessThan(500);
});

test("what few sessions have is found completely, however long ago", async () => {
  const { items, searched_to } = await listSessions(db, { metric: "rare", limit: 1_000 });
  expect([items.length, searched_to]).toEqual([SESSIONS / 5_000, null]);
  expect(SESSIONS / 5_000).toBeLessThan(RARE_SESSIONS);
});
