/**
 * The answers of a session object: the shapes that it returns (as JSON text), that the API passes on unchanged and that pages
 * render. Keys are snake_case, times epoch milliseconds.
 */
import type { AttachmentRefusal } from "./attachments/attachments.ts";
import type { StateChart } from "./state/charts.ts";
import type { Query } from "./query/tree.ts";
import type { TestKind, TestPhase, TestShown } from "./tests/vocabulary.ts";
import type { TestTotals } from "./tests/tally.ts";
import type { Confidence, MetricType, Status } from "./vocabulary.ts";
import type { Event, Json, JsonObject, Stacks, Writer } from "./wire.ts";

/** One reason for a verdict, as a sentence, and how certain the conclusion from it is. */
export type Evidence = { kind: string; text: string; at?: number; confidence: Confidence };

export type Verdict = {
  status: Status;
  /** When the status began. */
  since: number;
  /** One line for a title: "Crashed: SIGKILL", "Ended with exit code 0". */
  headline: string;
  confidence: Confidence;
  evidence: Evidence[];
};

/** The tests of a session, counted. */
export type TestRun = TestTotals & {
  /** "pytest 8.4.0"; "" if its plugin did not record it. */
  runner: string;
  /** How many tests were to run; null if that is not known. */
  planned: number | null;
  not_run: number;
  /** How many run, or ran when the session ended. */
  running: number;
  /** In lists of runs: the keys of the tests that were flaky, as far as they are listed. */
  flaky_keys?: string[];
};

/** One test of a session, by its last attempt. */
export type TestItem = {
  /** The same in all runs. */
  key: string;
  id: string[];
  /** The part of `id` that is the file. */
  file: number;
  /** As its runner prints it. */
  name: string;
  kind: TestKind;
  result: TestShown;
  /** It failed, had an error, or passed where a strict runner expects a failure. */
  is_bad: boolean;
  attempts: number;
  /** Of all phases of the last attempt; null if it is not known. */
  duration_ms: number | null;
  started_at: number | null;
  /** Of the event that explains the result. */
  at: number;
  seq: number;
  /** The first line of the failure or the reason; "" if there is none. */
  text: string;
  phase?: TestPhase | undefined;
  worker: string;
  /** It started again after this result. */
  runs_again?: true;
};

/** A test with its events in their order: of each attempt its start, if it was recorded, and its end. */
export type TestAccount = { item: TestItem; events: EventRow[] };

/** What a test had in the runs of its product in which it did not pass at once. */
export type TestPast = {
  /** Runs in which it passed only after an attempt that failed, and runs in which it failed. */
  flaky: number;
  failed: number;
  /** Start of the newest of these runs. */
  last_at: number;
  branches: string[];
};

export type TestsQuery = {
  results?: TestShown[];
  /** Occurs in the name or in the first line, folded (core/text/fold.ts). */
  text?: string;
  /** The first parts of the id. */
  prefix?: string[];
  keys?: string[];
  /** Of core/tests/fields.ts. */
  query?: Query | undefined;
  /** By key, for a query for tests of a product. */
  past?: { [key: string]: TestPast };
  sort?: "name" | "duration";
  cursor?: string;
  limit?: number;
};

/** `matching`: tests on all pages. `left_out`: rows of tests that are over the limit of a list. */
export type TestList = Page<TestItem> & { matching: number; left_out: number };

/** The first tests of each part of a run's report, and how many each has. */
export type TestReport = {
  [part in "failures" | "running" | "flaky" | "unexpected" | "skipped" | "slowest"]: {
    items: TestItem[];
    matching: number;
  };
} & {
  /** Of all failures, as many as one may ask about. */
  failing_keys: string[];
};

/** A part of the ids of tests, such as a file or a class, with the counts of the tests under it. */
export type TestSuite = {
  part: string;
  tests: number;
  failed: number;
  skipped: number;
  flaky: number;
  running: number;
  /** Sum of the tests' durations. */
  duration_ms: number;
  /** Tests are below it. */
  has_more: boolean;
  /** Of the test that ends with this part; null if there is none. */
  key: string | null;
};

export type Transition = { at: number; status: Status; headline: string };

/**
 * The ops that the program issued: accepted = stored + the sum of `dropped`, by cause of the loss. Reports of losses and the daemon's
 * observations are not counted.
 */
