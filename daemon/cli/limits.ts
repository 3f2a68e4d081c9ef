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
/** A progress bar is recorded after 1, 2, 4, … seconds and then once in this time: three hours of it are 190 lines. */
export const PROGRESS_MS = 60_000;
/** Characters of a control sequence's parameters: those of a colour are at most 20. */
export const MAX_PARAMETERS = 64;
/** Characters of a string for the terminal: titles and links have hundreds, a small picture has thousands. What follows is text again. */
export const MAX_CONTROL_STRING = 64 * 1024;

// Files that are attached.
/** Files and folders that are looked at: a large repository with its dependencies has 200,000 of them, and takes three seconds. */
export const MAX_WALKED = 250_000;
/** A file's time is that of the system's last step, which takes up to 10 ms. */
export const CHANGE_STEP_MS = 50;
/** Names that the summary line has. */
export const SUMMARY_NAMES = 5;

// What `datacat why` prints.
/** Frames of a stack: with the evidence and the last records they fit a screen. */
export const STACK_LINES = 12;

// The error of a recorded command.
/** The last lines of a stream in which an error is searched: stacks of a thousand frames are printed with two lines each. */
export const ERROR_TAIL_LINES = 2_000;
/** Lines kept of an error that more lines follow than that: Go prints all goroutines after a panic. */
export const ERROR_START_LINES = 300;
/** Characters of a line in which an error is searched: paths and messages are shorter. */
export const ERROR_LINE_LENGTH = 1_000;
/** Frames of an error that are recorded, of each cause: the first and the last. */
export const ERROR_FRAMES = 200;
/** Characters of an error with all its frames and causes: the server refuses events of twice that. */
export const ERROR_LENGTH = 120_000;
/** Characters of an error's type: that of a shell is a part of its message. */
export const ERROR_TYPE_LENGTH = 200;
/** Causes of an error, and members of a group. */
export const ERROR_CAUSES = 20;
/** An error explains the end if it was printed this long before: exit hooks and the parents of the program still run. */
export const ERROR_AGE_MS = 10_000;
/** And if at most this many lines followed it: usage texts, the reports of make and npm. */
export const ERROR_LINES_AFTER = 60;

// Gauges of a recorded command.
/** The first samples come early, so that short commands have points too; then one each second. */
export const FIRST_SAMPLES_MS = [100, 500] as const;
export const SAMPLE_MS = 1_000;
/** A PowerShell query takes half a second of one core. */
export const SAMPLE_WINDOWS_MS = 5_000;

/** Memory before the end that is described: a leak that ends a program within its last half minute is seen as one. */
export const MEMORY_TREND_MS = 30_000;
/** Growth that is mentioned: at least doubled, and by more than a runtime takes to start. */
export const MEMORY_GROWTH = 2;
export const MEMORY_GROWTH_BYTES = 64 * 1024 * 1024;
/** Processes of a command whose files in /proc are read for more than memory and CPU, the largest ones: four files each, 0.2 ms. */
export const MEASURED_PROCESSES = 64;
/** nvidia-smi takes up to a second, and seconds where it must load the driver. */
export const GPU_SAMPLE_MS = 15_000;
export const GPU_TIMEOUT_MS = 5_000;
/** Graphics cards of one machine: the largest servers have 16. */
export const MAX_GPUS = 16;

// Ends.
/** How long a process that is ending may take: microseconds, but on a busy machine much longer. */
export const EXIT_STATUS_MS = 500;
/** Bytes of a file that name its interpreter: Linux reads 256 (BINPRM_BUF_SIZE). */
export const MAX_SHEBANG = 256;
/** How long a command's pipes must be quiet after its end: its background processes may keep them open. */
export const DRAIN_MS = 500;
/** How often at least that is looked at, each time after the event loop has read what there is: on a busy machine time alone shows nothing. */
export const DRAIN_LOOKS = 2;
/** More than a pipe holds on Linux by default: what exceeds it was written after the command's end. */
export const MAX_PIPE_BYTES = 1024 * 1024;
/** A signal that a process sends to itself arrives at once, or not at all. */
export const SIGNAL_MS = 50;
/** `--version` of a program is stopped after this long: some start a virtual machine. */
export const CONTEXT_TIMEOUT_MS = 5_000;
/** Each git command: large repositories are slow. */
export const GIT_TIMEOUT_MS = 1_000;
/** Bytes of GitHub's file of the event of a job: that of a pull request has some 30 KB. */
export const MAX_EVENT_FILE = 1024 * 1024;
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

// Source maps.
/** A map of 32 MiB is read, cut and compressed by the server in some 3 s; a slow connection takes longer. */
export const UPLOAD_TIMEOUT_MS = 5 * 60_000;

// This machine.
/** A daemon answers in milliseconds; a busy machine may take longer to start one. */
export const DAEMON_TIMEOUT_MS = 5_000;
/** Below this `doctor` warns: the daemon's own budget is 1 GiB. */
export const LOW_DISK_BYTES = 200 * 1024 * 1024;
/** Smaller differences of the clocks are not reported: the server's is read from a header in whole seconds. */
export const SKEW_MS = 3_000;
/** `export` of a long session is many megabytes, and connections may be slow. */
export const EXPORT_TIMEOUT_MS = 60 * 60_000;
/** Bytes of a file that is sent which are read at once. */
export const UPLOAD_BYTES = 256 * 1024;
/** Files of one name in a folder: a program that attaches the same name a thousand times has other limits before. */
export const SAME_NAMES = 1_000;
/** How long `send` waits before it flushes: a daemon reads its folder within this time. */
export const SCAN_MS = 500;
/** How long `send` waits for the server to acknowledge the files. */
export const SEND_TIMEOUT_MS = 10 * 60_000;
/** Lines of output by which a command printed its exception: these are not printed again among its last events. */
export const STACK_EVENTS = 100;
/** Differences from the last good runs that `datacat why` prints: the page has the others. */
export const CHANGES = 3;
/** Damaged parts of a session that are named one by one: of a file that was cut off, thousands may be missing. */
export const DAMAGED_PARTS = 10;
/** Columns of a timeline: with its labels it fits a terminal of 80. */
export const TIMELINE_COLUMNS = 56;
/** Events before a moment that `datacat show --at` prints. */
export const MOMENT_EVENTS = 5;
