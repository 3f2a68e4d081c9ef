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
/** Events shown before and after the needle. */
export const AROUND_BEFORE = 6;
export const AROUND_AFTER = 3;
/** Events that a verdict shows as the program's last words. */
export const LAST_WORDS = 4;
/** Exceptions drawn with their frames at once; more come as the list is scrolled. */
export const EXCEPTION_ROWS = 10;
/** Metric strips in the first answer: a few screens. */
export const STRIPS = 24;
/** Points or buckets per strip: one per two pixels of a wide screen. */
export const STRIP_POINTS = 600;