export type Completeness = {
  accepted: number;
  stored: number;
  dropped: { [cause: string]: number };
  /** Stored ops of which a value was cut or described, by cause. */
  /** As `future_time` and `sent_at`: times that cannot be true, and are bounded or not used. */
  altered?: { [cause: string]: number };
  /** Which of their fields, as the client names them ("metric.name", "data.user"): the first ones. */
  altered_fields?: string[];
  loss_times?: LossTimes[];
  /** If there are any: how many were announced, how many are there as a whole, and how many were refused. */
  attachments?: { announced: number; arrived: number; refused: number };
};

/** When ops were lost for a cause, by the program's clock. `at_least`: more were lost than could be counted. */
export type LossTimes = { cause: string; from: number; to: number; at_least?: boolean };
/** What of a session's storage cannot be read. Everything else is in the answers. */
export type DamagedPart = {
  /**
   * storage: the database file; segment: a whole segment; numbers: its sequences and time, which are taken from its neighbours; index:
   * what was counted in it, which is counted again from its log; state: the state at its start; log: some or all of its ops; summary: what
   * a search skips it by, without which it is read; attachment: some or all of the content of one, whose op is `first_seq`.
   */
  part: "storage" | "segment" | "numbers" | "index" | "state" | "log" | "summary" | "attachment";
  /** The segment's id; null for the storage, and for an attachment. */
  segment: number | null;
  /** Its first and last op. */
  first_seq?: number;
  last_seq?: number;
  /** How many of its records are lost, if that is known. */
  lost?: number;
};

/**
 * How many entries the index of a session leaves out, by what reached its limit (limits.ts): events under names that it does not list,
 * exceptions under fingerprints that it does not list, refused attachments that it does not list, changes of state paths that it does not list, paths that had more values than it
 * lists, tags, writers of lanes of which only the process is kept, and the oldest changes of the status. The log has all but the last two.
 * `catalog_…` are entries that the index lists and the catalog does not.
 */
export type LeftOut = {
  event_names?: number;
  exceptions?: number;
  state_paths?: number;
  state_values?: number;
  tags?: number;
  attachments?: number;
  writers?: number;
  transitions?: number;
  catalog_series?: number;
  catalog_event_names?: number;
  catalog_exceptions?: number;
};

/** What a session may have had once; it must have had all of it. */
export type HeldQuery = {
  event?: string;
  /** Any of these fingerprints, in a session of the product. */
  exceptions?: { fingerprint: string; product?: string }[];
  tag?: string;
  metric?: string;
  /** A path, with any of these values (core/state/values.ts), or with any value at all. */
  state?: { path: string[]; texts?: string[] };
  /** A test of this name (core/tests/listed.ts). */
  test?: string;
  /** Each of these occurs in a text of it, or in its names (core/session/searched.ts). They are folded. */
  terms?: string[];
  /** And all else that it must meet. */
  rest?: Query;
};

export type LaneProgress = {
  lane: string;
  applied: number;
  writer: Writer;
  /** How far its clock was ahead of the server's at its newest op, by which its times are corrected. Absent if it agrees. */
  clock_offset_ms?: number;
};

/** The clock of a machine was set: at the corrected time of the next op, forward if `by_ms` is positive. */
export type ClockStep = { at: number; by_ms: number };

export type Summary = {
  id: string;
  product: string;
  version: string;
  tags: string[];
  machine_id: string;
  hostname: string;
  /** The browser and its system, if a page records; else "". */
  browser: string;
  created_at: number;
  /** The time of the newest op, and when the server received it. */
  updated_at: number;
  received_at: number;
  ended_at: number | null;
  /** The last moment: the end, or now by the session's clock while it goes on (core/session/duration.ts). */
  last_at: number;
  /** How long it ran, and how long its status has lasted, as of this answer. */
  ran_ms: number;
  status_ms: number;
  last_heartbeat_at: number | null;
  heartbeat_timeout_ms: number | null;
  exit_code: number | null;
  signal: string | null;
  /** Exceptions that nothing caught. */
  uncaught: number;
  /** Tests, and files or hooks of suites, that did not pass. */
  failed_tests: number;
  /** If it is a test run. */
  tests?: TestRun;
  verdict: Verdict;
  /** Whether it was hung at any time. */
  ever_hung: boolean;
  transitions: Transition[];
  counts: {
    states: number;
    events: number;
    exceptions: number;
    points: number;
    series: number;
    heartbeats: number;
  };
  ledger: Completeness;
  /** How many entries are left out of lists that have more than their limit (limits.ts). The log holds all. */
  left_out?: LeftOut;
  lanes: LaneProgress[];
  /** The sender's clock minus the server's at the last batch. */
  clock_skew_ms: number;
  /** What shown times are corrected by since the last batch: the sender's clock was ahead by this. */
  clock_offset_ms: number;
  /** The newest times at which a clock was set. */
  clock_steps: ClockStep[];
  /** Number of applied ops. */
  revision: number;
  segments: number;
  damaged_segments: number;
  /** What cannot be read, as far as it was noticed: a segment is checked when it is read. */
  damaged?: DamagedPart[];
  bytes: number;
  rows_written: number;
};

