/** The numbers of what a session can be asked, each with its reason. What the whole product shares is in core/limits.ts. */

/** Buckets of a timeline if the query gives none: a bucket is about as wide as a bar can be drawn on a laptop's screen. */
export const DEFAULT_TIMELINE_BUCKETS = 240;
/** Segments that are opened to find what the index leaves out: each is some 100 KB, read in about 0.5 ms. */
export const MAX_SEARCHED_SEGMENTS = 200;
/** Segments of which one answer draws the values of the state: each has up to 64 KB of patches, which are parsed and merged in about 1 ms. */
export const MAX_CHARTED_SEGMENTS = 32;
/** Differences of two states that are listed: more than a person reads. */
export const MAX_DIFFERENCES = 5_000;
/** Tests of a session whose list stays in memory: 8 MB. Larger ones are read again for each answer, which takes some 100 ms for each 10,000. */
export const CACHED_TESTS = 20_000;
/** Tests whose events are read for one answer: those that a page shows unfolded. */
export const MAX_TEST_ACCOUNTS = 20;
