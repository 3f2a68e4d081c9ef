/**
 * The catalog's tables (D1): a cache for finding sessions and comparing across them, rebuilt from the session objects.
 *
 * Rows written are what costs, and an index entry is a row too. So a session is one row here, one of the full-text index `postings`, by which
 * everything is looked up, and one with its lists (`details`). `postings` is a virtual table, which drizzle cannot express; the migration has it:
 *
 *     CREATE VIRTUAL TABLE postings USING fts5(tokens, content='', contentless_delete=1, detail=none, tokenize='ascii')
 *
 * Its segments are merged more seldom than by default (automerge 8, deletemerge 60): a posting is replaced when its session ends,
 * while it is in one of the newest segments, and by default that has this segment merged again and again. So publishing costs half
 * the CPU time, and looking up as much as before.
 *
 * Its rowid is the session's key; posting.ts makes its tokens. It has no text of its own, and a rebuild of the catalog fills it: a database with a
 * virtual table cannot be exported from D1.
 *
 * The tables with a text or composite key are WITHOUT ROWID (see the migration): such a key would else be a second row for each insert.
 * But not `more_rollups`: to find a row of such a table SQLite reads a dozen whole rows, and these are up to 250 KB wide.
 */
import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

const flag = () => integer({ mode: "boolean" }).notNull();

/**
 * One row per session, stored in order of their start, so that reading them in this order needs no index. A session is found by its id through
 * its posting. Wide columns come last: their overflow pages are then not read.
 */
export const sessions = sqliteTable(
  "sessions",
  {
    key: integer().primaryKey(), // key.ts: its place in the order of starts
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
    writes: integer().notNull(), // how often this row was written: a publication that read it earlier starts again
    posting_mark: text().notNull(), // changes with its row in postings…
    details_mark: text().notNull(), // …and with that in details; "" if it has none
    left_out: integer().notNull(), // lists of it that are incomplete here (LEFT_OUT_BITS), so that its object has to be asked
    search: text().notNull(), // core/session/searched.ts ownTexts, a line each: the verdict is the first
    verdict: text().notNull(), // JSON, core/answers/verdict.ts Verdict
  },
  (table) => [
    // Partial: only sessions that match write a row in them. They are candidates of every search, since their postings may lack a token.
    index("sessions_left_out")
      .on(table.key)
      .where(sql`left_out <> 0`),
    index("sessions_damaged")
      .on(table.key)
      .where(sql`damaged <> 0`),
  ],
);

/** The lists of a session, as JSONB (details.ts), of a session that has any. Most of a comparison's bytes are rollups, so they come last. */
export const details = sqliteTable("details", {
  key: integer().primaryKey(), // of its session
  events: blob(),
  exceptions: blob(),
  state: blob(),
  figures: blob(), // of its series
  attachments: blob(),
  tests: blob(),
  texts: blob(), // messages of events and lines of output that are in `searched`, with their places in the log
  searched: text().notNull(), // what a text search looks through beside sessions.search, folded by core/text/fold.ts; parts are divided by line breaks
  rollups: blob(), // of its series, as many as fit; the others are in more_rollups
});

/** The rollups that do not fit into the row of details. */
export const more_rollups = sqliteTable(
  "more_rollups",
  {
    key: integer().notNull(), // of their session
    part: integer().notNull(), // from 0
    rollups: blob().notNull(), // as in details
  },
  (table) => [primaryKey({ columns: [table.key, table.part] })],
);

/** Names that sessions of a product have, for lists of them. Removed when no posting has their token any more (expired.ts). */
export const names = sqliteTable(
  "names",
  {
    kind: text({ enum: ["metric", "event", "state", "tag"] }).notNull(), // state: a path; tag: its key
    name: text().notNull(),
    product: text().notNull(),
    type: text().notNull(), // of a metric, as the first session had it; else ""
    unit: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.name, table.product] })],
);

/** The name at which the last sweep of names stopped: one row; with texts "", it reached their end. */
export const swept = sqliteTable("swept", {
  id: integer().primaryKey(), // always 1
  kind: text().notNull(),
  name: text().notNull(),
  product: text().notNull(),
});

/** The same exception in all sessions of a product. Decisions about it are in the registry. */
export const exception_groups = sqliteTable(
  "exception_groups",
  {
    product: text().notNull(),
    fingerprint: text().notNull(),
    type: text().notNull(),
    message: text().notNull(),
    place: text().notNull(), // where it arose (core/stack/where.ts); "" if it is not known
    search: text().notNull(), // type, message, place and fingerprint, folded by core/text/fold.ts
    sessions: integer().notNull(),
    count: integer().notNull(),
    unhandled: integer().notNull(),
    first_at: integer().notNull(),
    last_at: integer().notNull(),
    session_id: text().notNull(), // the session that had it last
    session_at: integer().notNull(), // and when
    session_seq: integer().notNull(),
    days: text().notNull(), // its trend: JSON of details.ts GroupDays
  },
  (table) => [primaryKey({ columns: [table.product, table.fingerprint] })],
);

/**
 * The last result and the duration of each test of a test run that is over, packed by some 500 to 1,000 (core/tests/packed.ts).
 * `parts` is a power of two, and a test is in the part that its key names, so that the history of one test reads one row of each
 * run. A row of a part is found by its key alone.
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
    run: text().notNull(), // JSON, core/answers/tests.ts TestRun; "" in other parts
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

/**
 * Counts of the sessions of a version by the day of their start. publish and removeSession keep them exact, so that no page has to count sessions;
 * those of a version are the sums over its days.
 */
export const version_days = sqliteTable(
  "version_days",
  {
    product: text().notNull(),
    version: text().notNull(),
    day: integer().notNull(), // days since 1970, UTC
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
  (table) => [primaryKey({ columns: [table.product, table.version, table.day] })],
);

/** How far a rebuild of the whole catalog is: one row while it is under way, else none. */
export const rebuild = sqliteTable("rebuild", {
  id: integer().primaryKey(), // always 1
  cursor: text().notNull(), // where the next step begins (session/publication/reindex.ts)
  done: integer().notNull(), // sessions published again
  failed: integer().notNull(), // sessions that did not answer
  total: integer().notNull(), // sessions in the roster at its beginning
});
