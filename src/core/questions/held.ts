/**
 * Whether a session ever had something that the catalog's index of it leaves out. The session's own index answers if it is complete;
 * else its log is searched, as far as one question may.
 */
import type { DamagedPart, HeldQuery } from "../answers.ts";
import { isException } from "../events/event.ts";
import { valueAt } from "../state/merge.ts";
import { isIndex, writePath } from "../state/path.ts";
import { type SegmentSummary, mayMatch } from "../segments/segment-summary.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { cut, textsOf } from "../state/values.ts";
import type { Json } from "../wire.ts";
import { MAX_SEARCHED_SEGMENTS } from "./limits.ts";
import type { Segment, Segments } from "../segments/segments.ts";

type Source = { store: Segments; index: SessionIndex };

/** Null: not known, since the log is longer than one question may search, or damaged. */
export function held(source: Source, query: HeldQuery): boolean | null {
  const answers = [
    query.event === undefined || hadEvent(source, query.event),
    query.exceptions === undefined || hadException(source, query.exceptions),
    query.metric === undefined || hadMetric(source, query.metric),
    query.tag === undefined || hadTag(source, query.tag),
    query.state === undefined || hadState(source, query.state),
  ];
  if (answers.includes(false)) return false;
  return answers.includes(null) ? null : true;
}

/** Whether the index may have been counted again from a log that cannot be read whole (core/segments/restore.ts). */
function hasLostIndex({ store }: Source): boolean {
  return store.damagedParts().some(({ part }) => INDEX_PARTS.has(part));
}
const INDEX_PARTS = new Set<DamagedPart["part"]>(["storage", "segment", "index"]);

/** Its name may be what cannot be read: the log has the points, not the names. */
function hadMetric(source: Source, name: string): boolean | null {
  if (source.index.series.some((series) => series.name === name)) return true;
  return hasLostIndex(source) ? null : false;
}

function hadEvent(source: Source, name: string): boolean | null {
  const { names, leftOut } = source.index;
  if (names.some((entry) => entry.name === name)) return true;
  if (!leftOut.event_names && !hasLostIndex(source)) return false;
  return search(
    source,
    (summary) => mayMatch(summary, { name }),
    ({ reader }) => reader.events().some((event) => event.name === name),
  );
}

function hadException(source: Source, asked: NonNullable<HeldQuery["exceptions"]>): boolean | null {
  const { exceptions, leftOut, product } = source.index;
  const fingerprints = new Set(
    asked
      .filter((each) => each.product === undefined || each.product === product)
      .map(({ fingerprint }) => fingerprint),
  );
  if (exceptions.some(({ fingerprint }) => fingerprints.has(fingerprint))) return true;
  if (!leftOut.exceptions && !hasLostIndex(source)) return false;
  return search(
    source,
    (summary) => mayMatch(summary, { exceptions: true }),
    ({ reader }) =>
      reader
        .events()
        .some((event) => isException(event) && fingerprints.has(event.fingerprint ?? "")),
  );
}

function hadTag(source: Source, tag: string): boolean | null {
  const { tags, leftOut } = source.index;
  if (tags.includes(tag)) return true;
  if (!leftOut.tags && !hasLostIndex(source)) return false;
  return search(
    source,
    () => true,
    ({ reader }) =>
      reader
        .others()
        .some((op) => (op.op === "start" || op.op === "tags") && op.tags?.includes(tag)),
  );
}

function hadState(
  source: Source,
  { path, texts }: NonNullable<HeldQuery["state"]>,
): boolean | null {
  const { values, leftOut } = source.index;
  const written = writePath(path);
  const entry = values.find((candidate) => candidate.path === written);
  // Values are cut in the index, and a cut one may be another.
  const isCut = texts?.some((text) => text !== cut(text));
  if (entry && texts && !isCut && entry.values.some(({ text }) => texts.includes(text)))
    return true;
  if (!texts && values.some((each) => each.path === written || each.path.startsWith(`${written}.`)))
    return true;
  const isComplete =
    !leftOut.state_paths && !path.some(isIndex) && !entry?.over && !isCut && !hasLostIndex(source);
  if (isComplete) return false;

  const [key = ""] = path;
  const isThere = (value: Json | undefined) =>
    value !== undefined &&
    value !== null &&
    (!texts || textsOf(value).some((t) => texts.includes(t)));
  return search(
    source,
    ({ keys }) => !keys || keys.includes(key),
    ({ reader, keyframe }) =>
      reader.states().some(({ patch }) => isThere(valueAt(patch, path))) ||
      // What a damaged segment set may still be in the state after it.
      (source.store.damagedParts().length > 0 && isThere(valueAt(keyframe(), path))),
  );
}

/** Whether a segment has it. Opens those that `mayHave` it. */
function search(
  { store }: Source,
  mayHave: (summary: SegmentSummary) => boolean,
  has: (segment: Segment) => boolean,
): boolean | null {
  let opened = 0;
  for (const info of [...store.list()].reverse()) {
    if (info.summary && !mayHave(info.summary)) continue;
    if (++opened > MAX_SEARCHED_SEGMENTS) return null;
    const segment = store.open(info);
    if (segment && has(segment)) return true;
  }
  return store.damagedParts().length > 0 ? null : false;
}
