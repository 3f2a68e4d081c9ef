/** The numbers of access, each with its reason. */

/** How long a key's row is cached, so that not every request reads the registry. A revoked key may work for this time. */
export const KEY_CACHE_MS = 60_000;
/** Keys that one isolate caches, including ids that do not exist: bounds the memory that guessed ids take. */
export const MAX_CACHED_KEYS = 1_000;
/** How long a sign-in is valid: a month, after which a browser that is no longer used is signed out. */
export const SIGNED_IN_S = 30 * 86_400;
/** When to try again after too many wrong keys: the period of the rate limit. */
export const WRONG_KEY_WAIT_S = 60;
