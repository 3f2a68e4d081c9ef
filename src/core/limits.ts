/**
 * The limits of the core, each with its reason. Bytes are of UTF-8, times in milliseconds. Each is written in literals: esbuild puts only
 * such constants into the browser's file where they are used, and no others.
 */

// One request.
/** A Worker has 128 MB of memory: several bodies, each as text and as parsed ops, must fit at once. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Parameters of one query: every filter once, and some of them with several values. */
export const MAX_PARAMETERS = 100;
/** Characters of a query for sessions: several times what a person writes. */
export const MAX_QUERY_LENGTH = 2_000;
/** Conditions and texts of a query: each is up to four parameters of a statement, of which D1 allows 100. */
export const MAX_QUERY_TERMS = 16;
/** Values of all conditions of a query: each is a comparison with every candidate, or one text of a list. */
export const MAX_QUERY_VALUES = 100;
/** Those of them with a *: each is compared with every name that a session lists, of which 10,000 sessions may have a million. */
export const MAX_QUERY_PATTERNS = 20;
/** Parentheses and negations within each other, in a query: the parser and the compiler call themselves for each. */
export const MAX_QUERY_DEPTH = 20;
/** After gunzip, against gzip bombs. Ops compress about 10:1, so an ordinary sender reaches MAX_BODY_BYTES first. */
export const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/** Lists and objects in one body: each takes up to 60 bytes of memory, so 30 MB. A batch of MAX_BATCH_BYTES has 350,000 at most. */
export const MAX_CONTAINERS = 500_000;
/**
 * Different keys in one body: each takes a microsecond of processor time where it is parsed, redacted and merged. A state of 512 KiB has
 * 87,000 at most, and programs use the same few names again and again.
 */
export const MAX_DIFFERENT_KEYS = 200_000;
/** A JSON text of this length has too few lists and objects to be counted. */
export const UNCOUNTED_LENGTH = 1024 * 1024;
/** A batch is stored in one row together with the keyframe of the state, and a row of Cloudflare's SQLite has at most 2 MB. */
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Keeps a batch within the CPU time of one invocation on the free plan (10 ms). The points within an op are not counted. */
export const MAX_BATCH_OPS = 5_000;
/**
 * Records of one batch that need no op of their own: counters and histograms are summed, and state that does not change is left out.
 * More than the records of a full part of a lane (8 MiB), and a bound for what a batch can claim without an op.
 */
export const MAX_BATCH_AGGREGATED = 1_000_000;
/** The last sequence of a lane, and the most that one report of a loss counts: more than a disk holds. Sums of both stay exact. */
export const MAX_SEQUENCE = 1e12;
/** Sessions in one request: each is a subrequest, and the free plan allows 50. */
export const MAX_BATCHES = 40;

// Budgets of API keys (core/access/budget.ts). The free plan writes 100,000 rows a day, in objects and in D1 each.
/** Half of the free plan: a key that leaked leaves the other half to the others, also after one request of the largest cost (MAX_SESSION_ROWS). */
export const DEFAULT_ROWS_PER_DAY = 50_000;
/** A session that only starts and ends writes ten rows to D1: as many as DEFAULT_ROWS_PER_DAY allows. */
export const DEFAULT_SESSIONS_PER_DAY = 5_000;
/**
 * 20 a second: a daemon sends one request at a time, and while it waits for the answer it gathers the next one. A test suite on
 * four machines stays below.
 */
export const DEFAULT_REQUESTS_PER_MINUTE = 1_200;
/** A tenth of the storage of the free plan (5 GB): ten days of a key that leaked fill it. */
export const DEFAULT_ATTACHMENT_MIB_PER_DAY = 500;
/** The largest budget that can be set: sums of both stay exact. */
export const MAX_BUDGET = 1e9;
/** Bytes of a body that count as one request: some 2,000 ops, a tenth of a second of CPU in the slowest case. */
export const REQUEST_BYTES = 256 * 1024;
/**
 * The longest wait that a refusal for a budget asks for. A budget that was raised is noticed after it, and a waiting sender makes
 * 288 requests a day.
 */
