/** Whether a session has, or ever had, what a filter asks for and the catalog does not know. */

import { isNamed } from "../tests/listed.ts";
import { all } from "../query/known.ts";
import { passes } from "./passing.ts";
import {
  hadEvent,
  hadException,
  hadMetric,
  hadTag,
  hadTerms,
  hadTest,
  hadValue,
  type Recorded,
} from "./recorded.ts";
import type { Query } from "../query/tree.ts";

/** What a session may have had once; it must have had all of it. */
export type HeldQuery = {
  event?: string;
  /** Any of these fingerprints, in a session of the product. */
  exceptions?: { fingerprint: string; product?: string }[];
  tag?: string;
  metric?: string;
  /** A path, with any of these values (core/state/values.ts), or with any value at all. */
  state?: { path: string[]; texts?: string[] };
  /** A test of this name (core/tests/listed.ts). */
  test?: string;
  /** Each of these occurs in a text of it, or in its names (core/session/searched.ts). They are folded. */
  terms?: string[];
  /** And all else that it must meet. */
  rest?: Query;
};

/** Null: not known, since the log is longer than one question may search, or damaged. */
export function held(source: Omit<Recorded, "opened">, query: HeldQuery): boolean | null {
  const of = { ...source, opened: 0 };
  const { event, exceptions, metric, tag, state, test, terms, rest } = query;
  const parts: (() => boolean | null)[] = [];
  if (event !== undefined) parts.push(() => hadEvent(of, (name) => name === event));
  if (exceptions !== undefined) parts.push(() => hadOneOf(of, exceptions));
  if (metric !== undefined) parts.push(() => hadMetric(of, (name) => name === metric));
  if (tag !== undefined) parts.push(() => hadTag(of, (each) => each === tag));
  if (state !== undefined) {
    const { path, texts } = state;
    parts.push(() => hadValue(of, path, texts && ((text) => texts.includes(text))));
  }
  if (test !== undefined) parts.push(() => hadTest(of, (each) => isNamed(each, test)));
  if (terms !== undefined) parts.push(() => hadTerms(of, terms));
  if (rest !== undefined) parts.push(() => passes(of, rest));
  return all(parts);
}

/** Of these fingerprints, those that are of the session's product or of any. */
function hadOneOf(of: Recorded, asked: NonNullable<HeldQuery["exceptions"]>): boolean | null {
  const mine = asked.filter(({ product }) => product === undefined || product === of.index.product);
  const fingerprints = new Set(mine.map(({ fingerprint }) => fingerprint));
  return hadException(of, ({ fingerprint }) => fingerprints.has(fingerprint));
}