/** A session in a list: the answer of `GET /api/sessions`. */
export type SessionRow = {
  id: string;
  product: string;
  version: string;
  status: Status;
  ever_hung: boolean;
  recovered: boolean;
  headline: string;
  machine_id: string;
  hostname: string;
  browser: string;
  tags: string[];
  created_at: number;
  updated_at: number;
  received_at: number;
  status_since: number;
  /** How long it ran, and how long its status has lasted, as of this answer. */
  ran_ms: number;
  status_ms: number;
  ended_at: number | null;
  last_heartbeat_at: number | null;
  states: number;
  events: number;
  exceptions: number;
  points: number;
  series: number;
  /** Announced, and not refused. */
  attachments: number;
  exit_code: number | null;
  signal: string | null;
  uncaught: number;
  /** Of a test run: how many tests ended, and how many did not pass; else 0. */
  tests: number;
  failed_tests: number;
  bytes: number;
  revision: number;
  /** Parts of its storage that cannot be read, as far as was noticed. */
  damaged: number;
  /** Lists of it that are incomplete in the catalog, as bits (catalog/search/filter.ts). 0: none. */
  left_out: number;
  /** It may have what the filter asks for: its index is incomplete, and its log is too long to be searched, or did not answer. */
  unsure?: true;
  /** It may have a value that the list is sorted by: its own list is incomplete. Such sessions come after those with a value. */
  unsorted?: true;
};

/** The state at a moment or after an op. */
export type StateAt = {
  seq: number;
  at: number | null;
  state: JsonObject;
  damaged?: DamagedPart[];
};

/** One state op. */
export type StateChange = {
  seq: number;
  at: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
  /** From when on the state has it, if it arrived after a later change, as from another lane. */
  applied_at?: number;
  patch: JsonObject;
};

/** A change of the value at one path. `before` or `after` is absent where the path had no value. */
export type PathChange = {
  seq: number;
  at: number;
  /** From when on the state has it, if it arrived after a later change, as from another lane. */
  applied_at?: number;
  before?: Json;
  after?: Json;
  /** How long the path kept this value; null if it still has it. */
  held_ms: number | null;
  /** The last event before the change. */
  cause: EventRow | null;
};

export type Difference = {
  path: string[];
  kind: "added" | "removed" | "changed";
  before?: Json;
  after?: Json;
};
export type StateDiff = {
  from: StateAt;
  to: StateAt;
  differences: Difference[];
  /** There are more differences than are listed. */
  partial?: true;
};

/** Values of the state over a range of time. */
export type StateCharts = {
  from: number;
  to: number;
  /** The last moment of the session: later there are no values. */
  until: number;
  items: StateChart[];
  /** Paths that the query matches, and all that the session's index lists. */
  matching: number;
  paths: number;
  /** Changes of the state that are of other paths. */
  left_out: number;
  /** When the values are not known: `damaged` is lost, `unread` is read if a shorter range is asked for. */
  unknown: { from: number; to: number; cause: "damaged" | "unread" }[];
  damaged?: DamagedPart[];
};

/** `next` is the cursor of the next page; null at the end. */
export type Page<Row> = { items: Row[]; next: string | null; damaged?: DamagedPart[] };

/** Events of a session. */
export type EventPage = Page<EventRow> & {
  /** The page is not full, because one question opens a bounded part of the log: the search is at this time, and `next` continues it. */
  searched_to?: number;
};

export type EventRow = Omit<Event, "op"> & {
  seq: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
  category: string;
  /** Of exceptions: equal for the same failure in all sessions and versions. */
  fingerprint?: string;
};

/** The stacks of threads at one time, of a hang or of the end of the process. */
/** `resolved`: also by the source maps that the server has of the product's version. */
export type StackRow = Omit<Stacks, "op"> & {
  seq: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
};

