/** The registry's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** Saved views: the page lists every one. */
export const MAX_VIEWS = 500;
/** The length of a view: what fits into an address bar. */
export const MAX_VIEW_LENGTH = 4_000;
/** Groups that are resolved or muted: every list of groups reads each, 0.2 KB, as one parameter of at most 2 MB. */
export const MAX_DECISIONS = 5_000;
