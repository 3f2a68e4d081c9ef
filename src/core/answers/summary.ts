/**
 * The summary of a session. This folder has the answers of a session object: the shapes that it returns (as JSON text), that the API
 * passes on unchanged and that pages render. Keys are snake_case, times epoch milliseconds.
 */
import type { Completeness, LeftOut } from "./completeness.ts";
import type { DamagedPart } from "./damage.ts";
import type { TestRun } from "./tests.ts";
import type { Transition, Verdict } from "./verdict.ts";
import type { Writer } from "../batch.ts";

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
