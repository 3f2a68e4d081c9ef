/** Every number that bounds a page, with its reason. */

/** Buckets of the overview: one per four pixels of a laptop's screen, and 5 KB of markup at most. */
export const TIMELINE_BUCKETS = 240;
/** Rows of a list that come with the page; more come as it is scrolled. */
export const LIST_ROWS = 50;
/** Lines of output at once: a few screens, 30 KB at most. */
export const OUTPUT_LINES = 200;
/** Longest text shown in a row before it is opened. */
export const ROW_TEXT = 400;
/** Longest text of a value inside the state tree; the rest is in its history. */
export const VALUE_TEXT = 200;
/** Nodes of the state tree drawn at once: what a person can scan, and 60 KB of markup. Deeper branches are fetched when opened. */
export const TREE_NODES = 300;
/** Members drawn of one object or list: beyond this the rest is fetched. */
export const TREE_MEMBERS = 100;
/** Values of one path's history at once. */
export const HISTORY_ROWS = 30;
/** Events shown before and after the cursor. */
export const AROUND_BEFORE = 6;
export const AROUND_AFTER = 3;
/** Events that a verdict shows as the program's last words. */
export const LAST_WORDS = 4;
/** Exceptions drawn with their frames at once; more come as the list is scrolled. */
export const EXCEPTION_ROWS = 10;
/** Metric charts in the first answer: a few screens. */
export const CHARTS = 24;
/** Points or buckets per chart: one per two pixels of a wide screen. */
export const CHART_POINTS = 600;
/** Points or buckets of a chart as a picture: one per four pixels, for those without script. */
export const SPARKLINE_POINTS = 240;
/** Rows of each list on the home page. */
export const HOME_ROWS = 6;
/** Versions of a product on the home page; older ones are in the list of sessions. */
export const HOME_VERSIONS = 8;
/** Names offered while one types: more cannot be read. */
export const SUGGESTIONS = 100;
/** Exception groups on a page: each is four lines high, so this is two screens. */
export const GROUP_ROWS = 20;
/** Sessions side by side. */
export const MAX_COMPARED = 5;
/** Newest ended sessions among which one that ended well is looked for. */
export const GOOD_LOOKED_AT = 20;
/** Metrics drawn on a comparison at once. */
export const COMPARED_METRICS = 12;
/** Points of each line on a comparison: as fine as a chart's buckets. */
export const COMPARED_POINTS = 120;
/** State values that differ, shown on a comparison. */
export const COMPARED_VALUES = 300;
/** Lines of a chart across sessions; more cannot be told apart. */
export const CHART_GROUPS = 6;
/** Groups in the table across sessions; grouped by session there may be 300, which nobody reads. */
export const STATISTICS_ROWS = 50;
/** What Cloudflare's free plan allows: rows written a day, by session objects and by the catalog each… */
export const FREE_ROWS_PER_DAY = 100_000;
/** …bytes of all session objects together… */
export const FREE_OBJECT_BYTES = 5e9;
/** …and of the catalog. */
export const FREE_CATALOG_BYTES = 500e6;
