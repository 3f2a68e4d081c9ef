/** Every number that bounds something, in one place, each with its reason. Bytes are UTF-8, times milliseconds. */

// What one request may bring.
/** A Worker has 128 MB in all; a body, its text and its parsed form must fit several times over. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** After gunzip: stops gzip bombs. Ops compress about 10:1, so honest senders meet MAX_BODY_BYTES first. */
export const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/** One batch is stored in one row, whose limit on Cloudflare is 2 MB with the state's keyframe beside it. */
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Keeps a batch within the CPU of one invocation on the free plan (10 ms). Points within an op do not count. */
export const MAX_BATCH_OPS = 5_000;
/** Sessions in one request: each is a subrequest, and the free plan allows 50. */
export const MAX_BATCHES = 40;

/** JavaScript's last date. */
export const MAX_TIME = 8.64e15;

// What a session may hold.
/** The keyframe that opens each segment; a row is 2 MB at most, and the state is in it beside a whole batch. */
export const MAX_STATE_BYTES = 512 * 1024;
/** Beyond this nothing can be read by a person, and recursion elsewhere (SQLite's JSON: 1,000) stays far away. */
export const MAX_DEPTH = 64;
/** Keys over the whole tree: what a tree view can still open, a diff still compare. */
export const MAX_STATE_KEYS = 20_000;
/** A stack of a thousand frames fits; a memory dump does not. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Series (name, type and tags) per session: the newest segment's index lists them all. */
export const MAX_SERIES = 1_000;
/** What all series' names, tags, bounds and metadata may take of the index together. */
export const MAX_SERIES_BYTES = 256 * 1024;
/** Distinct (name, category) of events, and distinct exceptions, that a session counts one by one; the rest are counted together. */
export const MAX_EVENT_NAMES = 300;
export const MAX_FINGERPRINTS = 100;
/** What the names of events, with their examples, may take of the index together. */
export const MAX_EVENT_NAMES_BYTES = 128 * 1024;
/** Paths whose values can be searched for later: a state of forms and settings fits; one that mirrors a database does not. */
export const MAX_STATE_PATHS = 200;
/** Values per path: enough for modes, levels and names; a progress counter passes it at once and is marked as such. */
export const MAX_PATH_VALUES = 8;
/** Characters of such a value: people search for words, and longer ones still differ in their beginnings. */
export const MAX_VALUE_LENGTH = 200;
/** What all paths and their values may take of the index together. */
export const MAX_PATHS_BYTES = 128 * 1024;
/** Causes in the ledger of what was lost: there are nine with words, and a client may invent more. */
export const MAX_DROP_CAUSES = 50;
/** Names of events and metrics, categories, groups, units, products, versions: things shown in lists. */
export const MAX_NAME_LENGTH = 256;
export const MAX_LABELS = 64;
export const MAX_LABEL_LENGTH = 256;
/** Upper bounds of a histogram. */
export const MAX_BUCKETS = 256;
/** Session and lane ids: a UUID, or 1.x's `local-session-…`; Durable Object names may have 1,024. */
export const MAX_ID_LENGTH = 128;
/** Lanes per session (processes and restarts that write to it): each is kept in the index for ever. */
export const MAX_LANES = 1_000;
/** Verdict changes kept with the session; the oldest go first. */
export const MAX_TRANSITIONS = 50;

// Segments.
/** A row of Cloudflare's SQLite has 2 MB at most. */
export const MAX_ROW_BYTES = 2_000_000;
/** An open segment is rewritten by each batch, so it is kept small; sealed when its body passes this. */
export const SEGMENT_BYTES = 64 * 1024;

// Waiting.
/** Silence after which a session that promised nothing counts as suspended. */
export const DEFAULT_LEASE_MS = 5 * 60_000;
/** Nobody can promise more: an alarm is set for its end. */
export const MAX_LEASE_MS = 24 * 60 * 60_000;
/** 1.x's heartbeat timeout, for its `/heartbeat` route. */
export const LEGACY_LEASE_MS = 60_000;
/** What a daemon promises: it writes at least every third of this while a session is open. */
export const DAEMON_LEASE_MS = 180_000;
export const DEFAULT_HEARTBEAT_TIMEOUT_MS = 60_000;
/** How late a heartbeat may be beyond its timeout before the verdict: batching and the network take this long. */
export const HEARTBEAT_GRACE_MS = 2_000;
/** News of a running session reach the catalog no more often than this; start, end, crash, hang and a new exception at once. */
export const PUBLISH_MS = 30_000;
/** Its series, event counts and state values are many rows, and follow as seldom as to write no more than this… */
export const PUBLISH_ROWS_PER_SECOND = 0.15;
/** …but at least this often. */
export const MAX_PUBLISH_DELAY_MS = 10 * 60_000;
/** First wait after the catalog did not answer; doubles each time, up to MAX_PUBLISH_DELAY_MS. */
export const PUBLISH_RETRY_MS = 5_000;
/** A page that watches is told of changes no more often than this. */
export const LIVE_MS = 250;

// Answers.
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 1_000;
/** Buckets or raw points of one chart: more than the pixels of a wide screen. */
export const DEFAULT_POINTS = 500;
export const MAX_POINTS = 10_000;
