/** The numbers of access, each with its reason. */

/** How long a key's row is cached, so that not every request reads the registry. A revoked key may work for this time. */
export const KEY_CACHE_MS = 60_000;
/** Keys that one isolate caches, including ids that do not exist: bounds the memory that guessed ids take. */
export const MAX_CACHED_KEYS = 1_000;
/** Origins of one key: a site with its languages and stages. Each request's is looked for among them. */
export const MAX_ORIGINS = 20;
/** How long a browser that is not used stays signed in. */
export const SIGNED_IN_MS = 7 * 86_400_000;
/** How often the use of a browser is stored, because each time writes a row. A sign-in may end earlier by this. */
export const RENEW_MS = 3_600_000;
/** How long a sign-in is cached: an open page asks several times a second. In other isolates one that was ended works for at most this. */
export const SIGN_IN_CACHE_MS = 10_000;
/** How often an isolate writes the refusals that it counted: 1,440 rows a day for each network, of the 100,000 of the free plan. */
export const REFUSED_WRITE_MS = 60_000;
/** Networks whose refusals an isolate counts apart at once: their rows are written together. */
export const MAX_REFUSED_NETWORKS = 10;
/** The period in which wrong secrets are counted. */
export const WRONG_SECRET_PERIOD_MS = 60_000;
/** Wrong secrets of one address, or network of IPv6, in a period: more than someone mistypes. */
export const MAX_WRONG_SECRETS = 20;
/** Wrong secrets of all addresses together in a period: 10 a second. Over it sign-ins wait; cookies and API keys do not. */
export const MAX_ALL_WRONG_SECRETS = 600;
/** Keys of one network, and of all, that an isolate looks up in a period without finding them: each is a query of the registry. */
export const MAX_UNKNOWN_KEYS = 100;
export const MAX_ALL_UNKNOWN_KEYS = 600;
/** Networks that are counted: a period has no more, because sign-ins then wait. Bounds the memory. */
export const MAX_NETWORKS = 1_000;