export const BUDGET_RETRY_MS = 5 * 60_000;

/** The length of a UTC day, the unit of all trends. */
export const DAY_MS = 86_400_000;
/** How long sessions are kept without activity, unless DATACAT_RETENTION_DAYS is set: 1.x's default. */
export const DEFAULT_RETENTION_DAYS = 365;
/** The last time that an ECMAScript Date can represent (ECMA-262 §21.4.1.1). */
export const MAX_TIME = 8.64e15;
/**
 * A smaller difference of two clocks is not corrected: synchronised ones differ by less. Not longer than CRASH_REVERT_MS, for which
 * an op may be later than a crash.
 */
export const CLOCK_TOLERANCE_MS = 1_000;
/** Ops of several threads may be recorded in another order than that of their times. Shorter than CRASH_REVERT_MS, for the same reason. */
export const CLOCK_JITTER_MS = 250;
/** A request may be under way this long (twice the time-out of the daemon and of direct mode), so that a clock seems to be behind. */
export const CLOCK_DELAY_MS = 60_000;
/** No program pauses this long between two ops: its session would have been deleted. */
export const CLOCK_PAUSE_MS = 365 * 86_400_000;
/** Times before 2020 (UTC) are of a clock that was not set after its machine started: datacat did not exist. */
export const UNSET_CLOCK_BEFORE = 1_577_836_800_000;
/** A clock that is further ahead is not believed: the clocks of 32-bit systems end in 2106. */
export const MAX_CLOCK_AHEAD_MS = 100 * 365.25 * 86_400_000;
/** The longest time-out of heartbeats. A longer one is no detection, and its end may be no time at all. */
export const MAX_HEARTBEAT_TIMEOUT_MS = 365 * 86_400_000;
/** Settings of the clock that the index keeps; the oldest are removed first. */
export const MAX_CLOCK_STEPS = 20;

// One session.
/** The state is the keyframe of each segment: one row of at most 2 MB holds it beside a whole batch. */
export const MAX_STATE_BYTES = 512 * 1024;
/** A deeper tree is unreadable for a person. Far below the recursion limits of others (SQLite's JSON: 1,000). */
export const MAX_DEPTH = 64;
/** Keys in the whole tree: as many as a tree view can render and a diff can compare. */
export const MAX_STATE_KEYS = 20_000;
/** A stack of a thousand frames fits; a memory dump does not. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Series (name, type and tags) per session: the index lists every one and is written with each segment. */
export const MAX_SERIES = 1_000;
/** Size of all series' names, tags, bounds and metadata in the index. */
export const MAX_SERIES_BYTES = 256 * 1024;
/** Distinct (name, category) of events, and distinct exceptions, that the index counts one by one. Others are only in the log. */
export const MAX_EVENT_NAMES = 300;
export const MAX_FINGERPRINTS = 100;
/** Size of all event names with their categories in the index. */
export const MAX_EVENT_NAMES_BYTES = 128 * 1024;
/** State paths whose values are indexed for search: enough for dialogs and settings, not for a mirrored database. */
export const MAX_STATE_PATHS = 100;
/**
 * Entries of all paths in the index: each value, and one more for each path. An entry is a token of the catalog's index and up to
 * 500 bytes of its lists.
 */
export const MAX_STATE_VALUES = 230;
/** Values per path: enough for modes, levels and names. A path with more, such as a progress counter, is marked instead. */
export const MAX_PATH_VALUES = 8;
/** Characters of such a value: people search for short values, and longer ones mostly differ in their first characters. */
export const MAX_VALUE_LENGTH = 200;
/** Size of all paths and their values in the index. */
export const MAX_PATHS_BYTES = 128 * 1024;
// What of it the catalog lists: a new name is a row, and a kind of exception is one; the lists of a session are one row. Its object
// has the rest, and is asked for it.
export const MAX_LISTED_SERIES = 200;
export const MAX_LISTED_EVENT_NAMES = 100;
export const MAX_LISTED_EXCEPTIONS = 40;
/**
 * Rows of catalog and registry that a session takes at most: those of new names, kinds of exceptions and tests, and some forty for
 * the session itself with its lists and counts. Those of the 40 sessions of one request (MAX_BATCHES) are half a day of the free
 * plan.
 */
