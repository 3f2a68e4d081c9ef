/** A catalog of very many sessions, written as whole tables: what publish would have written, in a minute instead of ten. */
import { getTableColumns } from "drizzle-orm";
import { detailKey } from "../../src/catalog/tables/details.ts";
import { packed } from "../../src/catalog/publication/pack.ts";
import { firstKey } from "../../src/catalog/tables/key.ts";
import { listTokens, rowTokens } from "../../src/catalog/tables/posting.ts";
import type { Publication } from "../../src/catalog/tables/publication.ts";
import { sessions } from "../../src/catalog/tables/schema.ts";
import { RollupBuilder } from "../../src/core/metrics/rollup.ts";
import { eventCount, exception, metric, publication } from "./publication.ts";

export const DAY = 86_400_000;

/** As much of D1 as is needed: in a Worker and in Miniflare its type has different names. */
type Statement = { bind(...values: unknown[]): Statement; run(): Promise<unknown> };
export type Database = {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
};

/**
 * `count` sessions, one a minute up to `newest`. Session n: every third of product "editor" and the rest "game", 50 versions,
 * every 20th crashed, every 50th hung once, every 1,000th still open, 100 machines. All have the event "ready", every
 * 500th "door_opened"; state "level" is n % 10, "ticket" is n for every 100th; a metric "fps", and "rare" in every 5,000th. Every 20th
 * has an exception.
 */
export async function fill(db: Database, count: number, newest: number): Promise<void> {
  // One transaction of several parameters: FTS5 merges what it has written after each transaction.
  const [step, portion] = [5_000, 500];
  for (let from = 0; from < count; from += step) {
    const statements: Statement[] = [];
    for (let first = from; first < Math.min(from + step, count); first += portion) {
      const some = Array.from({ length: Math.min(portion, count - first) }, (_, index) => {
        const n = first + index;
        return sessionOf(n, newest - (count - n) * 60_000);
      });
      statements.push(
        db.prepare(INSERT_SESSIONS).bind(JSON.stringify(some.map(({ session }) => session))),
        db.prepare(INSERT_POSTINGS).bind(JSON.stringify(some.map(({ posting }) => posting))),
        db.prepare(INSERT_DETAILS).bind(JSON.stringify(some.map(({ lists }) => lists)), ...ROLLUPS),
      );
    }
    await db.batch(statements);
  }
  await db.batch([
    db.prepare(
      `INSERT INTO version_days (product, version, day, sessions, active, suspended, hung, crashed, ended, failed, ever_hung, first_at, last_at, bytes, test_runs, failed_runs)
       SELECT product, version, created_at / ${DAY} AS day, count(*), sum(status = 'active'), 0, 0, sum(status = 'crashed'), sum(status = 'ended'),
         sum(failed), sum(ever_hung), min(created_at), max(created_at), sum(bytes * (status IN ('ended', 'crashed'))), 0, 0
       FROM sessions GROUP BY 1, 2, 3`,
    ),
    ...["editor", "game"].map((product) =>
      db
        .prepare(
          `INSERT INTO exception_groups (product, fingerprint, type, message, place, search, sessions, count, unhandled, first_at, last_at, session_id, session_at, session_seq, days)
           SELECT product, 'f1', 'E', 'm', '', 'e m f1', count(*), count(*), 0, min(created_at), max(created_at), max(id), max(created_at), 3,
             (SELECT json_group_object(day, json(versions)) FROM (
               SELECT day, json_group_object(key, json_array(version, n, n)) AS versions FROM (
                 SELECT s.created_at / ${DAY} AS day, s.version, v.value AS key, count(*) AS n
                 FROM sessions AS s JOIN json_each(?2) AS v ON v.key = s.version
                 WHERE s.product = ?1 AND s.status = 'crashed' AND s.created_at > ${newest - 90 * DAY} GROUP BY 1, 2) GROUP BY day))
           FROM sessions WHERE product = ?1 AND status = 'crashed' GROUP BY product`,
        )
        .bind(product, VERSION_KEYS),
    ),
    db
      .prepare(
        "INSERT OR IGNORE INTO names (kind, name, product, type, unit) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, '' FROM json_each(?)",
      )
      .bind(JSON.stringify(NAMES)),
  ]);
}

const VERSION_KEYS = JSON.stringify(
  Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`1.${n}`, detailKey(`1.${n}`)])),
);

const NAMES = ["editor", "game"].flatMap((product) => [
  ["event", "ready", product, ""],
  ["event", "door_opened", product, ""],
  ["state", "level", product, ""],
  ["state", "ticket", product, ""],
  ["metric", "fps", product, "gauge"],
  ["metric", "rare", product, "gauge"],
]);

