/** The API's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** How long senders wait when an object gets more than it can take: its queue is some seconds long. */
export const SLOW_DOWN_MS = 5_000;
/** When to ask again after the catalog did not answer. */
export const CATALOG_RETRY_S = 5;
/** Sessions indexed again in one request: each is a subrequest, of which the free plan has 50, and asks the catalog in turn. */
export const REINDEX_AT_ONCE = 20;

/** How long sessions are kept without activity, unless the setting says otherwise: 1.x's default. */
export const DEFAULT_RETENTION_DAYS = 365;
/** Old sessions deleted at the same time; each is a subrequest or two. */
export const RETENTION_AT_ONCE = 10;
/** Old sessions deleted in one run: what is left waits an hour. */
export const RETENTION_PER_RUN = 1_000;

/** Series asked for in one query of Grafana: a panel with more can't be read. */
export const GRAFANA_TARGETS = 20;
/** Points per series when Grafana does not say how wide its panel is. */
export const GRAFANA_POINTS = 500;
/** Crashes marked on a chart: beyond these they are a solid band. */
export const GRAFANA_ANNOTATIONS = 500;
