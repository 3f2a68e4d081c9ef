/**
 * The catalog's tables (D1): a cache for finding sessions and comparing across them, rebuilt from the session objects.
 *
 * Rows written are what costs. An index entry is a row too, so there are few, and columns that change often are in none.
 * All tables are WITHOUT ROWID (see the migrations): a text or composite key would else be a second row for each insert.
 */
import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

const flag = () => integer({ mode: "boolean" }).notNull();

/**
 * One row per session, stored in order of their start, so that reading them in this order needs no index. Wide columns come last: their
 * overflow pages are then not read.
 */
export const sessions = sqliteTable(
  "sessions",
  {
    id: text().notNull(),
    created_at: integer().notNull(), // epoch milliseconds, like every time here
    product: text().notNull(), // "" if the program named none
    version: text().notNull(),
    status: text().notNull(), // core/vocabulary.ts STATUSES
    is_open: flag(), // neither ended nor crashed
    failed: flag(), // ended, and failed by core/status/outcome.ts
    ever_hung: flag(),
    recovered: flag(), // from its last hang
    machine_id: text().notNull(),
    boot_id: text().notNull(),
    hostname: text().notNull(),
    browser: text().notNull(), // "Chrome 126 on Windows", of a session recorded in a page; else ""
    os: text().notNull(), // of its program, as the client names it: "linux x86_64"; "" if it did not…
    language: text().notNull(), // …"python 3.13.0"
    updated_at: integer().notNull(), // last activity, by the session's clock…
    received_at: integer().notNull(), // …and by the server's
    status_since: integer().notNull(),
    ended_at: integer(),
    last_heartbeat_at: integer(),
    states: integer().notNull(),
    events: integer().notNull(),
    exceptions: integer().notNull(),
    points: integer().notNull(),
    series: integer().notNull(),
    attachments: integer().notNull(), // announced and not refused
    exit_code: integer(),
    signal: text(),
    uncaught: integer().notNull(), // exceptions that nothing caught
    tests: integer().notNull(), // of a test run: how many ended…
    failed_tests: integer().notNull(), // …and how many did not pass
    revision: integer().notNull(), // of the session when it published; an older publication changes nothing
    bytes: integer().notNull(), // stored by the object
    headline: text().notNull(),
    tags: text().notNull(), // JSON list
    damaged: integer().notNull(), // parts of its storage that cannot be read, as far as was noticed
    test_parts: integer().notNull(), // rows of it in test_parts
    test_mark: text().notNull(), // changes with what test_parts and failed_tests hold of it; "" if they hold nothing
    left_out: integer().notNull(), // lists of it that are incomplete here (LEFT_OUT_BITS), so that its object has to be asked
    search: text().notNull(), // what a text search examines, folded by core/text/fold.ts
    verdict: text().notNull(), // JSON, core/answers.ts Verdict
  },
  (table) => [
    primaryKey({ columns: [table.created_at, table.id] }),
    uniqueIndex("sessions_by_id").on(table.id),
    index("sessions_by_product").on(table.product, table.version, table.created_at),
    // Partial: only sessions that match write a row in them.
    index("sessions_open")
      .on(table.machine_id, table.created_at)
      .where(sql`is_open = 1`),
    index("sessions_crashed")
      .on(table.created_at)
      .where(sql`status = 'crashed'`),
    index("sessions_failed")
      .on(table.created_at)
      .where(sql`failed = 1`),
    index("sessions_left_out")
      .on(table.created_at)
      .where(sql`left_out <> 0`),
    index("sessions_damaged")
      .on(table.created_at)
      .where(sql`damaged <> 0`),
    index("sessions_hung")
      .on(table.created_at)
      .where(sql`ever_hung = 1`),
  ],
);

/** One row per series of a session. */
export const metrics = sqliteTable(
  "metrics",
  {
    session_id: text().notNull(),
    name: text().notNull(),
    series: integer().notNull(), // its id within the session
    type: text().notNull(),
    unit: text().notNull(),
    tags: text().notNull(), // JSON list, sorted
    points: integer().notNull(),
    count: real().notNull(), // of values: samples of histograms, otherwise points
    sum: real().notNull(), // with the next two: core/metrics/moments.ts
    sum_low: real().notNull(),
    sum_scale: real().notNull(),
    deviation: real(), // standard deviation; null if it is not known, as of a histogram
    increase: real().notNull(), // of a counter, from its first point to its last
    p50: real(), // quantiles as core/metrics/distribution.ts has them; null without values
    p95: real(),
    p99: real(),
    min: real().notNull(),
    max: real().notNull(),
    first: real().notNull(),
    last: real().notNull(),
    first_at: integer().notNull(),
    last_at: integer().notNull(),
    distribution: text(), // JSON, core/metrics/distribution.ts PackedDistribution
    rollup: text(), // JSON, core/metrics/rollup.ts Rollup
    quantile_steps: text(), // JSON, core/metrics/rollup.ts QuantileSteps; read only for quantiles over time
  },
  (table) => [
    primaryKey({ columns: [table.session_id, table.name, table.series] }),
    index("metrics_by_name").on(table.name, table.session_id),
  ],
);

/** How often each event, by name and category, occurred in a session. */
export const event_counts = sqliteTable(
  "event_counts",
  {
    session_id: text().notNull(),
    name: text().notNull(),
    category: text().notNull(),
    count: integer().notNull(),
    first_at: integer().notNull(),
    last_at: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.session_id, table.name, table.category] }),
    index("event_counts_by_name").on(table.name, table.session_id),
  ],
);

