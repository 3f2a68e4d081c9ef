/** Evaluates a query over rows that are in memory: those of a session's object, and of lists that are read whole. */
import { askedTexts, valueText } from "../state/values.ts";
import { fold } from "../text/fold.ts";
import { readTag } from "../text/tag.ts";
import type { QueryList, ValueKind } from "./list.ts";
import { compareVersions } from "./order.ts";
import type { Match, Query, Range, Term } from "./tree.ts";

export type Scalar = null | boolean | number | string;

/** A list whose rows are evaluated one by one. Durations are in milliseconds, times in epoch milliseconds, a rank is its place in the order. */
export type RowList<Row> = QueryList & {
  /** The values of a field; of a path below it, if the field has paths. None if the row has none. */
  valuesOf: (row: Row, field: string, path?: readonly string[]) => readonly Scalar[];
  /** The folded text (core/text/fold.ts) in which the texts of a query are looked for. */
  textOf: (row: Row) => string;
};

type Test<Value> = (value: Value) => boolean;

/** Whether a row passes the query. Time is linear in what is read of the row, for each condition. */
export function matcherOf<Row>(query: Query, list: RowList<Row>): Test<Row> {
  return compile(query, list, lastOnly(list.textOf));
}

/** Remembers the text of the newest row, since several conditions may examine it. */
function lastOnly<Row>(textOf: (row: Row) => string): (row: Row) => string {
  let last: { row: Row; text: string } | undefined;
  return (row) => {
    if (!last || last.row !== row) last = { row, text: textOf(row) };
    return last.text;
  };
}

function compile<Row>(query: Query, list: RowList<Row>, textOf: (row: Row) => string): Test<Row> {
  switch (query.kind) {
    case "and": {
      const parts = query.of.map((part) => compile(part, list, textOf));
      return (row) => parts.every((part) => part(row));
    }
    case "or": {
      const parts = query.of.map((part) => compile(part, list, textOf));
      return (row) => parts.some((part) => part(row));
    }
    case "not": {
      const part = compile(query.of, list, textOf);
      return (row) => !part(row);
    }
    case "phrase": {
      const part = fold(query.text);
      return (row) => textOf(row).includes(part);
    }
    case "term":
      return compileTerm(query, list);
  }
}

function compileTerm<Row>({ field, any, isNot }: Term, list: RowList<Row>): Test<Row> {
  if (field.kind === "tag") return tagged(field.key, any, isNot, list);
  if (field.kind !== "plain") return () => false; // no list of rows has these
  const { name, path } = field;
  const kind = path ? "value" : (list.fields.get(name)?.kind ?? "text");
  const valuesOf = (row: Row) => list.valuesOf(row, name, path);
  return has(
    valuesOf,
    testOf({ kind: "any" }, kind),
    any.map((match) => testOf(match, kind)),
    isNot,
  );
}

/** `isNot`: there is a value, and none of these. */
function has<Row, Value>(
  valuesOf: (row: Row) => readonly Value[],
  isThere: Test<Value>,
  tests: Test<Value>[],
  isNot: boolean,
): Test<Row> {
  return (row) => {
    const values = valuesOf(row);
    const isOne = values.some((value) => tests.some((test) => test(value)));
    return isNot ? values.some(isThere) && !isOne : isOne;
  };
}

/** The values of the tags that have the key. */
function tagged<Row>(key: string, any: Match[], isNot: boolean, list: RowList<Row>): Test<Row> {
  const valuesOf = (row: Row) =>
    list.valuesOf(row, "tag").flatMap((text): string[] => {
      const tag = readTag(String(text));
      return tag.key === key ? [tag.value] : [];
    });
  const isThere = () => true; // with or without a value
  const tests = any.map((match) => (match.kind === "any" ? isThere : testOf(match, "text")));
  return has<Row, Scalar>(valuesOf, isThere, tests, isNot);
}

/** Whether a value is one of those that a condition names. */
export function isOneOf(any: Match[], kind: ValueKind): Test<Scalar> {
  const tests = any.map((match) => testOf(match, kind));
  return (value) => tests.some((test) => test(value));
}

function testOf(match: Match, kind: ValueKind): Test<Scalar> {
  switch (match.kind) {
    case "any":
      return kind === "value" ? () => true : (value) => value !== "";
    case "is":
      return isText(match.text, match.isQuoted, kind);
    case "like":
      return kind === "contained" ? hasInOrder(match) : isLike(match);
    case "range":
      // as: values.ts gives versions as the bounds of versions, and numbers as those of others.
      return kind === "version"
        ? isVersionIn(match as Range<string>)
        : isNumberIn(match as Range<number>);
  }
}

function isText(text: string, isQuoted: boolean, kind: ValueKind): Test<Scalar> {
  if (kind === "value") {
    const texts = askedTexts(text, isQuoted ? "string" : undefined);
    return (value) => texts.includes(valueText(value));
  }
  if (kind !== "contained") return (value) => value === text;
  const part = fold(text);
  return (value) => typeof value === "string" && fold(value).includes(part);
}

type Like = Match & { kind: "like" };

function isLike({ start, middle, end }: Like): Test<Scalar> {
  return (value) =>
    typeof value === "string" &&
    value.length >= start.length + middle.length + end.length &&
    value.startsWith(start) &&
    value.endsWith(end) &&
    value.slice(start.length, value.length - end.length).includes(middle);
}

/** The text contains the parts, each after the one before it. */
function hasInOrder({ start, middle, end }: Like): Test<Scalar> {
  const parts = [start, middle, end].map(fold);
  return (value) => {
    if (typeof value !== "string") return false;
    const text = fold(value);
    let at = 0;
    return parts.every((part) => {
      const found = text.indexOf(part, at);
      at = found + part.length;
      return found >= 0;
    });
  };
}

function isVersionIn(range: Range<string>): Test<Scalar> {
  return (value) => value !== "" && isIn(range, (bound) => compareVersions(String(value), bound));
}

function isNumberIn(range: Range<number>): Test<Scalar> {
  return (value) => typeof value === "number" && isIn(range, (bound) => value - bound);
}

/** `compare`: negative if the value is less than the bound. */
function isIn<Value>({ from, to }: Range<Value>, compare: (bound: Value) => number): boolean {
  const low = from ? compare(from.value) : 1;
  const high = to ? compare(to.value) : -1;
  return (from?.isIncluded ? low >= 0 : low > 0) && (to?.isIncluded ? high <= 0 : high < 0);
}
