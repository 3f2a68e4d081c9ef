/** A hundred thousand sessions are listed as ten are: no query reads more rows for there being more sessions. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { changesOf, distinctionsOf } from "../../src/catalog/distinctions.ts";
import { eventNames } from "../../src/catalog/events.ts";
import { exceptionDays, exceptionGroups } from "../../src/catalog/exceptions.ts";
import { expiredSessions } from "../../src/catalog/expired.ts";
import { sessionFigures } from "../../src/catalog/figures.ts";
import { openBeforeBoot, sessionRow } from "../../src/catalog/known.ts";
import { COMPARED_RUNS, SCAN_SESSIONS } from "../../src/catalog/limits.ts";
import { metricNames, rollups, sessionMetrics } from "../../src/catalog/metrics.ts";
import { statePaths, stateValues } from "../../src/catalog/paths.ts";
import { hasSessions, versionDays, versions } from "../../src/catalog/products.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { removeSession } from "../../src/catalog/publication/remove.ts";
import { listSessions, type SessionListQuery } from "../../src/catalog/search/sessions.ts";
import { storedBytes } from "../../src/catalog/usage.ts";
import { withQuery } from "../../src/catalog/search/written.ts";
import { DAY, fill } from "./many.ts";
import { exception, metric, publication } from "./publication.ts";

const SESSIONS = 100_000;
const NEWEST = Date.UTC(2026, 10, 23, 12);
/** What was asked and not yet counted, and the rows that batches read. */
const read = {
  asked: [] as { bound: D1PreparedStatement; sql: string; values: unknown[] }[],
  rows: 0,
};
const db = listening(env.CATALOG);

beforeAll(async () => {
  await fill(env.CATALOG, SESSIONS, NEWEST);
}, 120_000);

/** The database, writing down what it is asked. */
function listening(database: D1Database): D1Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === "batch")
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          read.rows += results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
          read.asked = read.asked.filter(({ bound }) => !statements.includes(bound));
          return results;
        };
      if (name !== "prepare") return Reflect.get(target, name).bind(target);
      return (sql: string) => {
        const statement = target.prepare(sql);
        const bind = statement.bind.bind(statement);
        statement.bind = (...values) => {
          const bound = bind(...values);
          read.asked.push({ bound, sql, values });
          return bound;
        };
        return statement;
      };
    },
  });
}

/** The rows that these queries read: each that is not in a batch is executed again for its count. */
async function rowsRead(ask: () => Promise<unknown>): Promise<number> {
  read.asked = [];
  read.rows = 0;
  await ask();
  let { rows } = read;
  for (const { sql, values } of read.asked.splice(0)) {
    const { meta } = await env.CATALOG.prepare(sql)
      .bind(...values)
      .all();
    rows += meta.rows_read;
  }
  return rows;
}

/** Candidates read twice, to know where the list stopped, each with its session and its details; and the rows of one page. */
const BOUND = 5 * SCAN_SESSIONS + 100;

function asked(query: string): SessionListQuery {
  return withQuery({}, query, NEWEST);
}

/** Fourteen conditions on lists, each of which has to be verified. */
const MANY = Array.from(
  { length: 7 },
  (_, n) => `ever.level:>${100 + n} OR metric.fps.p95:<${n / 10}`,
).join(" OR ");

