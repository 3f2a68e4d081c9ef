/** The numbers of session files (`.datacat`), each with its reason. What the whole product shares is in core/limits.ts. */

/** A session of 100,000,000 points, or the attachments of twenty sessions. A server reads it in parts, but has to store it. */
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** A row of segments has at most 2,000,000 bytes (MAX_ROW_BYTES), a chunk of an attachment 1 MiB: what stands around them in a part is less than this. */
export const MAX_PART_BYTES = 2_100_000;
/** JSON of the header and of the end. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** The index of a session as JSON: the sum of the limits of its lists, with the numbers of each entry. */
export const MAX_INDEX_BYTES = 4 * 1024 * 1024;
/** Sections of one segment, inflated: the decompressed body of a request (MAX_INFLATED_BYTES) beside what an open row holds. */
export const MAX_SEGMENT_BYTES = 18 * 1024 * 1024;
/** Values of all columns of one segment: SEGMENT_VALUES and those of one more batch, whose 5,000 histograms have 1,300,000. Each takes 16 bytes of memory while it is read. */
export const MAX_SEGMENT_VALUES = 4_000_000;
/** Parts of a file: its segments, and 130 GiB of contents in chunks. A file of 1 GiB has place for 100,000,000 empty ones. */
export const MAX_PARTS = 200_000;
/** Newest segments whose index is tried: the newest is the first of a file, and each takes 30 ms if it is as large as it may be. */
export const MAX_TRIED_SEGMENTS = 100;
/** Segments of one session: at 64 KB each they fill MAX_FILE_BYTES. */
export const MAX_SEGMENTS = 65_536;
