/** Every number that bounds the `datacat` command, each with its reason. Times are milliseconds. */

// Output of a recorded command.
/** Longer lines are cut: a screen shows a fraction of this, and minified files would fill the session. */
export const MAX_LINE_LENGTH = 4_096;
/** Lines recorded per second on average: more than a person reads, and a tenth of what fills a lane in a minute. */
export const LINES_PER_SECOND = 200;
/** Lines recorded at once before that rate applies: a test report is printed at once. */
export const BURST_LINES = 2_000;
/** Lines kept back above that rate, the oldest dropped first: the last ones before the end are always recorded. */
export const TAIL_LINES = 200;
/** A line without its line break (a question, a progress bar) is recorded after this long. */
export const PARTIAL_LINE_MS = 1_000;

// Gauges of a recorded command.
/** The first samples come early, so that short commands have points too; then one each second. */
export const FIRST_SAMPLES_MS = [100, 500] as const;
export const SAMPLE_MS = 1_000;
/** A PowerShell query takes half a second of one core. */
export const SAMPLE_WINDOWS_MS = 5_000;

// Ends.
/** How long a command's pipes must be quiet after its end: its background processes may keep them open. */
export const DRAIN_MS = 500;
/** More than a pipe holds on Linux by default: what exceeds it was written after the command's end. */
export const MAX_PIPE_BYTES = 1024 * 1024;
/** A signal that a process sends to itself arrives at once, or not at all. */
export const SIGNAL_MS = 50;
/** `git status` and `--version` are stopped after this long: large repositories are slow. */
export const CONTEXT_TIMEOUT_MS = 5_000;
/** Characters of such an output that are read: a commit, a branch and the changed files of an ordinary change. */
export const CONTEXT_LENGTH = 10_000;

// The server.
/** Any answer comes within a second; a slow connection or a server that is just starting takes longer. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** How often `tail -f` asks for new events, and `logs -f` reads the log. */
export const FOLLOW_MS = 500;
/** A step of `reindex` asks 20 sessions, each of which writes to the catalog. */
export const REINDEX_TIMEOUT_MS = 60_000;
/** A step that the server refuses is repeated after a second, doubled each time: a busy catalog recovers within half a minute. */
export const REINDEX_TRIES = 5;
export const REINDEX_RETRY_MS = 500;

// This machine.
/** A daemon answers in milliseconds; a busy machine may take longer to start one. */
export const DAEMON_TIMEOUT_MS = 5_000;
/** Below this `doctor` warns: the daemon's own budget is 1 GiB. */
export const LOW_DISK_BYTES = 200 * 1024 * 1024;
/** Smaller differences of the clocks are not reported: the server's is read from a header in whole seconds. */
export const SKEW_MS = 3_000;
/** `export` of a long session is many megabytes, and connections may be slow. */
export const EXPORT_TIMEOUT_MS = 60 * 60_000;
/** How long `send` waits before it flushes: a daemon reads its folder within this time. */
export const SCAN_MS = 500;
/** How long `send` waits for the server to acknowledge the files. */
export const SEND_TIMEOUT_MS = 10 * 60_000;
