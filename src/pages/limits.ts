/** The limits of the pages, each with its reason. */

/**
 * Shortest time between two requests of an open page for the same part; the server announces changes every LIVE_MS at most. What is
 * looked at closely is fetched soonest; what costs the session object most or changes least, later.
 */
export const REFRESH_MS = {
  /** The number of sessions that are newer than those of a list. */
  newer: 15_000,
  charts: 400,
  moment: 300,
  output: 300,
  timeline: 500,
  attachments: 1_000,
  exceptions: 500,
  events: 500,
  verdict: 1_000,
  tests: 3_000,
  figures: 3_000,
  heartbeat: 5_000,
  /** The time axis of a session that hangs, or runs without a new op: its end is now. */
  hung: 5_000,
  idle: 30_000,
  home: 5_000,
};
/** A search field is sent after this pause in typing, so that not every letter makes a request. */
export const TYPING_MS = 300;
/** Buckets of the overview: one per four pixels of a laptop's screen, and 5 KB of markup at most. */
export const TIMELINE_BUCKETS = 240;
/** Bytes of a form: a saved view has the longest field, a query of an address of 16 KiB. */
export const MAX_FORM_BYTES = 64 * 1024;
/** Thumbnails on the time axis: more than fit beside each other. Each may be an image of 10 MiB, which is fetched when it is in view. */
export const TIMELINE_THUMBNAILS = 12;
/** Rows of a list in the first answer; more are fetched when it is scrolled. */
export const LIST_ROWS = 50;
/** Lines of output at once: a few screens, 30 KB at most. */
export const OUTPUT_LINES = 200;
/** Longest text shown in a row before it is opened. */
export const ROW_TEXT = 400;
/** Longest text of a value in the state tree; the rest is in its history. */
export const VALUE_TEXT = 200;
/** Nodes of the state tree drawn at once: 60 KB of markup. Deeper branches are fetched when opened. */
export const TREE_NODES = 300;
/** Members drawn of one object or list; the rest is fetched. */
export const TREE_MEMBERS = 100;
/** Values of one path's history at once. */
export const HISTORY_ROWS = 30;
/** Paths of the state that are drawn at first: together as high as two charts. */
export const STATE_CHARTS = 8;
/** All paths that a session's index lists (MAX_STATE_PATHS), and the one whose history is shown. */
export const ALL_STATE_CHARTS = 101;
/** Parts of a path's time: one per two pixels of a laptop's plots. */
export const STATE_CHART_POINTS = 400;
/** Events shown before and after the cursor. */
export const AROUND_BEFORE = 6;
export const AROUND_AFTER = 3;
/** The last events that the verdict shows. */
export const LAST_EVENTS = 4;
/** Events among which those are that are no lines of output: a program that fails prints a stack last. */
export const LAST_EVENTS_READ = 60;
/** The last lines of output below a verdict: an error with its frames and what led to it, in a third of a screen. */
export const LAST_LINES = 14;
/** Exceptions with their frames in the first answer; more are fetched when the list is scrolled. */
export const EXCEPTION_ROWS = 10;
/** Metric charts in the first answer: a few screens. */
export const CHARTS = 24;
/** Colours that values of a tag have in charts: more are hard to distinguish. charts.css has them. */
export const TAG_COLOURS = 6;
/** Points or buckets per chart: one per two pixels of a wide screen. */
export const CHART_POINTS = 600;
/** Times of a chart over which quantiles are drawn: each needs enough values, and a sketch that is merged. */
export const QUANTILE_BUCKETS = 60;
/** Points or buckets of a chart as a picture: one per four pixels, for those without script. */
export const SPARKLINE_POINTS = 240;
/** Rows of each list on the home page. */
export const HOME_ROWS = 6;
/** Versions of a product on the home page; older ones are in the list of sessions. */
export const HOME_VERSIONS = 8;
/** z of a one-sided test at the 5 % level: a regression is shown if it is larger. */
export const SIGNIFICANT_Z = 1.645;
/** A crash-free share of fewer sessions is too uncertain for a comparison with the version before. */
export const MIN_SESSIONS_FOR_CHANGE = 5;
/** Smallest change of a share that is shown, in percentage points: a smaller one is displayed as 0.0. */
export const MIN_CHANGE_POINTS = 0.05;
/** Lines of source shown before and after that of a frame: its block is recognisable, and ten frames still fit on a screen. */
export const EXCERPT_LINES = 5;
/** Suggestions in a field: a longer list is not read. */
export const SUGGESTIONS = 100;
/** Columns of the list of sessions beside the headline: more are wider than any screen. */
export const MAX_COLUMNS = 16;
/** Products or versions up to which they are options of a list to open; more are searched by their beginning. */
export const LISTED_OPTIONS = 40;
/** Newer sessions that a list counts while it is open: above it, it names this number and a plus sign. */
export const COUNTED_NEWER = 100;
/** Exception groups on a page: each is four lines high, so this is two screens. */
export const GROUP_ROWS = 20;
/** Sessions side by side. */
export const MAX_COMPARED = 5;
/** Newest ended sessions that are searched for one without an error. */
export const GOOD_LOOKED_AT = 20;
/** Differences shown at once, and when unfolded: more are not read. */
export const DISTINCTIONS = 8;
export const MORE_DISTINCTIONS = 100;
/** Metrics drawn on a comparison at once. */
export const COMPARED_METRICS = 12;
/** Points of each line on a comparison: as fine as a chart's buckets. */
export const COMPARED_POINTS = 120;
/** Rows of a table on a comparison: more are not read. */
export const COMPARED_VALUES = 300;
/** Lines of a plot across sessions; more are not distinguishable. */
export const CHART_GROUPS = 6;
/** Groups in the table across sessions; grouped by session there may be 300. */
export const STATISTICS_ROWS = 50;
/** Metrics that are compared across sessions at once: two screens. */
export const METRICS_AT_ONCE = 4;
/** Sessions of one step of a chart that are listed: more are not read. */
export const STEP_SESSIONS = 50;
/** Points of two metrics that are links to their sessions: 150 KB of markup. */
export const LINKED_POINTS = 1_000;
/** Cells of a plot of points, of which each that has any is one mark: one per two pixels of a laptop's screen. */
export const SCATTER_CELLS = { across: 500, up: 150 };
/** Newest sessions whose metrics are shown before one is chosen. */
export const OVERVIEW_SESSIONS = 30;
/** Metrics shown before one is chosen: each with a sparkline, which is a query. */
export const OVERVIEW_METRICS = 12;
/** Characters of a query that an address may have: half of what it may be. */
export const QUERY_LENGTH = 1_000;
/** What Cloudflare's free plan allows: rows written a day, by session objects and by the catalog each… */
export const FREE_ROWS_PER_DAY = 100_000;
/** …bytes of all session objects together… */
export const FREE_OBJECT_BYTES = 5e9;
/** …and of the catalog. */
export const FREE_CATALOG_BYTES = 500e6;
/** Entries of the audit list in the settings: the last days of a person who works alone. */
export const AUDIT_NEWEST = 10;
/** Entries of the audit list on its own page: a few screens. */
export const AUDIT_ROWS = 100;
/** Links to sessions that are not compared: those that one sentence can name. */
export const UNLISTED_LINKS = 3;
/** Versions with source maps in the settings: more than a person reads. */
export const SOURCE_MAP_ROWS = 200;
/** Tests in each part of a run's report: failures, flaky, slowest, skipped. The others are a page of their own. */
export const TESTS_IN_PART = 25;
/** Failures that stand unfolded: a screen or two. */
export const OPEN_FAILURES = 3;
/** Tests on one page of the list. */
export const TEST_ROWS = 100;
/** Events that were recorded during a test, and changes of the state. */
export const TEST_EVENTS = 50;
export const TEST_CHANGES = 50;
/** Files or suites of one level that are drawn: 50 KB of markup. Those with failures come first. */
export const SUITE_ROWS = 100;