/** The rows of session n, which started then. */
function sessionOf(n: number, at: number) {
  const id = `0198${n.toString(16).padStart(8, "0")}-7000-8000-${String(n).padStart(12, "0")}`;
  const status = n % 20 === 0 ? "crashed" : n % 1_000 === 1 ? "active" : "ended";
  const times = { first_at: at, last_at: at };
  const whole = publication(id, {
    session: {
      created_at: at,
      product: n % 3 === 0 ? "editor" : "game",
      version: `1.${n % 50}`,
      status,
      ever_hung: n % 50 === 0,
      machine_id: `machine-${n % 100}`,
      hostname: `host-${n % 100}`,
      updated_at: at + 30_000,
      received_at: at + 30_000,
      status_since: at + 30_000,
      ended_at: status === "active" ? null : at + 30_000,
      states: 5,
      events: n % 97,
      exceptions: n % 20 === 0 ? 1 : 0,
      points: n % 89,
      bytes: 5_000,
      headline: "Ended",
      tags: n % 200 === 0 ? '["ci"]' : "[]",
    },
    event_counts: [
      eventCount("ready", times),
      ...(n % 500 === 0 ? [eventCount("door_opened", times)] : []),
    ],
    exceptions:
      n % 20 === 0 ? [exception("f1", { type: "E", message: "m", place: "", ...times })] : [],
    state_values: [
      { path: "level", value: `=${n % 10}`, first_at: at, last_at: null },
      ...(n % 100 === 0 ? [{ path: "ticket", value: `=${n}`, first_at: at, last_at: null }] : []),
    ],
    metrics: [
      metric("fps", { series: 1, ...figuresOf(n, at) }),
      ...(n % 5_000 === 0 ? [metric("rare", { series: 2, ...figuresOf(n, at) })] : []),
    ],
  });
  const key = firstKey(at);
  const row: { [column: string]: unknown } = {
    ...whole.session,
    key,
    writes: 1,
    posting_mark: "filled",
    details_mark: "filled",
  };
  const session = COLUMNS.map((column) => row[column]);
  const tokens = [...rowTokens(whole.session), ...listTokens(whole)].join(" ");
  return { session, posting: [key, tokens], lists: [key, ...listsOf(whole), whole.metrics.length] };
}

function listsOf({ event_counts, exceptions, state_values, metrics }: Publication): string[] {
  return [
    packed("events", event_counts, ({ name }) => name),
    packed("exceptions", exceptions, ({ fingerprint }) => fingerprint),
    packed("state", state_values, ({ path }) => path),
    packed("figures", metrics, ({ name }) => name, ["tags"]),
  ];
}

const COLUMNS = Object.keys(getTableColumns(sessions));
const INSERT_SESSIONS = `INSERT INTO sessions (${COLUMNS.join()}) SELECT ${COLUMNS.map((column, index) => (column === "verdict" ? "printf('%.*c', 600, 'v')" : `value ->> ${index}`)).join()} FROM json_each(?)`;
const INSERT_POSTINGS =
  "INSERT INTO postings (rowid, tokens) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
/** ?2 and ?3: the rollups, which are the same in all sessions with "fps" alone, and in those with both metrics. */
const INSERT_DETAILS = `INSERT INTO details (key, events, exceptions, state, figures, rollups, searched)
  SELECT value ->> 0, jsonb(value ->> 1), jsonb(nullif(value ->> 2, '')), jsonb(value ->> 3), jsonb(value ->> 4), iif(value ->> 5 = 1, rollup.one, rollup.both), ''
  FROM (SELECT jsonb(?2) AS one, jsonb(?3) AS both) AS rollup CROSS JOIN json_each(?1)`;

/** Of a run of 30 s with a point each 0.1 s, differently fast in each session. */
function figuresOf(n: number, at: number) {
  const mean = 50 + (n % 977) / 37;
  return {
    points: 300,
    count: 300,
    sum: mean * 300,
    deviation: 5 + (n % 31) / 7,
    p50: mean + 0.25,
    p95: mean + 9.5,
    p99: mean + 9.75,
    min: mean - 17.3,
    max: mean + 10.1,
    first: mean,
    last: mean + 1.1,
    first_at: at,
    last_at: at + 29_900,
  };
}

/** How its values are divided, as of any run of 30 s. */
const DIVIDED = dividedOf(Array.from({ length: 300 }, (_, index) => 58 + ((index * 7) % 97) / 4));
const ROLLUPS = [["fps"], ["fps", "rare"]].map((names) => {
  const metrics = names.map((name, index) => metric(name, { series: index + 1, ...DIVIDED }));
  const json = ["distribution", "rollup", "quantile_steps"];
  return packed("rollups", metrics, ({ name }) => name, json);
});

function dividedOf(values: number[]) {
  const builder = new RollupBuilder({ type: "gauge" });
  builder.add({
    at: Float64Array.from(values, (_, index) => index * 100),
    fields: [Float64Array.from(values)],
  });
  return {
    distribution: JSON.stringify(builder.distribution().pack()),
    rollup: JSON.stringify(builder.rollup),
    quantile_steps: JSON.stringify(builder.quantileSteps()),
  };
}
