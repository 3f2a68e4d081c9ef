/** The registry's own numbers, each with its reason. What the whole product shares is in core/limits.ts. */

/** Saved views: the page lists every one. */
export const MAX_VIEWS = 500;
/** The length of a view: what fits into an address bar. */
export const MAX_VIEW_LENGTH = 4_000;
/** Groups that are resolved or muted: every list of groups reads each, 0.2 KB, as one parameter of at most 2 MB. */
export const MAX_DECISIONS = 5_000;
/** Groups that are merged into others: every list of groups reads each, 0.1 KB, as one parameter. */
export const MAX_MERGES = 5_000;
/** Groups in one merged group: its page lists each. */
export const MAX_MERGED_GROUPS = 100;
/** Browsers that are signed in: people have a few each. The one that was not used for longest is signed out first. */
export const MAX_SIGN_INS = 100;
/** Rows of the audit list for one action in an hour. More would be a program's, and are counted in one row. */
export const AUDIT_ROWS_PER_HOUR = 100;
/** Rows of the audit list for one action, so that a frequent one does not remove the others. */
export const AUDIT_ROWS_PER_ACTION = 2_000;
/** Days for which the audit list is kept: half a year, in which a loss of a key is usually noticed. */
export const AUDIT_DAYS = 180;
/** Characters of a name in the audit list: a session's id, or a key's with its label. */
export const MAX_AUDIT_TEXT = 300;
