/** Numbers of the client alone, each with its reason; what the server bounds is in core's limits. */

/** When a part of a lane is full (clients/README.md): small enough to be read, sent and deleted while the session goes on. */
export const LANE_BYTES = 8 * 1024 * 1024;
/** Paths whose losses are told, per session: beyond this the program is mistaken everywhere, and one more note helps nobody. */
export const MAX_TOLD_PATHS = 1_000;
/** Strings up to this stay whole when an event is cut to fit: names, paths and codes are what identifies it. */
export const WHOLE_STRING = 64;
/** Series whose encoded names are remembered: many more than a session may hold is a mistake that must not eat memory. */
export const MAX_REMEMBERED = 4_096;
