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
