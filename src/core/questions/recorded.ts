/**
 * Whether a session ever had something. The session's own index answers if it is complete; else its log is searched, as far as one
 * question may. Each answer is null where it is not known: the log is longer than that, or damaged.
 */
import type { DamagedPart } from "../answers/damage.ts";
import type { EventRow } from "../answers/events.ts";
import { isException } from "../events/event.ts";
import { MAX_EXCEPTION_LENGTH, MAX_VALUE_LENGTH } from "../limits.ts";
import { mayContain } from "../segments/bloom.ts";
import { type SegmentSummary, mayMatch } from "../segments/segment-summary.ts";
import { ownRow } from "../session/own-row.ts";
import {
  ownTexts,
  type Searched,
  searchable,
  textsOf as searchedTexts,
  textsOfEvent,
} from "../session/searched.ts";
import type { Series } from "../metrics/series.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { callsText } from "../stack/where.ts";
import { isObject, valueAt } from "../state/merge.ts";
import { isIndex, writePath } from "../state/path.ts";
import { textsOf } from "../state/values.ts";
import { allTests, type ListedTest } from "../tests/listed.ts";
import type { TestTable } from "../tests/table.ts";
import { EVENT_OUTPUT } from "../vocabulary.ts";
import type { Json, JsonObject } from "../wire.ts";
import { MAX_SEARCHED_SEGMENTS } from "./limits.ts";
import type { Segment, Segments } from "../segments/segments.ts";
import type { Rollups } from "./metrics.ts";

export type Recorded = {
  store: Segments;
  index: SessionIndex;
  state: JsonObject;
  tests: () => TestTable;
  rollups: () => Rollups;
  now: number;
  /** Segments that this question has opened. */
  opened: number;
};

/** Whether the index may have been counted again from a log that cannot be read whole (core/segments/restore.ts). */
function hasLostIndex({ store }: Recorded): boolean {
  return store.damagedParts().some(({ part }) => INDEX_PARTS.has(part));
}
const INDEX_PARTS = new Set<DamagedPart["part"]>(["storage", "segment", "index"]);

/** Its name may be what cannot be read: the log has the points, not the names. */
export function hadMetric(of: Recorded, is: (name: string) => boolean): boolean | null {
  if (of.index.series.some(({ name, points }) => points > 0 && is(name))) return true;
  return hasLostIndex(of) ? null : false;
}

/** A series of this metric has such a figure (FIGURES in core/query/fields.ts); null: it has none. */
export function hadFigure(
  of: Recorded,
  metric: string,
  statistic: string,
  is: (figure: number | null) => boolean,
): boolean | null {
  const { series } = of.index;
  const found = series.some(
    (one) => one.points > 0 && one.name === metric && is(figureOf(of, one, statistic)),
  );
  return found || (hasLostIndex(of) ? null : false);
}

function figureOf({ rollups }: Recorded, series: Series, statistic: string): number | null {
  const { moments, min, max, first, last, increase = 0 } = series;
  const sum = (moments.sum + moments.low) / moments.scale;
  const figures: { [statistic: string]: number | null } = {
    min,
    max,
    first,
    last,
    increase,
    sum,
    count: moments.count,
    mean: moments.count === 0 ? null : sum / moments.count,
  };
  const figure = figures[statistic];
  if (figure !== undefined) return figure;
  // The others are quantiles.
  const quantiles = rollups().of(series.id)?.distribution()?.quantiles();
  return quantiles?.[statistic as "p50" | "p95" | "p99"] ?? null; // as: the query names one of its fields
}

export function hadEvent(of: Recorded, is: (name: string) => boolean): boolean | null {
  const { names, leftOut } = of.index;
  if (names.some(({ name }) => is(name))) return true;
  if (!leftOut.event_names && !hasLostIndex(of)) return false;
  return search(
    of,
    ({ events, names: listed }) => events.count > 0 && listed?.some(([name]) => is(name)) !== false,
    ({ reader }) => reader.events().some(({ name }) => is(name)),
  );
}

/** `type`: its beginning, as the index has it. */
export function hadException(
  of: Recorded,
  is: (exception: { fingerprint: string; type: string }) => boolean,
): boolean | null {
  const { exceptions, leftOut } = of.index;
  if (exceptions.some(is)) return true;
  if (!leftOut.exceptions && !hasLostIndex(of)) return false;
  return search(
    of,
    (summary) => mayMatch(summary, { exceptions: true }),
    ({ reader }) =>
      reader.events().some((event) => {
        const { fingerprint = "", exception_type: type = "" } = event;
        return isException(event) && is({ fingerprint, type: type.slice(0, MAX_EXCEPTION_LENGTH) });
      }),
  );
}

export function hadTag(of: Recorded, is: (tag: string) => boolean): boolean | null {
  const { tags, leftOut } = of.index;
  if (tags.some(is)) return true;
  if (!leftOut.tags && !hasLostIndex(of)) return false;
  return search(
    of,
    () => true,
    ({ reader }) =>
      reader.others().some((op) => (op.op === "start" || op.op === "tags") && op.tags?.some(is)),
  );
}

/** Refused ones are not looked through. */
export function hadAttachment(of: Recorded, is: (name: string) => boolean): boolean | null {
  if (of.index.attachments.some(({ name, refused }) => refused === undefined && is(name)))
    return true;
  return hasLostIndex(of) ? null : false;
}

