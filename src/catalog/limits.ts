/** The catalog's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** Sessions read for one page of a list at most. The next page continues after them. */
export const SCAN_SESSIONS = 10_000;
/** Microseconds in which one page verifies candidates, whatever its filters (search/scan.ts): more conditions are verified on fewer sessions. */
export const SCAN_MICROS = 42_000;
/** What verifying one candidate takes: to read it, and for each condition on one of its lists, or text in which a term is looked for. */
export const CANDIDATE_MICROS = { row: 3, list: 2.2, text: 0.6 };
/** Terms of one search: each is looked for in 4 KB of text of each candidate (CANDIDATE_MICROS.text). */
export const MAX_TERMS = 16;
/** Grams of a term by which candidates are found: of a term that is in no text, twelve have hardly ever a session in common. */
export const MAX_TERM_GRAMS = 12;
/** Tokens in one expression of the full-text index, each of which takes up to 1 ms over 100,000 sessions. */
export const MAX_EXPRESSION_TOKENS = 250;
/**
 * Sessions whose objects one list page may ask about what the catalog leaves out: each is a subrequest, of which the free plan has
 * 50, and the page itself needs some six.
 */
export const MAX_ASKED = 40;

/**
 * Sessions of each side whose differences are looked for: with 40 others a difference of one can be as unlikely as 1 in 41, and
 * their rows take 10 ms.
 */
export const COMPARED_RUNS = 40;
/** Newest sessions among which those that a filter does not find are looked for, and those that it finds. */
export const OTHERS_LOOKED_AT = 200;
/** Sessions whose series are combined step by step into one chart: parsing and adding this many rollups takes 10 ms. */
export const MAX_COMPARED_SESSIONS = 300;
/** Sessions whose distributions are merged into quantiles: parsing and adding this many takes 20 ms. */
export const MAX_DISTRIBUTED_SESSIONS = 1_000;
/** Names in one page of a list of names, unless fewer are requested: more cannot be read. */
export const MAX_NAMES = 1_000;
/** Names that are read for one page of those of a product: each takes two rows, and most may be of other products. */
export const SCAN_NAMES = 10_000;
/** Newest sessions with a state path whose values are suggested: each takes two rows, and more mostly repeat the same values. */
export const SUGGESTED_SESSIONS = 500;
/** Sessions with an incomplete list that are counted: each is a row read. */
export const MAX_COUNTED_INCOMPLETE = 1_000;
/** The newest sessions of a returned group among which its first return is looked for: at most 50 groups are listed, each row read takes 1 µs. */
export const RETURN_SESSIONS = 200;
/**
 * Sessions that had several parts of a merged group: each takes three rows read, so that it is counted once; above it, the counts
 * are marked "at most".
 */
export const MERGED_SESSIONS = 3_000;
/** Days of a trend, unless the caller asks for another number. */
export const TREND_DAYS = 30;
/**
 * Sessions that end at once when their machine has booted again: each is a subrequest of the object that reports the boot. The next
 * start ends the remaining ones.
 */
export const MAX_RETURNED = 100;
/** Characters of the trend of an exception group from which only its last MAX_GROUP_DAYS are kept: each change writes all of it again. */
export const WIDE_GROUP_LENGTH = 8_192;
/** Three times the longest trend that pages show. */
export const MAX_GROUP_DAYS = 90;
/**
 * Days and versions of the trend of one exception group; the oldest are left out. They are one row, of at most 2 MB, and merging so
 * many takes 3 ms.
 */
export const MAX_GROUP_ENTRIES = 2_000;
/** How often a publication is tried again that another one of the same session was quicker than. */
export const MAX_PUBLISH_ATTEMPTS = 5;
/**
 * Milliseconds in which a free key is looked for at once, when all keys of a session's own are taken: each has 2,048, of which each
 * that is taken is a row read.
 */
export const MILLISECONDS_AT_ONCE = 8;
/** Characters of rollups in a session's row of details; there are 600,000 in a parameter, and the other lists take up to half of them. */
export const MAX_ROLLUPS_LENGTH = 250_000;
/**
 * Rows that one sweep of empty counts may remove, and names that it looks at: it runs every hour, each removal is a row written,
 * and each name takes two rows read.
 */
export const MAX_SWEPT = 1_000;
/** With less room on its disk a local server counts as full: a batch of 1 MB and the catalog's rows of it need more. */
export const MIN_FREE_BYTES = 2 * 1024 * 1024;
/** When to ask again while a disk is full: someone has to free space. */
export const FULL_RETRY_S = 30;
/** How long the health check names damage that a request met: by then a local server has repaired the catalog. */
export const DAMAGE_SHOWN_MS = 60_000;
/** When to ask again while the catalog does not answer. */
export const RETRY_S = 5;
/** How long an isolate relies on the catalog being whole: one query in this time instead of one per list. */
export const REBUILD_CHECK_MS = 5_000;
/** Sessions still open whose bytes are added up at once: each is a row read. */
export const MAX_ADDED_UP = 2_000;
/** Days of versions, and groups of exceptions, that are added up for monitoring: each is a row read, 1 µs, at every scrape. */
export const MAX_MONITORED_ROWS = 20_000;
/** Parameters of one statement: D1's limit. */
export const MAX_PARAMETERS = 100;
/** Characters of a statement: D1 allows 100 kB, and all but its parameters is ASCII. */
export const MAX_STATEMENT_LENGTH = 100_000;
/** Ranges of versions in one query: each is compared with every version of the product, of which 10,000 take 10 ms. */
export const MAX_VERSION_RANGES = 8;
/** Characters of one parameter of a statement: D1 allows 2 MB, and a character takes at most three bytes of UTF-8. */
export const PARAMETER_LENGTH = 600_000;
/** Runs of a test's history: each reads one packed part of up to 12 KB. */
export const HISTORY_RUNS = 100;
/** Runs before one, among which the first of those is looked for in which a test failed: each is a row. */
export const COMPARED_TEST_RUNS = 20;
/** Runs over which the durations of all tests are averaged: of 10,000 tests each is 120 KB. */
export const AVERAGED_RUNS = 5;
/** Tests in the lists of the flakiest and the slowest. */
export const LISTED_TESTS = 20;
/** Groups of exceptions that are read at once for a query: each has some 500 bytes… */
export const GROUPS_AT_ONCE = 500;
/** …and for one page of the list: a product has hundreds. With more, the next page continues. */
export const MAX_SEARCHED_GROUPS = 5_000;
/** Failures that are grouped for the list of the flakiest: each is a row read, 1 µs. */
export const MAX_READ_FAILURES = 20_000;
/** Texts of a session that a list shows as what a search found: each takes a line. */
export const MAX_SHOWN_MATCHES = 3;
