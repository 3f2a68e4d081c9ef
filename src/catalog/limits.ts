/** The catalog's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** Sessions looked at for one page of a list: some 30 ms of reading, whatever the filters. What lies beyond is the next page. */
export const SCAN_SESSIONS = 10_000;
/** A filter that fewer sessions than this pass is followed from its own index, and the rest sorted in memory. */
export const RARE_SESSIONS = 2_000;
/** Words of one search: each is a parameter, of which a statement may have 100. */
export const MAX_WORDS = 16;
/** Sessions of a list page that may be asked themselves (a path held too many values): each is a subrequest, of which the free plan has 50. */
export const MAX_ASKED = 20;

/** Sessions whose series are put together for one chart or table across sessions: parsing and laying so many rollups takes 10 ms. */
export const MAX_COMPARED_SESSIONS = 300;
/** Names in a list to pick from. */
export const MAX_NAMES = 1_000;
/** The newest sessions of a returned group among which its first return is looked for: at most 50 groups are listed, each row read takes 1 µs. */
export const RETURN_SESSIONS = 200;
/** Days of a trend, unless the caller asks for another number. */
export const TREND_DAYS = 30;
/** Sessions of the same machine that a returning machine closes at once; the next return takes the rest. */
export const MAX_RETURNED = 100;
/** Rows that one sweep of empty counts may remove. */
export const MAX_SWEPT = 1_000;
/** When to ask again while the catalog does not answer. */
export const RETRY_S = 5;
/** How long an isolate relies on the catalog being whole: one query in this time instead of one per list. */
export const REBUILD_CHECK_MS = 5_000;
/** Sessions still open whose bytes are added up at once: each is a row read. */
export const MAX_ADDED_UP = 2_000;
