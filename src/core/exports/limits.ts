/** The numbers of exports, each with its reason. What the whole product shares is in core/limits.ts. */

/** Points that are sorted at once, besides those of one more segment: each takes some 50 bytes. */
export const MAX_SORTED_POINTS = 200_000;
/** Points of a shorter part of time are not sorted any more: more than MAX_SORTED_POINTS of one millisecond stay in the order of arrival. */
export const SHORTEST_PART_MS = 1;
/** Segments whose columns stay in memory: neighbours overlap by the time that a batch is on its way. */
export const KEPT_SEGMENTS = 3;
/** Rows of one time in a wide table, for series that have as many points of this time. More begin again. */
export const MAX_ROWS_AT_ONCE = 1_000;
/** Characters of an export that its reader gets at once. */
export const PIECE_LENGTH = 64 * 1024;
