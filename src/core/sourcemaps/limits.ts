/** The limits of source maps, each with its reason. Bytes are of UTF-8. */

/** One map. Those of the largest web applications have 20 MiB. It is held once, beside one of its blocks, in the 128 MB of a Worker. */
export const MAX_MAP_BYTES = 32 * 1024 * 1024;
/** Characters of a block, compressed to about a third: read and decoded in 1 ms, and far below the 2 MB of a row. */
export const BLOCK_LENGTH = 128 * 1024;
/** Maps within a map ("sections"), each at least a row, and how deep they are nested: those that write sections nest none. */
export const MAX_SECTIONS = 2_000;
export const MAX_SECTION_DEPTH = 4;
/** Source files of one map. */
export const MAX_SOURCES = 50_000;
/** Characters of the paths of all sources of one map, which are in memory at once: an application of 50,000 has 4 million. */
export const MAX_SOURCES_LENGTH = 8 * 1024 * 1024;
/** Folders of a path, from its end on: all uploaded files of a name are compared with a frame's. */
export const MAX_PATH_PARTS = 100;
/** A source whose lines are shown: it is parsed as a whole, in up to five times as much memory. Generated ones may be larger. */
export const MAX_SOURCE_BYTES = 8 * 1024 * 1024;
/** Characters of a source's path, and of a name. Longer ones are cut. */
export const MAX_PATH_LENGTH = 1_000;
export const MAX_SYMBOL_LENGTH = 200;
/** Characters of a stored source line: as many as a stack's line is matched by. Longer ones are cut. */
export const MAX_SOURCE_LINE = 1_000;
/** Lines before and after a frame's line that are shown. */
export const CONTEXT_LINES = 5;
/** Lines of a source in one piece, besides CONTEXT_LINES at each end that the next pieces have as well. */
export const PIECE_LINES = 400;
/** Different positions of one question: of a page of exceptions with their causes, or of the stacks of all threads. Each takes up to 5 ms. */
export const MAX_POSITIONS = 400;
/** Positions with their source lines: the innermost frames are read first. */
export const MAX_EXCERPTS = 24;
/** Characters of a matched file path: browsers take addresses of 2,000. */
export const MAX_FILE_LENGTH = 2_000;
/** Characters of what is resolved before an exception is sent or recorded: it is stored with it, and an event has at most four times as many. */
export const MAX_RESOLVED_LENGTH = 64 * 1024;