const LISTS: [what: string, query: SessionListQuery, rows: number][] = [
  ["the newest", {}, 200],
  ["the oldest", { order: "asc" }, 200],
  ["of a month", { from: NEWEST - 60 * DAY, to: NEWEST - 30 * DAY }, 200],
  ["of a product", { product: "editor" }, 200],
  ["of a version", { product: "game", version: "1.7" }, 200],
  ["of a product that is not there", { product: "nothing" }, 0],
  ["that crashed", { status: ["crashed"] }, 200],
  ["that crashed or failed", { status: ["crashed", "failed"] }, 200],
  ["that succeeded", { status: ["succeeded"] }, 200],
  ["that hung", { status: ["ever_hung"] }, 200],
  ["that are open", { status: ["active", "suspended", "hung"] }, 200],
  ["with a rare event", { event: "door_opened" }, 500],
  ["with a common event", { event: "ready" }, 500],
  ["with an exception", { exception: "f1" }, 500],
  ["once in a common state", { state: { path: ["level"], value: "3" } }, 500],
  ["once in a rare state", { state: { path: ["ticket"], value: "70000" } }, 100],
  ["of one machine", { machine: "machine-7" }, 200],
  ["with a tag that no session has", { tag: "none" }, 100],
  ["with a metric that few have", { metric: "rare" }, 500],
  ["with a text that all have", { text: "host" }, 500],
  ["with a text that few have", { text: "door_open" }, 1_000],
  ["with a text of two letters that few have", { text: "r_" }, 1_000],
  ["with texts that no session has", { text: "no such terms" }, 100],
  ["with a text of one letter", { text: "e" }, 500],
  ["with a text of one letter that no session has", { text: "~" }, BOUND],
  ["with a text of parts that all have", { phrases: ["ready ended with game host"] }, BOUND],
  ["by a part of a name", asked("event:*oor_op*"), 500],
  ["by a part of a name that no session has", asked("event:*oor_clo*"), 100],
  [
    "with any of many texts",
    asked(Array.from({ length: 16 }, (_, n) => `"host ${n}"`).join(" OR ")),
    BOUND,
  ],
  ["without an event that all have", asked("-event:ready"), BOUND],
  ["of a test", asked('test:"deep merge"'), 100],
  ["of a part of a test", asked("test:*merge*"), 100],
  ["by events", { sort: "events" }, BOUND],
  ["by how long they ran", { sort: "ran_ms" }, BOUND],
  ["by machine", { sort: "hostname", order: "asc" }, BOUND],
  ["by version", { sort: "version" }, BOUND + 3 * SCAN_SESSIONS],
  ["by a figure of a metric", { sort: "metric.fps.p95" }, BOUND + 2 * SCAN_SESSIONS],
  [
    "by a value of the state, of a product",
    { sort: "state.level", product: "game" },
    BOUND + 2 * SCAN_SESSIONS,
  ],
  ["with a query that its indexes answer", asked("ever.ticket:70000 -is:crashed"), 200],
  ["with a query on values", asked("state.level:>8 -event:door_opened"), 5_000],
  ["with a query that no session passes", asked("ever.level:>100 OR metric.fps.p95:<1"), BOUND],
  ["with a query of many parts that no session passes", asked(MANY), BOUND],
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
    "substr(id, -1) = '3'",
  ],
  [
    "ones with a common exception",
    { exception: "f1", product: "editor" },
    "product = 'editor' AND status = 'crashed'",
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

test("a page of many conditions verifies fewer sessions, states how far it came, and the next ones continue", async () => {
  const from = NEWEST - 12_000 * 60_000; // the newest 12,000
  const query = { ...asked(`${MANY} OR ever.ticket:90000`), from };
  const found: string[] = [];
  let cursor: string | undefined;
  let before = Infinity;
  do {
    const page = await listSessions(db, { ...query, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(({ id }) => id));
    const searchedTo = page.searched_to ?? -Infinity;
    expect(searchedTo).toBeLessThan(before);
    expect(page.partial).toBe(page.next !== null);
    before = searchedTo;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  const { items } = await listSessions(db, asked("ever.ticket:90000"));
  expect(found).toEqual(items.map(({ id }) => id));
  expect(found.length).toBe(1);
});

test("every other query of the pages reads few rows", async () => {
  const { items } = await listSessions(db, {});
  const ids = items.map(({ id }) => id);
  const costs: { [what: string]: [rows: number, most: number] } = {
    // A row for each version and day.
    versions: [await rowsRead(() => versions(db)), 8_000],
    versionDays: [await rowsRead(() => versionDays(db, NEWEST)), 11_000],
    storedBytes: [await rowsRead(() => storedBytes(db)), 8_000],
    hasSessions: [await rowsRead(() => hasSessions(db, { product: "game", version: "1.7" })), 5],
    exceptionGroups: [await rowsRead(() => exceptionGroups(db, {}, NOT_DECIDED)), 100],
    returnedGroups: [await rowsRead(() => exceptionGroups(db, {}, RESOLVED)), 2_000],
    exceptionDays: [await rowsRead(() => exceptionDays(db, [F1], NEWEST)), 2_000],
    eventNames: [await rowsRead(() => eventNames(db)), 100],
    namesOfProduct: [await rowsRead(() => eventNames(db, { product: "game" })), 100],
    metricNames: [await rowsRead(() => metricNames(db)), 100],
    statePaths: [await rowsRead(() => statePaths(db)), 100],
    stateValues: [await rowsRead(() => stateValues(db, "level")), 3_000],
    expired: [await rowsRead(() => expiredSessions(db, NEWEST - 30 * DAY, 10)), 20],
    returned: [
      await rowsRead(() =>
        openBeforeBoot(db, { machine_id: "machine-1", boot_id: "new", product: "game" }),
      ),
      300,
    ],
    sessionRow: [await rowsRead(() => sessionRow(db, ids[0] ?? "")), 5],
    common: [await rowsRead(() => sessionMetrics(db, { name: "fps" })), 3_000],
    rare: [await rowsRead(() => sessionMetrics(db, { name: "rare" })), 300],
    rollups: [await rowsRead(() => rollups(db, ids, "fps")), 1_000],
  };
  for (const [what, [rows, most]] of Object.entries(costs))
    expect(rows, what).toBeLessThanOrEqual(most);
});

const NOT_DECIDED = { decisions: [], merged: [] };
const F1 = { product: "game", fingerprint: "f1", fingerprints: ["f1"] };
const RESOLVED = {
  decisions: [
    { ...F1, status: "resolved" as const, resolved_at: NEWEST - 40 * DAY, resolved_version: null },
  ],
  merged: [],
};

test("figures of all sessions are read with three rows of each, ten thousand at once", async () => {
  const asked = { names: ["fps", "rare"], limit: SCAN_SESSIONS, by: "state.level" as const };
  const first = await sessionFigures(db, {}, asked);
  const sessions = new Set(first.items.map(({ session }) => session.id));
  expect([sessions.size, first.partial, first.next === null]).toEqual([SCAN_SESSIONS, true, false]);
  expect(await rowsRead(() => sessionFigures(db, {}, asked))).toBeLessThanOrEqual(
    3 * SCAN_SESSIONS + 100,
  );
  const rare = await sessionFigures(db, {}, { ...asked, names: ["rare"] });
  expect([rare.items.length, rare.partial]).toEqual([SESSIONS / 5_000, false]);
  expect(await rowsRead(() => sessionFigures(db, {}, { ...asked, names: ["rare"] }))).toBeLessThan(
    200,
  );
  const { next } = await sessionFigures(db, {}, { ...asked, limit: 10 });
  const page = () => sessionFigures(db, {}, { ...asked, limit: 10, cursor: next ?? "" });
  const idsOf = ({ items }: typeof first) => items.map(({ session }) => session.id);
  expect(idsOf(await page())).toEqual(idsOf(first).slice(10, 20));
  expect(await rowsRead(page)).toBeLessThan(100);
});

test("merged groups read only the sessions that had several of them", async () => {
  const merged = [{ product: "game", members: ["f1", "f2"] }];
  const both = publication("both", {
    session: { created_at: NEWEST + 1 },
    exceptions: ["f1", "f2"].map((fingerprint) => exception(fingerprint, { first_at: NEWEST + 1 })),
  });
  const list = () => exceptionGroups(db, { product: "game" }, { decisions: [], merged });
  const before = (await exceptionGroups(db, { product: "game" }, NOT_DECIDED)).items;
  await publish(env.CATALOG, both);
  expect((await list()).items).toMatchObject([
    { sessions: (before[0]?.sessions ?? 0) + 1, sessions_at_most: false },
  ]);
  expect(await rowsRead(list)).toBeLessThan(200);
  await removeSession(env.CATALOG, "both");
});

test("what distinguishes sessions is found in few rows", async () => {
  const crashed = { product: "game", status: ["crashed" as const], limit: 1 };
  const [bad] = (await listSessions(db, crashed)).items;
  const one = bad ?? { id: "", product: "", created_at: 0, revision: 0 };
  expect((await changesOf(env.CATALOG, one)).others.sessions).toBe(COMPARED_RUNS);
  expect(await rowsRead(() => changesOf(db, one))).toBeLessThan(1_000);
  expect(
    await rowsRead(() => distinctionsOf(db, { product: "game", version: "1.7" })),
  ).toBeLessThan(2_000);
  expect(await rowsRead(() => distinctionsOf(db, { tag: "none" }))).toBeLessThan(2_000);
});

test("publishing and removing cost the same however many sessions there are", async () => {
  const one = publication("one-more", { metrics: [metric("fps")] });
  expect(await rowsRead(() => publish(db, one))).toBeLessThan(200);
  expect(await rowsRead(() => removeSession(db, "one-more"))).toBeLessThan(500);
});

test("what few sessions have is found completely, however long ago", async () => {
  const { items, searched_to } = await listSessions(db, { metric: "rare", limit: 1_000 });
  expect([items.length, searched_to]).toEqual([SESSIONS / 5_000, null]);
});