export const MAX_SESSION_ROWS = 1_250;
/** Causes of loss that are counted one by one: vocabulary.ts names nine, and a client may send others. */
export const MAX_DROP_CAUSES = 50;
/** Cut or described fields that a session names: a page shows them in one sentence. */
export const MAX_ALTERED_FIELDS = 10;
/** Names of events and metrics, categories, groups, units, products, versions: things shown in lists. */
export const MAX_NAME_LENGTH = 256;
export const MAX_LABELS = 64;
export const MAX_LABEL_LENGTH = 256;
/** Upper bounds of a histogram. */
export const MAX_BUCKETS = 256;
/** Columns of a series in a segment: the buckets of a histogram, the one above, and what is known of all samples of a point. */
export const MAX_COLUMNS = MAX_BUCKETS + 5;
/** Session and lane ids: a UUID, or 1.x's `local-session-…`; Durable Object names may have 1,024. */
export const MAX_ID_LENGTH = 128;
/** Lanes per session (processes and restarts that write to it): the index keeps each of them. */
export const MAX_LANES = 1_000;
/** Lanes of which the whole writer is kept. A session with more restarts often, and the further writers differ little. */
export const MAX_WHOLE_WRITERS = 32;
/** Characters of a writer's arguments. */
export const MAX_ARGUMENTS_LENGTH = 1_000;
/** Characters of an exception's type and message in the index and in lists. */
export const MAX_EXCEPTION_LENGTH = 200;
/** Characters of the names of its calls there: some ten frames. */
export const MAX_CALLS_LENGTH = 400;
/** Characters of what a search through all sessions looks through in one of them without asking its object: two pages of the catalog's database. */
export const MAX_SEARCHED_TEXT = 4_000;
/** Characters of the messages of events that the index keeps for it: a part of the text above, since the index is written with each batch… */
export const MAX_SEARCHED_MESSAGES = 3_000;
/** …and of one of them: people search for a sentence. */
export const MAX_SEARCHED_MESSAGE = 500;
/**
 * Characters of the texts in the data and the tags of events that it keeps for it, with their paths: a hundred different ones, as
 * the index is written with each batch…
 */
