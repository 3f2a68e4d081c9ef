/** Opens a session file: what is in it answers the same questions as a session on a server, as of the moment of its export. */
import { MAX_CHUNKS } from "../attachments/attachments.ts";
import { ATTACHMENT_CHUNK_BYTES, MAX_LISTED_ATTACHMENTS, MAX_TIME } from "../limits.ts";
import type { Source } from "../questions/questions.ts";
import { Rollups } from "../questions/metrics.ts";
import { Tests } from "../questions/tests.ts";
import type { Codec } from "../segments/segment.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { merge } from "../state/merge.ts";
import { isOfFile } from "./bad-file.ts";
import { FileSegments } from "./file-segments.ts";
import { MAX_TRIED_SEGMENTS } from "./limits.ts";
import { readIndex } from "./read-index.ts";
import { type FileBytes, type Scanned, scanFile } from "./scan.ts";
import { readSegment } from "./segment-part.ts";

export type OpenedFile = {
  /** Undefined if the file ends before the first segment, or that cannot be read. */
  source: Source | undefined;
} & Pick<Scanned, "header" | "problems">;

/** Throws a BadFile if it is no session file, or one of another format. */
export function openFile(bytes: FileBytes, codec: Codec): OpenedFile {
  const scanned = scanFile(bytes, codec);
  const { header, problems } = scanned;
  const newest = newestOf(bytes, scanned, codec);
  if (!newest) return { source: undefined, header, problems };

  const { index, id } = newest;
  const last = Math.max(header?.segments ?? 0, ...scanned.segments.keys());
  if (id < last)
    problems.push("The newest records cannot be read: what follows is of an earlier moment.");
  const store = new FileSegments(bytes, scanned, index, last, codec);
  const segment = store.open({ id });
  const state = segment?.keyframe() ?? {};
  for (const { patch } of segment?.reader.states() ?? []) merge(state, patch);
  let rollups: Rollups | undefined;
  let tests: Tests | undefined;
  const source: Source = {
    store,
    index,
    state,
    now: header?.exported_at ?? index.receivedAt,
    rollups: () => (rollups ??= new Rollups(store, index.series)),
    tests: () => (tests ??= new Tests(store)).table(index.seq),
  };
  return { source, header, problems };
}

/** Those of a file are of any server. */
const ATTACHMENT_LIMITS = {
  each: MAX_CHUNKS * ATTACHMENT_CHUNK_BYTES,
  session: Infinity,
  count: MAX_LISTED_ATTACHMENTS,
};

/** The newest segment whose index can be read. */
function newestOf(
  bytes: FileBytes,
  { segments }: Scanned,
  codec: Codec,
): { id: number; index: SessionIndex } | undefined {
  const context = { latest: MAX_TIME, attachmentLimits: ATTACHMENT_LIMITS };
  const newestFirst = [...segments].sort(([one], [other]) => other - one);
  for (const [id, { at, length }] of newestFirst.slice(0, MAX_TRIED_SEGMENTS)) {
    try {
      const segment = readSegment(bytes.read(at, length), codec);
      return { id, index: readIndex(segment.index(), context) };
    } catch (error) {
      if (!isOfFile(error)) throw error;
    }
  }
  return undefined;
}
