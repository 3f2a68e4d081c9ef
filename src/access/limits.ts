/** The numbers of access, each with its reason. */

/** How long a recognised key is remembered, and so how long a revoked one may still work: not every request asks the registry. */
export const REMEMBER_MS = 60_000;
/** Keys remembered by one isolate, found and not found: bounds what guessing ids can take. */
export const REMEMBERED_KEYS = 1_000;
/** Long enough not to annoy, short enough that a forgotten browser signs itself out. */
export const SIGNED_IN_S = 30 * 86_400;
/** When to try again after too many wrong keys: the period of the rate limit. */
export const WRONG_KEY_WAIT_S = 60;
