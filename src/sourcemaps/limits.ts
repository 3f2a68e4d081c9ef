/** The numbers of stored source maps, each with its reason. Those of one map are in core/sourcemaps/limits.ts. */

/** Maps of one version: builds of the largest web applications write some hundred. */
export const MAX_FILES = 2_000;
/** Compressed bytes of one version. A Durable Object holds 10 GB, and a free account 5 GB in all objects. */
export const MAX_VERSION_BYTES = 512 * 1024 * 1024;
/** Decompressed blocks in memory, of at most 128 KB each. One stack needs some ten. */
export const CACHED_BLOCKS = 64;
/** Indexes of maps in memory, of at most 300 KB each. */
export const CACHED_INDEXES = 16;
/** How long an isolate keeps the answer whether a version has maps. */
export const KNOWN_MS = 10_000;
/** Versions of which that is kept. */
export const MAX_KNOWN = 1_000;
/** Recording an exception waits this long for its maps. Then it is recorded and grouped without them. */
export const RECORD_WAIT_MS = 2_000;
/** Exceptions of one request that are resolved before they are recorded: a loop that throws sends the same ones again and again. */
export const MAX_RESOLVED_EVENTS = 20;
