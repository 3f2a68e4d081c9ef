/** The field's words, spelled once. The same in TypeScript, Python, Go, JSON and SQL. */

export const OPS = [
  "start",
  "state",
  "event",
  "metric",
  "points",
  "heartbeat",
  "pause",
  "resume",
  "hang",
  "recovered",
  "slept",
  "dropped",
  "end",
  "crash",
] as const;
export type OpName = (typeof OPS)[number];

export const METRIC_TYPES = ["gauge", "counter", "histogram", "timer"] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** Severities of an event, lightest first. Any other text is kept as it is and shown like `info`. */
export const CATEGORIES = ["debug", "info", "warning", "error", "critical"] as const;

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

/** How sure a verdict is of itself. */
export const CONFIDENCES = ["certain", "likely", "unsure"] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/**
 * 1.x's default upper bounds of a histogram, in its unit; a last bucket without bound (+Inf) always follows.
 * Good for seconds.
 */
export const DEFAULT_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Events that the object itself writes, named as 1.x named them, so that its programs find them. */
export const EVENT_HUNG = "application_appears_hung";
export const EVENT_RECOVERED = "application_recovered";
export const EVENT_CRASHED = "session_crashed_detected";
export const DAEMON_GROUP = "datacat.daemon";
/** The name of an event that carries an exception, unless the program named it otherwise. */
export const EVENT_EXCEPTION = "exception";

/** Why something that a program logged is not in its session. Free text is allowed; these have words on the page. */
export const DROP_CAUSES = [
  "disk_full", // the lane could not be written
  "disk_budget", // the daemon made room
  "damaged", // a record's checksum did not match
  "queue_full", // a client without a disk ran out of memory budget
  "too_large", // an event, state or batch over its limit
  "refused", // the server would not have it, and it was parked in the dead letters
  "series_limit", // more series than a session may hold
  "not_finite", // NaN or infinity as a metric's value
  "unserialisable", // recorded as its description instead
] as const;
