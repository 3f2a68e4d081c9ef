/**
 * Whether a session ever had something that the catalog's index of it leaves out. The session's own index answers if it is complete;
 * else its log is searched, as far as one question may.
 */
import type { DamagedPart, HeldQuery } from "../answers.ts";
import { mayContain } from "../segments/bloom.ts";
import { isException } from "../events/event.ts";
import { valueAt } from "../state/merge.ts";
import { isIndex, writePath } from "../state/path.ts";
import { type SegmentSummary, mayMatch } from "../segments/segment-summary.ts";
import {
  type Searched,
  searchable,
  textsOf as searchedTexts,
  textsOfEvent,
} from "../session/searched.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { verdict } from "../status/status.ts";
import { allTests, isNamed, type ListedTest } from "../tests/listed.ts";
import type { TestTable } from "../tests/table.ts";
import { EVENT_OUTPUT } from "../vocabulary.ts";
import { cut, textsOf } from "../state/values.ts";
import type { Json } from "../wire.ts";
import { MAX_SEARCHED_SEGMENTS } from "./limits.ts";
import type { Segment, Segments } from "../segments/segments.ts";

type Source = { store: Segments; index: SessionIndex; tests: () => TestTable; now: number };

/** Null: not known, since the log is longer than one question may search, or damaged. */
export function held(source: Source, query: HeldQuery): boolean | null {
  const answers = [
    query.event === undefined || hadEvent(source, query.event),
    query.exceptions === undefined || hadException(source, query.exceptions),
    query.metric === undefined || hadMetric(source, query.metric),
    query.tag === undefined || hadTag(source, query.tag),
    query.state === undefined || hadState(source, query.state),
    query.test === undefined || hadTest(source, query.test),
    query.terms === undefined || hadTerms(source, query.terms),
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

function hadTest(source: Source, name: string): boolean | null {
  const { index, tests } = source;
  if (!index.observations.tests && !hasLostIndex(source)) return false;
  const table = tests();
  if (allTests(index, table).some((test) => isNamed(test, name))) return true;
  return table.leftOut > 0 || source.store.damagedParts().length > 0 ? null : false;
}

/** What its index has is looked through first, then its tests, then the names and the texts of the events in its log. */
function hadTerms(source: Source, terms: string[]): boolean | null {
  const { index, now } = source;
  const { id, product, version, hostname, machineId, tags } = index;
  const { headline } = verdict(index.observations, now);
  const own = [id, product, version, hostname, machineId, headline, ...tags].map(searchable);
  const absent = new Set(terms);
  const look = (text: string) => {
    for (const term of absent) if (text.includes(term)) absent.delete(term);
    return absent.size === 0;
  };
  if (own.some(look)) return true;
  const isRun = index.observations.tests !== undefined || hasLostIndex(source);
  const tests = isRun ? allTests(index, source.tests()) : [];
  for (const text of searchedTexts(searchedOf(index, tests)))
    if (look(searchable(text))) return true;
  const { leftOut, texts } = index;
  const isComplete = !texts.leftOut && !leftOut.event_names && !leftOut.exceptions;
  if (isComplete && !hasLostIndex(source)) return false;
  return search(
    source,
    // A segment may have one term, and the next segment another.
    ({ events, bloom }) =>
      events.count > 0 && [...absent].some((term) => mayContainTerm(bloom, term)),
    ({ reader }) =>
      reader
        .events()
        .some(
          (event) =>
            event.name !== EVENT_OUTPUT &&
            !event.test &&
            [event.name, ...textsOfEvent(event)].some((text) => look(searchable(text))),
        ),
  );
}

/** Of the whole index: the catalog lists less. */
function searchedOf(index: SessionIndex, tests: ListedTest[]): Searched {
  return {
    exceptions: index.exceptions.map(({ firstAt, firstSeq, ...each }) => ({
      ...each,
      first_at: firstAt,
      first_seq: firstSeq,
    })),
    tests,
    attachments: index.attachments,
    event_counts: index.names,
    state_values: index.values.flatMap(({ values }) =>
      values.map(({ text, since }) => ({ value: text, first_at: since })),
    ),
    texts: index.texts,
  };
}

/** A blank of a term may be a line break in the log. */
function mayContainTerm(bloom: string, term: string): boolean {
  return term.split(" ").every((part) => mayContain(bloom, part));
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
