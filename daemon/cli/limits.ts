/** Every number that bounds the `datacat` command, each with its reason. Times are milliseconds. */

// Output of a recorded command.
/** Longer lines are cut in the recording: a screen shows a fraction of this, and minified files would fill the session. */
export const MAX_LINE_LENGTH = 4_096;
/** Lines recorded per second, in the long run: more than anyone reads, a tenth of what fills a lane in a minute. */
export const LINES_PER_SECOND = 200;
/** …after this many at once: a whole test report comes in one go. */
export const BURST_LINES = 2_000;
/** Lines held back when there are too many, oldest dropped first: the last ones before the end are always recorded. */
export const TAIL_LINES = 200;
/** A line that has not ended yet (a question, a progress bar) is recorded as it stands after this long. */
export const PARTIAL_LINE_MS = 1_000;

// Gauges of a recorded command.
/** The first looks come early, so that short commands have points too; then one each second. */
export const FIRST_SAMPLES_MS = [100, 500] as const;
export const SAMPLE_MS = 1_000;
/** Asking PowerShell takes half a second of a core. */
export const SAMPLE_WINDOWS_MS = 5_000;

// Ends.
/** How long a command's pipes have to be quiet after its end: what it started may hold them open for ever. */
export const DRAIN_MS = 500;
/** More than a pipe can hold on Linux (unless root raised it): what comes after it is not the command's any more. */
export const MAX_PIPE_BYTES = 1024 * 1024;
/** A signal that a process sends to itself arrives at once, or not at all. */
export const SIGNAL_MS = 50;
/** What is asked about the working folder and versions is only for the record; big repositories are slow to answer. */
export const FACTS_TIMEOUT_MS = 5_000;

// The server.
export const REQUEST_TIMEOUT_MS = 15_000;
/** `tail -f` asks this often. */
export const FOLLOW_MS = 500;

// This machine.
/** A daemon answers in milliseconds; a busy machine may take longer to start one. */
export const DAEMON_TIMEOUT_MS = 5_000;
/** Less than this and the disk will soon be full: the daemon's own budget is 1 GB. */
export const LOW_DISK_BYTES = 200 * 1024 * 1024;
/** The server's clock is read from a header in whole seconds. */
export const SKEW_MS = 3_000;
