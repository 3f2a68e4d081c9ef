/** Every number that bounds the daemon, each with its reason. Bytes are UTF-8, times milliseconds. */

// Lanes.
/** A lane goes on in a new file at this size, so that what the server has can be deleted while the program still runs. */
export const LANE_BYTES = 8 * 1024 * 1024;
/** One read from a lane: large enough that system calls do not count, small enough to hold one for each lane being read. */
export const READ_BYTES = 256 * 1024;
/** A line longer than this was never one of ours: the largest op is a state of 512 KiB, or an event of 256 KiB, escaped. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;
/** Headers are short; beyond this, trying each bit for the flipped one takes too long. */
export const MAX_REPAIR_BYTES = 8 * 1024;

// Batches.
/** Estimated size at which a batch is closed: below MAX_BATCH_BYTES by what the estimate may be wrong. */
export const BATCH_BYTES = 640 * 1024;
/** What one point of a column takes at most: a double's 17 digits, sign, point and exponent, a comma, and its step in time. */
export const POINT_BYTES = 24;
/** Ops in one batch: MAX_BATCH_OPS less room for what the daemon adds. */
export const BATCH_OPS = 4_900;
/** The first request after a start, and after trouble: small enough for the CPU time that a free plan gives. */
export const FIRST_REQUEST_BYTES = 256 * 1024;
/** A request never needs to be smaller: one op may be this long anyway. */
export const MIN_REQUEST_BYTES = 16 * 1024;
/** 20,000 points or so: larger ones send no more per second, and take memory. */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** Unsent bytes in a lane at which waiting for more is pointless. */
export const FULL_BYTES = 512 * 1024;
/** Counters and histograms are summed over this long: a chart never shows less. */
export const WINDOW_MS = 1_000;

// When to send.
export const CALM_MS = 5_000;
export const WATCHED_MS = 500;
/** How long a lane that nobody wakes is left alone. */
export const POLL_MS = 100;
/** With nothing growing for this long, the folder is watched instead of polled. */
export const DOZE_AFTER_MS = 2_000;
/** While it is watched, it is looked at anyway this often: not every file system tells of changes. */
export const DOZE_MS = 1_000;
export const SYNC_MS = 1_000;
/** A program's death has to be noticed within a second. */
export const WATCH_MS = 400;

// Trouble.
export const FIRST_RETRY_MS = 500;
export const MAX_RETRY_MS = 30_000;
/** A server that asks for more patience than this is not believed. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;
export const REQUEST_TIMEOUT_MS = 30_000;
/** Failures of the server in a row before requests get smaller: it may be out of CPU time rather than away. */
export const FAILURES_BEFORE_SMALLER = 2;

// State.
/** Values remembered per lane to see what a patch does not change; a state with more is sent as it comes. */
export const MAX_KNOWN_VALUES = 20_000;
/** The same over all lanes: about 100 bytes each. */
export const MAX_KNOWN_VALUES_IN_ALL = 100_000;

// Disk.
export const MAX_DISK_BYTES = 1024 * 1024 * 1024;
/** How often the folder's size is looked at: a program that writes 10 MB/s stays within a few percent. */
export const BUDGET_MS = 3_000;
/** When room is made, it is made down to this share of the budget, so that it is not made all the time. */
export const BUDGET_SHARE = 0.9;
/** Parts written anew in one go: each takes about a tenth of a second in which nothing else happens. */
export const PARTS_AT_ONCE = 4;
/** Dead letters may take this share of the budget. */
export const DEAD_SHARE = 0.05;
export const LOG_BYTES = 1024 * 1024;

// Ends.
/** With no program and nothing to send for this long, a daemon that was started on demand stops. */
export const IDLE_MS = 60_000;
/** With no program, and a server that takes nothing for this long, it stops too: what is left waits in the lanes. */
export const GIVE_UP_MS = 60 * 60_000;
/** A lane whose writer cannot be judged (another machine's or container's) and that has not grown for this long is over. */
export const ABANDONED_MS = 24 * 60 * 60_000;
/** A lane without a readable header is set aside after this long: its writer may be about to write it. */
export const HEADLESS_MS = 60_000;
/** 1.x's clients wait 5 s after SIGTERM, then kill. */
export const STOP_MS = 3_000;
/** 1.x: after the last session, the private daemon goes on answering this long. */
export const PRIVATE_LINGER_MS = 3_000;

// Clocks.
/** The machine slept if its clocks moved apart by more than this between two looks. */
export const SLEPT_MS = 2_000;
/** The daemon itself was held up if a look came this much late; nobody's heartbeat was missed meanwhile. */
export const HELD_UP_MS = 2_000;
/** Above this share of one core, a program that does not answer is busy rather than waiting. */
export const SPINNING_PERCENT = 50;

// The local API.
export const DEFAULT_PORT = 8079;
export const LOCAL_BODY_BYTES = 8 * 1024 * 1024;
/** How long `/register` asks whether the server is there; clients may wait, but not long. */
export const PROBE_MS = 500;
/** How long `/end` and `/session` wait for the server to have everything. */
export const FLUSH_MS = 5_000;

/** How often a daemon looks whether a private one has left lanes behind. */
export const RESCUE_MS = 60_000;

// The lock.
/** How long a daemon that is about to stop may still hold its home. */
export const LOCK_PATIENCE_MS = 3_000;
/** Taking over takes milliseconds; a guard older than this was left behind. */
export const GUARD_MS = 5_000;
/** How often a daemon makes sure that the home is still its own. */
export const LOCK_CHECK_MS = 5_000;