export const MAX_SEARCHED_DATA = 1_500;
/** …of one of them, as of a value of the state… */
export const MAX_SEARCHED_DATUM = 200;
/** …and how many of one event: each is compared with those that are there. */
export const MAX_EVENT_TEXTS = 64;
/** Characters of the last lines of output that it keeps for it, some ten lines… */
export const MAX_SEARCHED_OUTPUT = 1_000;
/** …and of one of them. */
export const MAX_OUTPUT_LINE = 300;
/** Characters of the reason and the message of a crash, and of an exception's message in the evidence. */
export const MAX_REASON_LENGTH = 1_000;
/** Characters of a line of a stack, or of a message, that patterns are matched with: paths and names of functions are shorter. */
export const MAX_MATCHED_LENGTH = 1_000;
/** Lines of a stack that are matched: those of a recursion of a thousand frames, for which Python prints up to five lines each. */
export const MAX_STACK_LINES = 5_000;
/** Threads of one sample of stacks: a program with more mostly has a pool of equal ones. */
export const MAX_STACK_THREADS = 64;
/** Frames of one thread: as many as Python's faulthandler writes. A recursion repeats them. */
export const MAX_THREAD_FRAMES = 100;
/** Characters of one frame: a path, a function's name and, in Go, its arguments. */
export const MAX_FRAME_LENGTH = 500;
/** Characters of all frames of one sample: a quarter of the largest event, since a hang has four samples. */
export const MAX_STACKS_LENGTH = 64 * 1024;
/** Samples of one hang: three at its start, so that a loop is distinguished from a wait, and the last one before its end. */
export const MAX_HANG_SAMPLES = 4;
/** Functions of a stack that group exceptions: more only repeat where a program came from. */
export const MAX_GROUPED_FRAMES = 50;
/** Causes of an exception that group it: longer chains only wrap the same failure. */
export const MAX_GROUPED_CAUSES = 5;
/** Causes and members of an exception that are shown: as many as the clients record. Each may have a stack of a screen. */
export const MAX_SHOWN_CAUSES = 64;
/** Bytes of an attachment: a screenshot, a log, a save; a core dump only if it is small. It crosses in chunks of ATTACHMENT_CHUNK_BYTES. */
export const MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024;
/** Bytes of all attachments of a session: a hundred sessions that use it all are the storage of the free plan. */
export const MAX_SESSION_ATTACHMENT_BYTES = 50 * 1024 * 1024;
/** Attachments of a session: the index lists each of them and is written with each batch. */
export const MAX_ATTACHMENTS = 200;
/** The most of them that a setting can allow: each is some 300 bytes of the index. */
export const MAX_LISTED_ATTACHMENTS = 1_000;
/** How often a content that does not match its checksum may be sent. */
export const MAX_ATTACHMENT_FAILURES = 3;
/** Refused ones that the index lists, with their reason. */
export const MAX_REFUSED_ATTACHMENTS = 50;
/** A chunk is a row of the object's storage, and a row has at most MAX_ROW_BYTES. */
export const ATTACHMENT_CHUNK_BYTES = 1024 * 1024;
/** Characters of a media type: the longest registered ones have some 80. */
export const MAX_ATTACHMENT_TYPE_LENGTH = 100;
/** Changes of the verdict that the index keeps; the oldest are removed first. */
export const MAX_TRANSITIONS = 50;

// Segments.
/** Cloudflare's limit for a row of SQLite. */
export const MAX_ROW_BYTES = 2_000_000;
/** Each batch rewrites the open segment, so it is sealed when its body exceeds this. */
export const SEGMENT_BYTES = 64 * 1024;
/** …or when its columns have so many values: those that repeat one value take hardly a byte, but 16 bytes each in memory. */
export const SEGMENT_VALUES = 1_000_000;

/** Segments without a readable state at their start, one after the other, from which the state is still worked out: each is read. */
export const MAX_REPAIRED_SEGMENTS = 100;
/** Fewer bytes than this do not get smaller by deflate. */
export const MIN_DEFLATE_BYTES = 48;
/** Values of a column per byte of it: a column of one repeated value has 24 bytes. More means damage, and would take much memory. */
export const MAX_VALUES_PER_BYTE = 100_000;
/** Distinct keys, names, groups and labels in a segment's summary. With more, the segment counts as a possible match. */
export const MAX_SUMMARY_ENTRIES = 200;
/** Size of a segment's Bloom filter: about 5 % false positives (core/segments/bloom.ts), and a small part of a segment. */
export const BLOOM_BITS_PER_RUN = 8;
export const MAX_BLOOM_BYTES = 4_096;
/** Values of which a session gives exact quantiles: they are kept in memory, 8 KB a series. */
export const MAX_EXACT_VALUES = 1_000;
/** Values that are stored themselves instead of a sketch: no more bytes than its bins. */
export const MAX_PACKED_VALUES = 100;
/** Relative error of a sketch's quantile. Less than the promised 1 %, which rounding then does not exceed. */
export const SKETCH_ACCURACY = 0.0095;
/** Bins of a sketch until they become wider: 67 orders of magnitude without a gap. */
export const MAX_SKETCH_BINS = 8_192;
/** Steps of a session for which quantiles are kept: each is a sketch in memory and in the catalog. */
export const MAX_QUANTILE_STEPS = 30;
/** Characters of these in the catalog. Over it, steps become twice as long: a comparison reads those of 300 sessions. */
export const MAX_QUANTILE_STEPS_LENGTH = 4_096;
/** Shortest time over which a rate is drawn. */
export const MIN_RATE_MS = 1_000;
/** A run of a counter's points goes on after at most this time: the daemon sums increments over a second. */
export const MAX_RUN_GAP_MS = 1_500;
/** Runs of a counter's points in memory: a counter that is incremented once a minute has 1,000 in 16 hours. */
export const MAX_RUNS = 1_000;
/** Runs of those that a later run may follow, when there are more. */
export const MAX_RUN_ENDS = 16;
/** Buckets of a rollup: as many as a sparkline has pixels. */
export const MAX_ROLLUP_BUCKETS = 120;
/** First width of a rollup's buckets: finer than a sparkline can show. */
export const FIRST_ROLLUP_STEP_MS = 1_000;

