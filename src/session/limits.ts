/** The numbers of session objects and their clients, each with its reason. What the whole product shares is in core/limits.ts. */

/** Sessions published again in one step: the free plan allows 50 subrequests, and each session writes to the catalog. */
export const REINDEX_AT_ONCE = 20;
/** Sessions of the catalog that one step looks for in the roster: each is a row read in both. */
export const MAX_COMPARED_WITH_ROSTER = 1_000;
/** Requests to an object that is being moved or restarted, which takes less than a second. */
export const ATTEMPTS = 3;
/** The first wait before the next attempt; doubled each time, with jitter. */
export const RETRY_MS = 50;
/**
 * Names of series, events, paths and tags of a session that are expected to be in the catalog already, so that they cost its key no
 * row in advance.
 */
export const USUAL_NAMES = 50;
/** How long the answer to a request waits for the databases. Then the session objects publish by their alarms. */
export const PUBLISH_WAIT_MS = 2_000;
/** Series of a session that is published together with others: 40 sessions with as many rows of 6 KB take 24 MB of the Worker's 128 MB. */
export const MAX_SERIES_TOGETHER = 100;
/**
 * Session objects in memory on one machine, besides those that are evicted next: 330 KB each. More that run at the same time are
 * read again for each batch, which takes 1 ms.
 */
export const MAX_RESIDENT = 128;
/** Session objects in one request to the evictor. */
export const EVICTED_AT_ONCE = 16;
/** How long a live socket stays open after its viewer's access was checked: as long as a revoked key is cached. */
export const LIVE_ACCESS_MS = 60_000;
/** Segments that stay in memory while the questions of one request are answered: up to some 10 MB each. */
export const MAX_KEPT_SEGMENTS = 2;
/** How long an import may pause: a sender sends the next parts within seconds. What it stored is removed then. */
export const IMPORT_PAUSE_MS = 60 * 60_000;
