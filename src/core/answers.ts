/**
 * What a session answers when it is asked: the shapes that the object returns (as JSON text), the API passes on unchanged and
 * the pages draw. snake_case, epoch milliseconds.
 */
import type { Confidence, MetricType, Status } from "./vocabulary.ts";
import type { Event, Json, JsonObject, Writer } from "./wire.ts";

/** One fact behind a verdict, in words a person understands, and how much it proves. */
export type Evidence = { kind: string; text: string; at?: number; confidence: Confidence };

export type Verdict = {
  status: Status;
  /** When it became so. */
  since: number;
  /** "Crashed: killed by SIGKILL", "Ended with exit code 0", "No heartbeat for 72 s". */
  headline: string;
  confidence: Confidence;
  evidence: Evidence[];
};

export type Transition = { at: number; status: Status; headline: string };

/** Nothing is lost in silence: accepted = stored + everything in `dropped`. */
export type Completeness = {
  accepted: number;
  stored: number;
  dropped: { [cause: string]: number };
};

export type Lane = { lane: string; applied: number; writer: Writer };

export type Summary = {
  id: string;
  product: string;
  version: string;
  tags: string[];
  machine_id: string;
  hostname: string;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  last_heartbeat_at: number | null;
  heartbeat_timeout_ms: number | null;
  exit_code: number | null;
  signal: string | null;
  verdict: Verdict;
  /** Was ever hung; had recovered from its last hang. */
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
  /** Of what there was more than is listed one by one (limits.ts); the log itself holds all of it. */
  beyond?: ("event_names" | "exceptions" | "state_paths")[];
  lanes: Lane[];
  /** Sender's clock minus ours at the last batch. */
  clock_skew_ms: number;
  /** Counts applied ops; grows by at least one with each change. */
  revision: number;
  segments: number;
  damaged_segments: number;
  bytes: number;
  rows_written: number;
};

/** The state as it was at a moment or after an op. */
export type StateAt = { seq: number; at: number | null; state: JsonObject };

/** One state op. `before` and `after` are given when one path was asked for. */
export type StateChange = {
  seq: number;
  at: number;
  patch: JsonObject;
};

/** One path's value, and how it came about. Absent `before` or `after`: there was nothing. */
export type PathChange = {
  seq: number;
  at: number;
  before?: Json;
  after?: Json;
  /** How long it stayed so; null for the value it still has. */
  held_ms: number | null;
  /** The event that came just before. */
  cause: EventRow | null;
};

export type Difference = {
  path: string[];
  kind: "added" | "removed" | "changed";
  before?: Json;
  after?: Json;
};
export type StateDiff = { from: StateAt; to: StateAt; differences: Difference[] };

/** `next` is the cursor of the next page; null at the end. */
export type Page<Row> = { items: Row[]; next: string | null };

export type EventRow = Omit<Event, "op"> & {
  seq: number;
  category: string;
  /** Of exceptions: groups the same failure over sessions and versions. */
  fingerprint?: string;
};

export type EventCount = {
  name: string;
  category: string;
  count: number;
  first_at: number;
  last_at: number;
};

/** One series' whole life. Statistics of a counter are over its total; of a histogram, over its samples. */
export type SeriesSummary = {
  /** Stable within the session. */
  id: number;
  name: string;
  type: MetricType;
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
  /** Counter: increase per second over its life. */
  rate?: number;
  /** Counter: the most that one update added. */
  largest_step?: number;
  quantiles: { p50: number; p95: number; p99: number } | null;
  /** Histogram: all samples, by upper bound; the last bound is null (no bound). */
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
};

export type Chart = {
  series: SeriesSummary;
  from: number;
  to: number;
  /** Points of the series in the range: "N of M points". */
  total: number;
  /** All of them, when they fit: [at, value] or, for timers, [at, value, count]. */
  points: [number, number, number?][] | null;
  buckets: ChartBucket[] | null;
};

/** Density over time, for the overview axis: all lists as long as `buckets` say, starting at `from`, `step_ms` wide. */
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

/** What the object's socket tells a page that watches. */
export type Change = {
  revision: number;
  status: Status;
  /** What kinds of op there were. */
  kinds: ("state" | "event" | "exception" | "metric" | "heartbeat" | "status")[];
};
