/** The numbers of attachments, the same in every client (test/fixtures/attachments.json), each with its reason. */

/** The largest attachment: ten screenshots of 4K, or a log of 100,000 lines. Five of them fill a session. */
export const MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024;
/** Read and written at once: more is no faster, and the memory of a program that crashes may be low. */
export const BLOCK_BYTES = 64 * 1024;
/** One request's part of an attachment: half of the largest row of Cloudflare's SQLite. */
export const CHUNK_BYTES = 1024 * 1024;
/** Direct mode: the content that waits in memory, as much as the queue of ops. */
export const WAITING_BYTES = 4 * 1024 * 1024;
/** Characters of a media type. The longest registered one has 73. */
export const TYPE_LENGTH = 100;
/** Direct mode: answers that the server does not have the op, after which it is not asked again: the op was dropped. A minute of them. */
export const UNKNOWN_ANSWERS = 6;
