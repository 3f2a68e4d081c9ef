/** Numbers of the client alone, each with its reason; what the server bounds is in core's limits. */

/** When a part of a lane is full (clients/README.md): small enough to be read, sent and deleted while the session goes on. */
export const LANE_BYTES = 8 * 1024 * 1024;
/** Paths whose losses are told, per session: beyond this the program is mistaken everywhere, and one more note helps nobody. */
export const MAX_TOLD_PATHS = 1_000;
/** What an op's sequence and time, which stand before its text, may take. */
export const OP_HEAD_BYTES = 64;
/** Where cutting an event's strings starts: half of any limit there is. */
export const LONGEST_CUT = 131_072;
/** Strings up to this stay whole when an event is cut to fit: names, paths and codes are what identifies it. */
export const WHOLE_STRING = 64;
/** Series whose encoded names are remembered: many more than a session may hold is a mistake that must not eat memory. */
export const MAX_REMEMBERED = 4_096;

/** JavaScript's last date, in epoch milliseconds: the server takes none later. */
export const LAST_DATE = 8.64e15;
/** Exceptions that led to an exception: beyond this it is a loop, or nobody reads on. */
export const MAX_CAUSES = 10;
/** Heartbeats per timeout: two may be late before anyone worries. */
export const BEATS_PER_TIMEOUT = 3;
/** Timers cannot wait longer (2^31 - 1 ms): they would fire at once. */
export const LONGEST_DELAY_MS = 2_147_483_647;

// Direct mode (clients/README.md): ops wait in memory.
/** What an outage may cost the program in memory… */
export const QUEUE_OPS = 10_000;
/** …measured in text, which is also what IndexedDB keeps. */
export const QUEUE_BYTES = 4 * 1024 * 1024;
/** One request: small enough for a phone on a bad line to finish. */
export const SEND_LENGTH = 256 * 1024;
export const SEND_OPS = 1_000;
/** Browsers refuse more than 64 KiB in requests that outlive the page, and a character may take three bytes. */
export const FAREWELL_LENGTH = 20 * 1024;
/** How long ops may wait for company. */
export const FLUSH_MS = 1_000;
/** While someone has the session's page open. */
export const WATCHED_FLUSH_MS = 500;
/** First wait after a failed request; doubled each time, up to the longest. */
export const RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 60_000;
/** A request that is not answered by then has failed. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** The sender will be heard again within this time, or the session counts as suspended: heartbeats of a page in the background are rare. */
export const DIRECT_LEASE_MS = 180_000;
/** How long a session with nothing to say may be silent. */
export const KEEP_ALIVE_MS = DIRECT_LEASE_MS / 3;
/** What a program that is done may wait for its unsent tail: long enough for a request, too short to annoy. */
export const FAREWELL_MS = 2_000;
/** How long `flush()` waits for the server unless told otherwise. */
export const FLUSH_TIMEOUT_MS = 5_000;
