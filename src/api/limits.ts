/** The API's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** How long senders wait when an object gets more than it can take: its queue is some seconds long. */
export const SLOW_DOWN_MS = 5_000;
/** Series asked for in one query of Grafana: a panel with more can't be read. */
export const GRAFANA_TARGETS = 20;
/** Points per series when Grafana does not say how wide its panel is. */
export const GRAFANA_POINTS = 500;
/** Crashes marked on a chart: beyond these they are a solid band. */
export const GRAFANA_ANNOTATIONS = 500;
