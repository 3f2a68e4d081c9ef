/** What of a session cannot be read, with what it cost: in the storage of its object, or in a file of it. */
import type { DamagedPart } from "../answers/damage.ts";
import type { SessionIndex } from "../session/session-index.ts";
import type { SegmentReader } from "./segment-reader.ts";
import type { SegmentInfo } from "./segments.ts";

/** `segment`: of an attachment, the sequence of its op; null: the storage itself. */
type Found = Pick<DamagedPart, "segment" | "part">;
/** `counts`: of the session at the segment's end; undefined if they cannot be read. */
type Read = { counts: SessionIndex["counts"] | undefined; reader: SegmentReader };

/** `lastSeq` of a segment of which it is not known. */
export const UNKNOWN_SEQ = Number.MAX_SAFE_INTEGER;

/** `read`: undefined if there is nothing of the segment. */
export function damagedParts(
  found: Found[],
  list: SegmentInfo[],
  read: (id: number) => Read | undefined,
): DamagedPart[] {
  const infos = new Map(list.map((info) => [info.id, info]));
  return found.map(({ segment, part }) => {
    if (segment === null) return { segment, part };
    if (part === "attachment")
      return { segment: null, part, first_seq: segment, last_seq: segment };
    const info = infos.get(segment);
    return {
      segment,
      part,
      first_seq: info?.firstSeq,
      last_seq: info && info.lastSeq < UNKNOWN_SEQ ? info.lastSeq : undefined,
      lost: part === "log" ? lostIn(segment, read) : undefined,
    };
  });
}

/** Records of a segment that cannot be read: its index counted them, and its log does not have them. Undefined without both indexes. */
function lostIn(id: number, read: (id: number) => Read | undefined): number | undefined {
  const { counts, reader } = read(id) ?? {};
  const before = id === 1 ? ZERO : read(id - 1)?.counts;
  if (!reader || !counts || !before) return undefined;
  const points = reader.seriesIds().reduce((sum, each) => sum + reader.columns(each).at.length, 0);
  const states = reader.states().filter(({ initial }) => !initial).length;
  const readable = states + reader.events().length + points + reader.heartbeats().length;
  const counted = (of: typeof ZERO) => of.states + of.events + of.points + of.heartbeats;
  // Starts, ends and the like are in no count, so none is not certain.
  return Math.max(0, counted(counts) - counted(before) - readable) || undefined;
}

const ZERO = { states: 0, events: 0, points: 0, heartbeats: 0 };