// Times.
/** A session whose sender gave no `lease_ms` is suspended after this time without contact. */
export const DEFAULT_LEASE_MS = 5 * 60_000;
/** The longest lease: the object's alarm is set for its end. */
export const MAX_LEASE_MS = 24 * 60 * 60_000;
/** 1.x's heartbeat timeout, for its `/heartbeat` route: its daemon sends one every 15 s. */
export const LEGACY_LEASE_MS = 60_000;
/** The lease that the daemon requests: it sends at least every third of this while a session is open. */
export const DAEMON_LEASE_MS = 180_000;
export const DEFAULT_HEARTBEAT_TIMEOUT_MS = 60_000;
/** A heartbeat may be this late after its timeout: batching and the network take as long. */
export const HEARTBEAT_GRACE_MS = 2_000;
/** An op up to this long after a crash does not revert it: the last ops of a program may arrive after the crash was detected. */
export const CRASH_REVERT_MS = 1_000;
/** An uncaught exception explains an end only if the last op came at most this long after it: exit hooks may still log. */
export const EXIT_HOOKS_MS = 5_000;
/** A change of a process's memory that is named as one: less is the garbage collector's. */
export const NOTABLE_BYTES = 8 * 1024 * 1024;
/** Above this share of one core, a hung program is busy rather than waiting. */
export const BUSY_PERCENT = 50;
/** A machine with less of its memory available is short of it: systems begin to end processes at about this share. */
export const LOW_MEMORY_SHARE = 0.05;
/** Shortest time between two publications of a running session. Start, end, crash, hang and a new exception are published at once. */
export const PUBLISH_MS = 30_000;
/**
 * Shortest time between two publications of a running session's lists, by which it is found. They are two rows more than its own,
 * and twice a millisecond.
 */
export const POSTING_MS = 120_000;
/** Longest time between two attempts to publish. */
export const MAX_PUBLISH_DELAY_MS = 10 * 60_000;
/** First wait after a failed publication. It doubles with each failure, up to MAX_PUBLISH_DELAY_MS. */
export const PUBLISH_RETRY_MS = 5_000;
/** Shortest time between two messages to a watching page. */
export const LIVE_MS = 250;

// Answers.
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 1_000;
/** Buckets or points of one chart: the maximum exceeds the pixels of a wide screen. */
export const DEFAULT_POINTS = 500;
export const MAX_POINTS = 10_000;
/**
 * Usual intervals of a series after which data is missing, so that no line is drawn. Points at random times (a Poisson process) exceed
 * five times their upper quartile once in a thousand intervals.
 */
export const GAP_INTERVALS = 5;
/** Part of a session's length by which points outside of it widen its charts. With more, the session itself would be hard to see. */
export const WIDEST_EXCESS = 0.1;

// Differences between runs.
/** Others with a complete list below which nothing is compared: “in none of three” is no evidence. */
export const MIN_OTHERS = 4;
/** What is at most so likely by chance is listed, and after correction for the number of tests called significant: the usual level. */
export const SIGNIFICANT = 0.05;
/** Values up to which ranks are counted one by one: 10,000 additions. With more, the normal approximation is close. */
export const EXACT_RANK_ITEMS = 12;

// CI context (core/ci/ci.ts).
/** Characters of a name (a branch, a job, the subject of a commit): git's and the services' own limits are below. */
export const MAX_CI_TEXT = 500;
/** Characters of a link: what browsers and proxies pass. */
export const MAX_CI_URL = 2_000;
