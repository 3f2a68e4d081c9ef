/** The API's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** How long senders wait when an object is overloaded: its queue is some seconds long. */
export const SLOW_DOWN_MS = 5_000;
/** How long an isolate repeats its last answer to `/health`, which everyone may ask: the check is three queries. */
export const HEALTH_CHECK_MS = 2_000;

/** Products with figures of their own at /metrics: each has some 15 series, which Prometheus keeps. */
export const MAX_MONITORED_PRODUCTS = 100;

/** Rows of a table over time: Grafana draws no more, and they take 20 ms to write. Steps are wider where many groups would have more rows. */
export const MAX_TABLE_ROWS = 10_000;
/** Sessions that are counted by step of time: their list is read page by page, each of 1,000, which takes 20 to 30 ms. */
export const MAX_COUNTED_SESSIONS = 5_000;
/** Steps of a table over time, unless the caller gives their width: more lines and bars than that cannot be distinguished in a panel. */
export const TABLE_STEPS = 200;
/** Groups of exceptions in a table of days, unless the caller gives another number: a chart with more lines cannot be read. */
export const TABLE_GROUPS = 20;

/** Bars of a distribution: more than the pixels of a wide chart. */
export const MAX_BARS = 1_000;
/** Values of one parameter: each may become a condition of a statement, of which D1 takes 100. */
export const MAX_FILTER_VALUES = 50;
/** Days of a trend: a year, and the weeks before it to compare with. */
export const MAX_DAYS = 400;
/** Parts of a session file that go to an object in one request: two large segments. */
export const IMPORT_PARTS_BYTES = 2 * 1024 * 1024;
/** What a part takes in memory besides its payload: a file may have very many that are almost empty. */
export const PART_OBJECT_BYTES = 256;
/** How long the rest of a body that is refused is not read before the answer: a sender that is still writing as the connection is closed does not read the answer, but one whose writes wait does. */
export const UNREAD_MS = 250;
/** How often the object of an import has a request at least: workerd removes an object from memory 10 s after its last one. */
export const IMPORT_CONTACT_MS = 3_000;
