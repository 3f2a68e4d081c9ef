/** The session room's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** Sessions indexed again in one step: each is a subrequest, of which the free plan has 50 per request, and asks the catalog in turn. */
export const REINDEX_AT_ONCE = 20;
