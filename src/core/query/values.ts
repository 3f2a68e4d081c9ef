/** What the value of a condition means, by the kind of its field. */
import type { FieldInfo } from "./list.ts";
import { nearest } from "./names.ts";
import { refusedAt } from "./refusal.ts";
import { readDuration, readNumber, readSize, readTime, type TimeSpan } from "./quantities.ts";
import type { Match, Range } from "./tree.ts";

export type WrittenValue = {
  /** Where it begins in the query. */
  at: number;
  operator: string | undefined;
  text: string;
  isQuoted: boolean;
};

/** Throws a Refusal (invalid_query) with its position. */
export function matchOf(value: WrittenValue, info: FieldInfo, now: number): Match {
  const { at, operator, text, isQuoted } = value;
  if (text === "" && !isQuoted) throw refusedAt(at, "A value is missing after the colon");
  if (text === "*" && !isQuoted && operator === undefined) return { kind: "any" };
  switch (info.kind) {
    case "number":
      return numeric(value, readNumber, "a number");
    case "duration":
      return numeric(value, readDuration, "a duration, as 500ms, 3s, 5m, 2h or 7d");
    case "size":
      return numeric(value, readSize, "a size, as 500kB or 3MiB");
    case "time":
      return timeRange(value, now);
    case "choice": {
      const choice = text.toLowerCase();
      if (operator !== undefined) throw refusedAt(at, `${info.name} has no order`);
      if (info.choices?.includes(choice)) return { kind: "is", text: choice, isQuoted };
      throw notAmong(value, info);
    }
    case "rank": {
      const read = point((written) => info.rankOf?.(written));
      const range = rangeOf(value, read) ?? exact(value, read);
      if (range) return range;
      throw notAmong(value, info);
    }
    case "version":
      if (!isQuoted && (operator !== undefined || text.includes("..")))
        return (
          rangeOf(value, (each) => (each === "" ? undefined : { from: each, to: each })) ??
          textual(value)
        );
      return textual(value);
    case "value": {
      const range = isQuoted ? undefined : rangeOf(value, point(readNumber));
      if (range) return range;
      if (operator !== undefined && operator !== "=")
        throw refusedAt(at, `${text} is not a number`);
      return textual(value);
    }
    case "text":
    case "contained":
      if (operator !== undefined && operator !== "=")
        throw refusedAt(at, `${info.name} has no order`);
      return textual(value);
  }
}

function notAmong({ at, text }: WrittenValue, { name, choices = [], labels = {} }: FieldInfo) {
  const written = text.toLowerCase();
  const labelled = choices.find((choice) => labels[choice]?.toLowerCase() === written);
  const near = labelled ?? nearest(written, choices);
  const meant = near === undefined ? "" : `Did you mean ${near}? `;
  return refusedAt(
    at,
    `${name}:${text.slice(0, 60)} is unknown. ${meant}Known are ${choices.join(", ")}`,
  );
}

/** A whole text, or one with * in it. */
function textual({ at, text, isQuoted }: WrittenValue): Match {
  if (isQuoted || !text.includes("*")) return { kind: "is", text, isQuoted };
  const [start = "", middle, end, ...further] = text.split("*");
  if (further.length > 0)
    throw refusedAt(at, "A text may have two *, as in *door*; quotes make it literal");
  // One *: what follows it is the end.
  return end === undefined
    ? { kind: "like", start, middle: "", end: middle ?? "" }
    : { kind: "like", start, middle: middle ?? "", end };
}

function numeric(
  value: WrittenValue,
  read: (text: string) => number | undefined,
  what: string,
): Range<number> {
  const range = rangeOf(value, point(read)) ?? exact(value, point(read));
  if (range) return range;
  const isRange = value.operator === undefined && value.text.includes("..");
  throw refusedAt(
    value.at,
    isRange
      ? `${value.text} is no range: on each side of the two dots is ${what}, or * for any`
      : `${value.text} is not ${what}`,
  );
}

const point = (read: (text: string) => number | undefined) => (text: string) => {
  const number = read(text);
  return number === undefined ? undefined : { from: number, to: number };
};

/** A value alone is a range of itself. */
function exact<Value>(
  { text }: WrittenValue,
  read: (text: string) => { from: Value; to: Value } | undefined,
): Range<Value> | undefined {
  const span = read(text);
  return (
    span && {
      kind: "range",
      from: { value: span.from, isIncluded: true },
      to: { value: span.to, isIncluded: true },
    }
  );
}

/** `>3`, `<=3`, `=3`, `3..5`, `3..*`; undefined if it is none of these, or its parts cannot be read. */
function rangeOf<Value>(
  value: WrittenValue,
  read: (text: string) => { from: Value; to: Value } | undefined,
): Range<Value> | undefined {
  const { operator, text } = value;
  const dots = operator === undefined ? text.indexOf("..") : -1;
  if (dots >= 0) {
    const [low, high] = [text.slice(0, dots), text.slice(dots + 2)];
    const [from, to] = [read(low), read(high)];
    if ((!from && low !== "*") || (!to && high !== "*")) return undefined;
    return {
      kind: "range",
      from: from && { value: from.from, isIncluded: true },
      to: to && { value: to.to, isIncluded: true },
    };
  }
  const span = operator === undefined ? undefined : read(text);
  if (!span) return undefined;
  switch (operator) {
    case ">":
      return { kind: "range", from: { value: span.to, isIncluded: false } };
    case ">=":
      return { kind: "range", from: { value: span.from, isIncluded: true } };
    case "<":
      return { kind: "range", to: { value: span.from, isIncluded: false } };
    case "<=":
      return { kind: "range", to: { value: span.to, isIncluded: true } };
    default:
      return exact(value, read);
  }
}

/** A time. A duration counts back from now: `<7d` is later than seven days ago, as "less than seven days old". */
function timeRange({ at, operator, text }: WrittenValue, now: number): Range<number> {
  const age = readDuration(text);
  if (age !== undefined) {
    const bound = { value: now - age, isIncluded: operator !== "<" && operator !== ">" };
    const isOlder = operator === ">" || operator === ">=";
    return isOlder ? { kind: "range", to: bound } : { kind: "range", from: bound };
  }
  const [low = "", high = low] = operator === undefined ? text.split("..") : [text];
  const [first, last] = [low, high].map((written) => spanOf(written, now));
  const isOpen = low !== high && (low === "*" || high === "*");
  if ((!first || !last) && !(isOpen && (first || last)))
    throw refusedAt(
      at,
      `${text} is not a time, as 2026-01-31, 2026-01-31T12:00+01:00, today or <7d`,
    );
  const from = first && { value: first.from, isIncluded: true };
  const to = last && { value: last.to, isIncluded: false };
  switch (operator) {
    case "<":
      return { kind: "range", to: first && { value: first.from, isIncluded: false } };
    case "<=":
      return { kind: "range", to };
    case ">":
      return { kind: "range", from: last && { value: last.to, isIncluded: true } };
    case ">=":
      return { kind: "range", from };
    default:
      return { kind: "range", from, to };
  }
}

/** From its first millisecond to before the first one after it. */
function spanOf(text: string, now: number): TimeSpan | undefined {
  const age = readDuration(text);
  return age === undefined ? readTime(text, now) : { from: now - age, to: now - age + 1 };
}
