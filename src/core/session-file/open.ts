/** Opens a session file: what is in it answers the same questions as a session on a server, as of the moment of its export. */
import { MAX_TIME } from "../limits.ts";
import type { Source } from "../questions/questions.ts";
import { Rollups } from "../questions/metrics.ts";
import { Tests } from "../questions/tests.ts";
import type { Codec } from "../segments/segment.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { isObject, merge } from "../state/merge.ts";
import type { Json, JsonObject } from "../wire.ts";
import * as v from "valibot";
import { boundedReader } from "./bounded.ts";
import { FileSegments } from "./file-segments.ts";
import { indexSchema } from "./index-schema.ts";
import { BadFile } from "./parts.ts";
import { type FileBytes, type Scanned, scanFile } from "./scan.ts";
import { type FileSegment, readSegment } from "./segment-part.ts";

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

  const { segment, index } = newest;
  const last = Math.max(header?.segments ?? 0, ...scanned.segments.keys());
  if (segment.id < last)
    problems.push("The newest records cannot be read: what follows is of an earlier moment.");
  const store = new FileSegments(bytes, scanned, index, last, codec);
  const keyframe = segment.keyframe as Json;
  const state: JsonObject = isObject(keyframe) ? keyframe : {};
  for (const { patch } of boundedReader(segment.body, codec).states()) merge(state, patch);
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

/** The newest segment whose index can be read. */
function newestOf(
  bytes: FileBytes,
  { segments }: Scanned,
  codec: Codec,
): { segment: FileSegment; index: SessionIndex } | undefined {
  for (const id of [...segments.keys()].sort((a, b) => b - a)) {
    const place = segments.get(id);
    if (!place) continue;
    try {
      const segment = readSegment(bytes.read(place.at, place.length), codec);
      const index = v.safeParse(indexSchema(MAX_TIME), segment.index);
      if (index.success) return { segment, index: index.output as SessionIndex }; // as: it has all members (index-schema.ts)
    } catch (error) {
      if (!(error instanceof BadFile) && !(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}