/** How often each exception, by fingerprint, occurred in a session. */
export const exceptions = sqliteTable(
  "exceptions",
  {
    session_id: text().notNull(),
    fingerprint: text().notNull(),
    product: text().notNull(), // its session's, copied so that it can be subtracted from its group
    version: text().notNull(),
    type: text().notNull(),
    message: text().notNull(),
    place: text().notNull(), // where the session's first one arose (core/stack/where.ts); "" if it is not known
    search: text().notNull(), // type, message, place and fingerprint, folded by core/text/fold.ts
    count: integer().notNull(),
    unhandled: integer().notNull(), // those that ended the program or its thread
    first_at: integer().notNull(),
    last_at: integer().notNull(),
    first_seq: integer().notNull(), // of its first event, to open the session there
  },
  (table) => [
    primaryKey({ columns: [table.session_id, table.fingerprint] }),
    index("exceptions_by_fingerprint").on(table.fingerprint, table.session_id),
  ],
);

/** The same exception in all sessions of a product. Decisions about it are in the registry. */
export const exception_groups = sqliteTable(
  "exception_groups",
  {
    product: text().notNull(),
    fingerprint: text().notNull(),
    type: text().notNull(),
    message: text().notNull(),
    place: text().notNull(), // as in exceptions
    search: text().notNull(), // as in exceptions
    sessions: integer().notNull(),
    count: integer().notNull(),
    unhandled: integer().notNull(),
    first_at: integer().notNull(),
    last_at: integer().notNull(),
    session_id: text().notNull(), // the session that had it last
    session_at: integer().notNull(), // and when
    session_seq: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.product, table.fingerprint] })],
);

/** An exception group's trend: sessions in which it first occurred on this day. */
export const exception_days = sqliteTable(
  "exception_days",
  {
    product: text().notNull(),
    fingerprint: text().notNull(),
    day: integer().notNull(), // days since 1970, UTC
    version: text().notNull(),
    sessions: integer().notNull(),
    count: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.product, table.fingerprint, table.day, table.version] }),
  ],
);

/** The values that each path of the state ever had: one row per value, or one marker if there are too many. */
export const state_values = sqliteTable(
  "state_values",
  {
    session_id: text().notNull(),
    path: text().notNull(), // keys joined by dots
    value: text().notNull(), // core/state/values.ts
    first_at: integer().notNull(),
    last_at: integer(), // when it changed; null if it is the current value
  },
  (table) => [
    primaryKey({ columns: [table.session_id, table.path, table.value] }),
    index("state_values_by_value").on(table.path, table.value, table.session_id),
  ],
);

/**
 * The last result and the duration of each test of a test run that is over, packed by some 500 to 1,000 (core/tests/packed.ts). `parts` is a power of two, and
 * a test is in the part that its key names, so that the history of one test reads one row of each run. A row of a part is found by its key alone.
 */
export const test_parts = sqliteTable(
  "test_parts",
  {
    product: text().notNull(), // its session's, as the next ones
    parts: integer().notNull(), // how many rows the run has
    part: integer().notNull(), // from 0; the first one has the columns `run` and `failed`
    created_at: integer().notNull(),
    session_id: text().notNull(),
    version: text().notNull(),
    branch: text().notNull(), // of the state `ci`; "" if it is not known
    commit_id: text().notNull(),
    run: text().notNull(), // JSON, core/answers.ts TestRun; "" in other parts
    failed: text().notNull(), // JSON list of the keys of its rows in failed_tests
    packed: text().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.product, table.parts, table.part, table.created_at, table.session_id],
    }),
  ],
);

/** A test that did not pass in a run, or only after an attempt that failed. */
export const failed_tests = sqliteTable(
  "failed_tests",
  {
    product: text().notNull(),
    test: text().notNull(), // core/tests/id.ts testKey
    created_at: integer().notNull(), // of its session, as the next ones
    session_id: text().notNull(),
    version: text().notNull(),
    branch: text().notNull(),
    commit_id: text().notNull(),
    id: text().notNull(), // JSON list
    file: integer().notNull(),
    result: text().notNull(), // core/tests/table.ts
    attempts: integer().notNull(),
    duration_ms: real(),
    text: text().notNull(), // the first line of its failure
    at: integer().notNull(), // of the event
    seq: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.product, table.test, table.created_at, table.session_id] }),
  ],
);

/** Counts of the sessions of a version. publish and removeSession keep them exact, so that no page has to count sessions. */
export const versions = sqliteTable(
  "versions",
  {
    product: text().notNull(),
    version: text().notNull(),
    sessions: integer().notNull(),
    active: integer().notNull(),
    suspended: integer().notNull(),
    hung: integer().notNull(),
    crashed: integer().notNull(),
    ended: integer().notNull(),
    failed: integer().notNull(), // of those that ended
    ever_hung: integer().notNull(),
    first_at: integer().notNull(), // start of its first and of its newest session
    last_at: integer().notNull(),
    bytes: integer().notNull(), // stored by its sessions that are over; the others still grow
    test_runs: integer().notNull(), // of its sessions that are over, those with tests…
    failed_runs: integer().notNull(), // …and of these, those that crashed or failed
  },
  (table) => [primaryKey({ columns: [table.product, table.version] })],
);

/** The same by the day of the sessions' start, for trends. */
export const version_days = sqliteTable(
  "version_days",
  {
    day: integer().notNull(),
    product: text().notNull(),
    version: text().notNull(),
    sessions: integer().notNull(),
    crashed: integer().notNull(),
    failed: integer().notNull(),
    ever_hung: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.product, table.version] })],
);

/** How far a rebuild of the whole catalog is: one row while it is under way, else none. */
export const rebuild = sqliteTable("rebuild", {
  id: integer().primaryKey(), // always 1
  cursor: text().notNull(), // id of the last session that was asked
  done: integer().notNull(), // sessions published again
  failed: integer().notNull(), // sessions that did not answer
  total: integer().notNull(), // sessions in the roster at its beginning
});
