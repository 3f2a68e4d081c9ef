/** The policy of direct mode, the same in every client (clients/README.md gives the reasons; test/fixtures/direct-policy.json the numbers). */

export const QUEUE_OPS = 10_000;
export const QUEUE_BYTES = 4 * 1024 * 1024;
export const QUEUE_FREED_PERCENT = 10;
export const BATCH_OPS = 1_000;
export const BATCH_BYTES = 256 * 1024;
export const GATHER_MS = 1_000;
export const WATCHED_GATHER_MS = 250;
export const URGENT_OPS: readonly string[] = ["start", "end", "crash", "exception"];
export const LEASE_MS = 180_000;
export const LEASE_RENEWAL_MS = 60_000;
export const TIMEOUT_MS = 30_000;
export const RETRY_FIRST_MS = 1_000;
export const RETRY_LONGEST_MS = 30_000;
export const RETRY_JITTER_PERCENT = 50;
export const REFUSED_PAUSE_MS = 50;
export const END_WAIT_MS = 2_000;

// Of this client alone.
/** Browsers allow 64 KiB in all requests that may outlive a page, and one may be unanswered when the last one is sent: half for each. */
export const FINAL_BODY_BYTES = 32 * 1024;
/** The ops in such a request; the rest is for the other members of the body, mostly the writer. */
export const FINAL_OPS_BYTES = 28 * 1024;
/** How long `flush()` waits for the server by default. */
export const FLUSH_TIMEOUT_MS = 5_000;
