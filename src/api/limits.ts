/** The API's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** How long senders wait when an object is overloaded: its queue is some seconds long. */
export const SLOW_DOWN_MS = 5_000;
/** How long an isolate repeats its last answer to `/health`, which everyone may ask: the check is three queries. */
export const HEALTH_CHECK_MS = 2_000;
/** Series asked for in one query of Grafana: a panel with more can't be read. */
export const GRAFANA_TARGETS = 20;
/** Points per series when Grafana does not send the width of its panel. */
export const GRAFANA_POINTS = 500;
/** Crashes marked on a chart: more of them are a solid band. */
export const GRAFANA_ANNOTATIONS = 500;

/** Bars of a distribution: more than the pixels of a wide chart. */
export const MAX_BARS = 1_000;
/** Values of one parameter: each may become a condition of a statement, of which D1 takes 100. */
export const MAX_FILTER_VALUES = 50;
/** Days of a trend: a year, and the weeks before it to compare with. */
export const MAX_DAYS = 400;