/** An attachment, and how much of its content has arrived. */
export type AttachmentRow = {
  /** Of its op. */
  seq: number;
  id: string;
  at: number;
  name: string;
  type: string;
  size: number;
  sha256: string;
  group?: string;
  /** All of it is there, and matched its checksum. */
  complete: boolean;
  received_bytes: number;
  /** Why its content is not taken. */
  refused?: AttachmentRefusal;
  /** A part of the content is missing in the storage, although all of it was there. */
  damaged?: true;
};

export type EventCount = {
  name: string;
  category: string;
  count: number;
  first_at: number;
  last_at: number;
};

/**
 * Quantiles, interpolated linearly between the two nearest ranks. `exact`: of the values themselves. Otherwise of a sketch, within 1 % of the
 * value at that rank, or of a histogram's buckets, within the bucket.
 */
export type Quantiles = {
  p50: number;
  p95: number;
  p99: number;
  exact: boolean;
  /** The greatest relative error of a sketch, if it exceeds 1 %: of values from 1e-300 to 1e300. */
  accuracy?: number;
};

/** One series over the whole session. Statistics of a counter are over its running total; of a histogram, over its samples. */
export type SeriesSummary = {
  /** Stable within the session. */
  id: number;
  name: string;
  type: MetricType;
  /** The type that a program of 1.x gave, if it has no meaning; "histogram" if it sent single samples to the server. */
  legacy_type?: string;
  unit: string;
  tags: string[];
  metadata: JsonObject | null;
  points: number;
  first_at: number;
  last_at: number;
  first: number;
  last: number;
  min: number;
  max: number;
  mean: number;
  stddev: number | null;
  sum: number;
  /** Counter: increase per second between its first and last point; a decrease or reset is none. */
  rate?: number;
  /** Counter: the largest increase by one update. */
  largest_step?: number;
  quantiles: Quantiles | null;
  /** Histogram: number of samples by upper bound; the bound of the last bucket is null (unbounded). */
  buckets?: { le: number | null; count: number }[];
};

/** One bucket of a chart. */
export type ChartBucket = {
  from: number;
  to: number;
  count: number;
  min: number;
  max: number;
  mean: number;
  first: number;
  last: number;
  /** Counter: the increase per second that arose in the bucket; null if it is not known. */
  rate?: number | null;
  /** If they were asked for; a counter has none. */
  quantiles?: Quantiles | null;
  /** When the first and the last point were recorded. */
  first_at: number;
  last_at: number;
};

/** A counter's increase from `from` to `to`, and the same per second. */
export type Rate = { from: number; to: number; increase: number; rate: number };

export type Chart = {
  series: SeriesSummary;
  from: number;
  to: number;
  /** Points of the series in the range: "N of M points". */
  total: number;
  /** All points, if they fit: [at, value] or, for timers, [at, value, count]. */
  points: [number, number, number?][] | null;
  /** If the points do not fit, or quantiles were asked for. */
  buckets: ChartBucket[] | null;
  /** Counter: its rate over the range, each over a bucket or a second, whichever is longer. */
  rates?: Rate[];
  /** Of the values in the range, if they were asked for; a counter has none. */
  quantiles?: Quantiles | null;
  /** Points that are farther apart than this have missing data between them (core/metrics/gaps.ts). Absent if too few points are known. */
  gap_ms?: number;
  /** Values that were refused because they are NaN or infinite: when, and how many. */
  refused?: [at: number, count: number][];
};

/** Counts over time for the overview: each list has one entry per bucket of `step_ms`, starting at `from`. */
export type Timeline = {
  from: number;
  to: number;
  step_ms: number;
  states: number[];
  events: number[];
  exceptions: number[];
  heartbeats: number[];
  points: number[];
};

/** The message that the live socket sends to a watching page. */
export type Change = {
  revision: number;
  status: Status;
  /** The kinds of ops that were applied. */
  kinds: ("state" | "event" | "exception" | "metric" | "heartbeat" | "attachment" | "status")[];
};

/** The answer of `POST /api/reindex`. */
export type Reindexed = {
  /** Ids of sessions, or of objects if it was called with those. */
  done: string[];
  failed: { id: string; error: string }[];
  /** Sessions of the catalog that do not exist any more. */
  removed: string[];
};

/** The same for one step of rebuilding the whole catalog. */
export type RebuildStep = Reindexed & {
  /** The `cursor` of the next step; null after the last one. */
  next: string | null;
  /** Sessions in the roster; in the first answer only, because counting them reads a row for each. */
  total?: number;
};