export function hadTest(of: Recorded, is: (test: ListedTest) => boolean): boolean | null {
  const { index, store } = of;
  if (!index.observations.tests && !hasLostIndex(of)) return false;
  const table = of.tests();
  if (allTests(index, table).some(is)) return true;
  return table.leftOut > 0 || store.damagedParts().length > 0 ? null : false;
}

/** The state has such a value at the path. `is`: of texts of core/state/values.ts; undefined: any value at it or below. */
export function hasValue(
  { state }: Pick<Recorded, "state">,
  path: string[],
  is: ((text: string) => boolean) | undefined,
): boolean {
  const value = valueAt(state, path);
  return is ? value !== undefined && textsOf(value).some(is) : hasAny(value);
}

/** Objects and lists without members are no values. */
function hasAny(value: Json | undefined): boolean {
  if (value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isObject(value) || Object.keys(value).some((key) => hasAny(valueAt(value, [key])));
}

/** The path ever had such a value. */
export function hadValue(
  of: Recorded,
  path: string[],
  is: ((text: string) => boolean) | undefined,
): boolean | null {
  const { values, leftOut } = of.index;
  const written = writePath(path);
  if (!is && values.some((each) => each.path === written || each.path.startsWith(`${written}.`)))
    return true;
  const entry = values.find((candidate) => candidate.path === written);
  // Values are cut in the index, and a cut one may be another.
  const isCut = (text: string) => text.length > MAX_VALUE_LENGTH;
  if (is && entry?.values.some(({ text }) => !isCut(text) && is(text))) return true;
  const isComplete =
    !leftOut.state_paths &&
    !path.some(isIndex) &&
    !entry?.over &&
    !entry?.values.some(({ text }) => isCut(text)) &&
    !hasLostIndex(of);
  if (isComplete) return false;

  const [key = ""] = path;
  const isThere = (value: Json | undefined) =>
    value !== undefined && (is ? textsOf(value).some(is) : hasAny(value));
  return search(
    of,
    ({ keys }) => !keys || keys.includes(key),
    ({ reader, keyframe }) =>
      reader.states().some(({ patch }) => isThere(valueAt(patch, path))) ||
      // What a damaged segment set may still be in the state after it.
      (of.store.damagedParts().length > 0 && isThere(valueAt(keyframe(), path))),
  );
}

/**
 * Each of these folded terms occurs in a text of the session. What its index has is looked through first, then its tests, then the
 * names and the texts of the events in its log.
 */
export function hadTerms(of: Recorded, terms: string[]): boolean | null {
  const { index, now } = of;
  const own = ownTexts({ ...ownRow(index, now), tags: index.tags });
  const absent = new Set(terms);
  const look = (text: string) => {
    for (const term of absent) if (text.includes(term)) absent.delete(term);
    return absent.size === 0;
  };
  if (own.some(look)) return true;
  const isRun = index.observations.tests !== undefined || hasLostIndex(of);
  const tests = isRun ? allTests(index, of.tests()) : [];
  for (const text of searchedTexts(searchedIn(index, tests)))
    if (look(searchable(text))) return true;
  const { leftOut, texts } = index;
  const isComplete = !texts.leftOut && !leftOut.event_names && !leftOut.exceptions;
  if (isComplete && !hasLostIndex(of)) return false;
  const listed = new Set(index.exceptions.map(({ fingerprint }) => fingerprint));
  const isUnlisted = (event: EventRow) =>
    isException(event) && !listed.has(event.fingerprint ?? "");
  const hasUnlisted = leftOut.exceptions !== undefined || hasLostIndex(of);
  return search(
    of,
    // A segment may have one term, and the next segment another. Calls are not in the log as they are searched.
    ({ events, bloom }) =>
      events.count > 0 &&
      ((hasUnlisted && events.exceptions > 0) ||
        [...absent].some((term) => mayContainTerm(bloom, term))),
    ({ reader }) =>
      reader
        .events()
        .some(
          (event) =>
            event.name !== EVENT_OUTPUT &&
            !event.test &&
            [
              event.name,
              ...textsOfEvent(event),
              ...(isUnlisted(event) ? [callsText(event)] : []),
            ].some((text) => look(searchable(text))),
        ),
  );
}

/** Of the whole index: the catalog lists less. */
function searchedIn(index: SessionIndex, tests: ListedTest[]): Searched {
  return {
    exceptions: index.exceptions.map(({ firstAt, firstSeq, ...each }) => ({
      ...each,
      first_at: firstAt,
      first_seq: firstSeq,
    })),
    tests,
    attachments: index.attachments.filter(({ refused }) => refused === undefined),
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
  of: Recorded,
  mayHave: (summary: SegmentSummary) => boolean,
  has: (segment: Segment) => boolean,
): boolean | null {
  const { store } = of;
  for (const info of [...store.list()].reverse()) {
    if (info.summary && !mayHave(info.summary)) continue;
    if (++of.opened > MAX_SEARCHED_SEGMENTS) return null;
    const segment = store.open(info);
    if (segment && has(segment)) return true;
  }
  return store.damagedParts().length > 0 ? null : false;
}
