/** The numbers of this client, each with its reason. The server's bounds are in core's limits, direct mode's in direct/limits.ts. */

/** When a part of a lane is full (clients/README.md): small enough to be read, sent and deleted while the session continues. */
export const LANE_BYTES = 8 * 1024 * 1024;
/** How long a lane waits after a part could not be opened, the same in every client. A frame may make a thousand calls. */
export const REOPEN_AFTER_MS = 250;
/** How often a lane checks that its file still exists. */
export const CHECK_AFTER_MS = 1_000;
/** The space that a session reserves for its last reports and its end, besides the header: four reports take 800 bytes, an end 60. */
export const RESERVED_BYTES = 3_072;
/** Paths per session whose losses are recorded with their path: a program with more of them has a general mistake, which the first thousand show. */
export const MAX_REPORTED_PATHS = 1_000;
/** The most bytes of an op's sequence and time, which stand before its text. */
export const OP_PREFIX_BYTES = 64;
/** Characters to which an event's strings are cut first: half of the largest event. */
export const LONGEST_CUT = 131_072;
/** Strings of at most this many characters stay whole when an event is cut: names, paths and codes identify it. */
export const WHOLE_STRING = 64;
/** Encoded names that are cached: four times the series of a session. A program with more of them must not fill the memory. */
export const MAX_CACHED = 4_096;

/** Exceptions kept in one chain of causes, the same in every client: a longer chain is a cycle or a mistake. */
export const CAUSES_KEPT = 16;
/** Causes, contexts and members of one exception: a group of more tasks fails for few reasons. These numbers, too, are the same in every client. */
export const TREE_KEPT = 64;
/** Innermost frames of each of these: the others are mostly those of the exception itself. */
export const CAUSE_FRAMES = 100;
/** Characters of their stacks together: a quarter of an event. */
export const CAUSES_LENGTH = 65_536;
/** Characters of the message of each of these: an eighth of that. */
export const CAUSE_MESSAGE_LENGTH = 8_192;
/** Attributes of one exception: database drivers have 20. */
export const ATTRIBUTES_KEPT = 32;
/** Properties that are examined: an object with more is data, not a description. */
export const ATTRIBUTES_LOOKED_AT = 1_000;
/** Characters of an attribute: a paragraph. */
export const ATTRIBUTE_LENGTH = 1_000;
/** Names of classes with at most so many characters come from a bundler. */
export const MINIFIED_LENGTH = 2;
/** Excerpts of source of one exception: those of its innermost frames. */
export const SOURCE_EXCERPTS = 16;
/** Lines before and after the line of a frame. */
export const SOURCE_LINES = 4;
/** Characters of a source line. */
export const SOURCE_LENGTH = 200;
/** Source files that are kept: the files of a program where it throws. */
export const SOURCE_FILES = 64;
/** The largest source file that is read: a larger one is a bundle, whose lines explain nothing. */
export const SOURCE_FILE_BYTES = 512 * 1024;
/** Heartbeats per timeout: two may be late before the session counts as hung. */
export const HEARTBEATS_PER_TIMEOUT = 3;
/** The longest delay of a timer (2^31 - 1 ms): one with a longer delay fires at once. */
export const LONGEST_DELAY_MS = 2_147_483_647;

/** Samples of a hang (clients/README.md, "Samples"), the same in every client: three show whether the stack changes. */
export const HANG_SAMPLES = 3;
/** The longest interval between these; a third of the timeout if that is shorter. */
export const SAMPLE_INTERVAL_MS = 5_000;
/** The interval of further samples of the same hang. The daemon keeps the last one. */
export const REPEAT_INTERVAL_MS = 60_000;
/** A timer that is later than this shows that the process was stopped or the machine slept, so the next heartbeat gets its time again. */
export const LATE_TIMER_MS = 1_000;
/**
 * A main thread that runs a script pauses within 15 to 400 ms of the request, most of them for the list of its scripts. Without an
 * answer by then it is in native code.
 */
export const NATIVE_AFTER_MS = 2_000;
/** A script that runs pauses at once after the answer. Without a pause by then none runs: the event loop is idle. */
export const IDLE_AFTER_MS = 200;
/** Scripts of a long block in a page that are recorded, the longest first: the first one mostly is the block. */
export const SCRIPTS_KEPT = 8;
/** Characters of such a script's address and of its function: together they fit into a frame (MAX_FRAME_LENGTH in core). */
export const LONGEST_NAME = 200;
