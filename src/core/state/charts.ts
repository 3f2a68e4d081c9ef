/** The values of one path of the state over a range of time, divided into at most as many spans as can be drawn. */
import type { Json } from "../wire.ts";
import { MAX_VALUE_LENGTH } from "../limits.ts";
import { isObject } from "./merge.ts";

/** One value, or several that began too soon after each other to be drawn each. It lasts until the next span. */
export type StateSpan = {
  /** When its first value began. */
  at: number;
  /** When its last value began: from then on `text` and `number` are what the path had. */
  last_at: number;
  /** How many values began in it. 0: the value began before the range. */
  changes: number;
  /** The last value, cut: a string, everything else as JSON. Absent if the path had none. */
  text?: string;
  /** The same, if it is a number. */
  number?: number;
  /** The least and the greatest number in it. */
  least?: number;
  most?: number;
  /** A value in it was no number. */
  has_text?: true;
};

export type StateChart = {
  path: string[];
  /** The values that the index lists of it, in the order in which they began: a page colours a value by its place here. */
  known: string[];
  /** In the order of time, the first at the begin of the range. */
  spans: StateSpan[];
};

/** Takes the values of a path in the order of time: the one at `from` first, then each change. */
export class StateChartBuilder {
  readonly spans: StateSpan[] = [];
  readonly #from: number;
  readonly #width: number;

  /** @param points the parts of equal width into which the range is divided: changes in one of them are one span */
  constructor(from: number, to: number, points: number) {
    this.#from = from;
    this.#width = Math.max(Number.MIN_VALUE, (to - from) / points);
  }

  /** `value` is undefined if the path has none from `at` on. */
  add(at: number, value: Json | undefined): void {
    const last = this.spans.at(-1);
    const next = spanOf(at, last === undefined ? 0 : 1, value);
    // The value at the begin of the range is a span of its own.
    if (last && last.changes > 0 && this.#part(last.at) === this.#part(at)) join(last, next);
    else this.spans.push(next);
  }

  #part(at: number): number {
    return Math.floor((at - this.#from) / this.#width);
  }
}

function spanOf(at: number, changes: number, value: Json | undefined): StateSpan {
  const span = { at, last_at: at, changes };
  if (value === undefined) return span;
  const text = textOf(value);
  if (typeof value !== "number") return { ...span, text, has_text: true };
  return { ...span, text, number: value, least: value, most: value };
}

function join(span: StateSpan, { last_at, text, number, least, most, has_text }: StateSpan): void {
  span.last_at = last_at;
  span.changes += 1;
  delete span.text;
  delete span.number;
  if (text !== undefined) span.text = text;
  if (number !== undefined) span.number = number;
  if (least !== undefined) span.least = Math.min(span.least ?? least, least);
  if (most !== undefined) span.most = Math.max(span.most ?? most, most);
  if (has_text) span.has_text = true;
}

/** A value in one line. The members of an object have paths of their own. */
function textOf(value: Json): string {
  if (isObject(value)) return "{…}";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}
