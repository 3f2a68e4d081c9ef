/** Searches the events of a session by a query, and finds by their summaries which segments may hold some that pass. */
import type { EventRow } from "../answers/events.ts";
import { matcherOf, type RowList } from "../query/evaluate.ts";
import type { Match, Query, Range, Term } from "../query/tree.ts";
import { mayContain } from "../segments/bloom.ts";
import type { SegmentSummary } from "../segments/segment-summary.ts";
import { isIndex } from "../state/path.ts";
import { fold } from "../text/fold.ts";
import { eventList, type SessionSpan } from "./fields.ts";

type EventSearch = {
  passes: (event: EventRow) => boolean;
  /** False if no event of the segment can pass. */
  mayHold: (summary: SegmentSummary) => boolean;
};

export function eventSearch(query: Query, span: SessionSpan): EventSearch {
  const list = eventList(span);
  return {
    passes: matcherOf(query, list),
    mayHold: (summary) => summary.events.count > 0 && heldBy(query, summary, list).some,
  };
}

/** What is known of the events of a segment: whether some of them may pass, and whether every one does. */
type Held = { some: boolean; every: boolean };

const UNKNOWN: Held = { some: true, every: false };

function heldBy(query: Query, summary: SegmentSummary, list: RowList<EventRow>): Held {
  switch (query.kind) {
    case "and":
    case "or": {
      const parts = query.of.map((part) => heldBy(part, summary, list));
      return query.kind === "and"
        ? { some: parts.every(({ some }) => some), every: parts.every(({ every }) => every) }
        : { some: parts.some(({ some }) => some), every: parts.some(({ every }) => every) };
    }
    case "not": {
      const { some, every } = heldBy(query.of, summary, list);
      return { some: !every, every: !some };
    }
    case "phrase":
      return { some: mayContain(summary.bloom, fold(query.text)), every: false };
    case "term":
      return termHeldBy(query, summary, list);
  }
}

function termHeldBy(term: Term, summary: SegmentSummary, list: RowList<EventRow>): Held {
  const { field, isNot } = term;
  const among = (events: Partial<EventRow>[] | undefined): Held => {
    if (!events) return UNKNOWN;
    const passes = matcherOf(term, list);
    const passing = events.map((event) =>
      passes({ seq: 0, at: 0, name: "", category: "", ...event }),
    );
    return { some: passing.includes(true), every: !passing.includes(false) };
  };
  if (field.kind === "plain" && !field.path) {
    switch (field.name) {
      case "name":
      case "event":
      case "category":
      case "level":
      case "severity":
        return among(summary.names?.map(([name, category]) => ({ name, category })));
      case "group":
        return among(summary.groups?.map((group) => ({ group })));
      case "at":
      case "since_start":
      case "before_end":
        return timesHeld(term, summary, list);
    }
  }
  if (isNot) return UNKNOWN;
  if (field.kind === "tag" || (field.kind === "plain" && isLabel(field.name)))
    return { ...among(summary.labels?.map((label) => ({ labels: [label] }))), every: false };
  if (field.kind !== "plain") return UNKNOWN;
  const isOfException = field.name === "exception" || field.name === "attribute";
  if (isOfException && summary.events.exceptions === 0) return { some: false, every: false };
  return {
    some: textsOf(term).some((texts) =>
      texts.every((text) => mayContain(summary.bloom, fold(text))),
    ),
    every: false,
  };
}

const isLabel = (name: string) => name === "tag" || name === "label";

/** Times are of the first and the last event. */
function timesHeld(term: Term, { events }: SegmentSummary, list: RowList<EventRow>): Held {
  if (term.field.kind !== "plain" || term.isNot) return UNKNOWN;
  const { name } = term.field;
  const ends = [events.from, events.to].map((at) => {
    const [value] = list.valuesOf({ seq: 0, at, name: "", category: "" }, name);
    return typeof value === "number" ? value : NaN;
  });
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return {
    some: term.any.some((match) => isMet(match, low, high, "some")),
    every: term.any.some((match) => isMet(match, low, high, "every")),
  };
}

/** Whether some, or every value from `low` to `high` may be what is looked for. */
function isMet(match: Match, low: number, high: number, how: keyof Held): boolean {
  if (match.kind !== "range") return true;
  const { from, to } = match as Range<number>; // as: values.ts reads numbers for times
  const [least, greatest] = how === "some" ? [high, low] : [low, high];
  return (
    (!from || least > from.value || (from.isIncluded && least === from.value)) &&
    (!to || greatest < to.value || (to.isIncluded && greatest === to.value))
  );
}

/** For each value of a condition: texts that the text of an event (event.ts) has if it passes. */
function textsOf({ field, any }: Term): string[][] {
  if (field.kind !== "plain") return [[]];
  if (field.path) return [field.path.filter((key) => PLAIN_KEY.test(key) && !isIndex(key))];
  if (!IN_TEXT.has(field.name)) return [[]];
  return any.map((match) => {
    if (match.kind === "is") return [match.text];
    return match.kind === "like" ? [match.start, match.middle, match.end] : [];
  });
}

/** Written in JSON as it is. */
const PLAIN_KEY = /^[\w -]+$/;
const IN_TEXT = new Set(["message", "test", "file", "function"]);
