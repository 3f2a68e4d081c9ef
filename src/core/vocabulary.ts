/** The terms of Datacat that occur as values, the same in TypeScript, Python, Go, JSON and SQL. */

export const METRIC_TYPES = ["gauge", "counter", "histogram", "timer"] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

export const STATUSES = ["active", "suspended", "hung", "crashed", "ended"] as const;
export type Status = (typeof STATUSES)[number];

/** The one label of each status that people read. */
export const STATUS_LABELS: Record<Status, string> = {
  active: "Running",
  suspended: "Lost contact",
  hung: "Hung",
  crashed: "Crashed",
  ended: "Ended",
};

/** What people decide about a group of exceptions. */
export const GROUP_STATUSES = ["open", "resolved", "muted"] as const;
export type GroupStatus = (typeof GROUP_STATUSES)[number];

/** `ingest` keys write only, `read` keys read only, `upload` keys add source maps only, `admin` keys do everything. */
export const KEY_KINDS = ["ingest", "read", "upload", "admin"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What the audit list records. */
export const AUDIT_ACTIONS = [
  "signed_in",
  "sign_in_failed",
  "key_refused",
  "signed_out",
  "key_created",
  "key_changed",
  "key_revoked",
  "session_exported",
  "session_imported",
  "session_deleted",
  "exceptions_merged",
  "exceptions_split",
  "source_maps_uploaded",
  "source_maps_deleted",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** How certain a verdict or a piece of evidence is. */
const CONFIDENCES = ["certain", "likely", "unsure"] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/**
 * 1.x's default upper bounds of a histogram, in its unit, suited for seconds. An unbounded bucket always follows the last one.
 */
export const DEFAULT_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Names of events that the object itself adds: those of 1.x, whose programs search for them. */
export const EVENT_HUNG = "application_appears_hung";
export const EVENT_RECOVERED = "application_recovered";
export const EVENT_CRASHED = "session_crashed_detected";
export const DAEMON_GROUP = "datacat.daemon";
/** The daemon's event for what a runtime wrote as its process ended: a segmentation fault, a fatal error. */
export const EVENT_FATAL = "fatal_error";
/** The daemon's event for a process that joined the session, or was forked by one of its processes, and was ended by something else. */
export const EVENT_PROCESS_GONE = "process_gone";
/** The event of `datacat run` for a command that could not be started. */
export const EVENT_NOT_STARTED = "command_not_started";
/** The default name of an event with an exception. */
export const EVENT_EXCEPTION = "exception";
/** A line of a command's output, in the group of its stream. */
export const EVENT_OUTPUT = "output";
export const OUTPUT_STREAMS: readonly string[] = ["stdout", "stderr"];

/** Causes of a loss. A client may send others; these have a label on the page. */
const DROP_CAUSES = [
  "disk_full", // the lane could not be written: no space, no free inode, or over quota
  "read_only", // the lane could not be written: its file system is read-only
  "no_permission", // the lane could not be written: the user may not
  "write_failed", // the lane could not be written for another reason; the detail has the system's error
  "disk_budget", // the daemon removed it to keep within its disk budget
  "damaged", // a record's checksum did not match
  "queue_full", // a client without a disk ran out of memory budget
  "too_large", // an event, state or batch over its limit
  "refused", // the server refused it for good; the daemon keeps it among the rejected batches
  "series_limit", // more series than a session may hold
  "not_finite", // NaN or infinity as a metric's value
  "unserialisable", // recorded as its description instead
  "unreadable", // an attachment whose file could not be read
] as const;
export type DropCause = (typeof DROP_CAUSES)[number];

/** Stands before a figure that is not exact: a quantile of a sketch or of a histogram's buckets. */
export const APPROXIMATE = "≈";

/** Marks a quantile that is not exact, and names its error if that is greater than the usual one: "≈ 412", "≈ 4e200 ± 2 %". */
export function markQuantile(text: string, { exact, accuracy }: Marked): string {
  if (exact) return text;
  return `${APPROXIMATE} ${text}${accuracy === undefined ? "" : ` ± ${percentOf(accuracy)} %`}`;
}

type Marked = { exact: boolean; accuracy?: number };

/** Rounded up. */
export function percentOf(accuracy: number): number {
  return Math.ceil(accuracy * 100);
}
