/**
 * Conditions on what a session has, for filters and queries: SQL on `sessions AS s` and `details AS d`, where d may be missing.
 *
 * What the catalog lists of a session may be incomplete, so each has two conditions: `has` is certain, `may` includes the sessions of which it is not
 * known. NOT exchanges them. Neither is ever NULL.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Match } from "../../core/query/tree.ts";
import { searchable } from "../../core/session/searched.ts";
import {
  all,
  any as anyOfThese,
  type Candidates,
  EVERY_SESSION,
  having,
  withPart,
  withTerm,
} from "./candidates.ts";
import {
  allRows,
  type Column,
  columnOf,
  columnsNamed,
  type List,
  rowsNamed,
} from "../tables/details.ts";
import { CANDIDATE_MICROS } from "../limits.ts";
import { LEFT_OUT_BITS, UNPUBLISHED } from "./filter.ts";
import { anyOf, chained, numberIs, startsWith, textIs } from "./matching.ts";
import { TOKEN } from "../tables/posting.ts";
import { readTag } from "../../core/text/tag.ts";

export type Condition = {
  has: SQL;
  may: SQL;
  /** Those that may pass are among them. */
  among: Candidates;
  /** Microseconds that verifying it takes in addition to reading the session's own row. Unless it is 0, lists are read, and `may` can differ from `has`. */
  cost: number;
};

/** A condition on columns of the session's own row. */
export function certain(condition: SQL, among = EVERY_SESSION): Condition {
  const known = sql`(${condition})`;
  return { has: known, may: known, among, cost: 0 };
}

export const EVERY: Condition = certain(sql`1`);

export function both(parts: Condition[]): Condition {
  return joined(parts, sql` AND `, sql`1`, all);
}

export function either(parts: Condition[]): Condition {
  return joined(parts, sql` OR `, sql`0`, anyOfThese);
}

function joined(
  parts: Condition[],
  operator: SQL,
  none: SQL,
  among: (parts: Candidates[]) => Candidates,
): Condition {
  const candidates = among(parts.map((part) => part.among));
  if (parts.length === 0) return certain(none, candidates);
  return {
    has: chained(
      parts.map(({ has }) => has),
      operator,
    ),
    may: chained(
      parts.map(({ may }) => may),
      operator,
    ),
    among: candidates,
    cost: parts.reduce((sum, { cost }) => sum + cost, 0),
  };
}

/** Which sessions lack something no index has. */
export function not({ has, may, cost }: Condition): Condition {
  return { has: sql`NOT ${may}`, may: sql`NOT ${has}`, among: EVERY_SESSION, cost };
}

/** A condition on a list that is incomplete in a session with any of `bits`. The lists of a damaged session may lack what cannot be read. */
export function listed(
  has: SQL,
  may: SQL,
  bits: number,
  among: Candidates,
  cost = CANDIDATE_MICROS.list,
): Condition {
  return {
    has: sql`(${has})`,
    may: sql`(${may} OR s.left_out & ${sql.raw(String(bits))} OR s.damaged <> 0)`,
    among: among.match === undefined ? EVERY_SESSION : { ...among, bits: among.bits | bits },
    cost,
  };
}

export function exists(rows: SQL, where: SQL): SQL {
  return sql`EXISTS (SELECT 1 FROM ${rows} WHERE ${where})`;
}

export function column<Of extends List>(list: Of, name: Column<Of>): SQL {
  return sql.raw(`(${columnOf(list, name)})`);
}

/** Bits of left_out with which a list may lack something. */
export const listBits = {
  events: LEFT_OUT_BITS.event_names | UNPUBLISHED,
  exceptions: LEFT_OUT_BITS.exceptions,
  state: LEFT_OUT_BITS.state_paths | UNPUBLISHED,
  figures: LEFT_OUT_BITS.series | UNPUBLISHED,
  attachments: LEFT_OUT_BITS.attachments | UNPUBLISHED,
  tests: LEFT_OUT_BITS.tests | UNPUBLISHED,
  searched: LEFT_OUT_BITS.searched | UNPUBLISHED,
} as const;

/** A folded term that occurs in a text of the session. */
export function containing(term: string): Condition {
  const has = sql`(instr(s.search, ${term}) > 0 OR instr(ifnull(d.searched, ''), ${term}) > 0)`;
  return listed(has, has, listBits.searched, withTerm(term, 0), CANDIDATE_MICROS.text);
}

/** A text as it was written in a query. */
export function containingText(text: string): Condition {
  return containing(searchable(text));
}

/** Candidates by a text that is among those which a text search looks through. `token`: of a whole text. */
function withTexts(
  any: Match[],
  token: ((text: string) => string) | undefined,
  what: Candidates = EVERY_SESSION,
): Candidates {
  return anyOfThese(
    any.map((match) => {
      if (match.kind === "is") return token ? having(token(match.text)) : what;
      if (match.kind !== "like") return what;
      const parts = [match.start, match.middle, match.end];
      return all([what, ...parts.map((part) => withPart(part, listBits.searched))]);
    }),
  );
}

export function eventNamed(any: Match[]): Condition {
  const name = column("events", "name");
  const has = chained(
    byName(any, (match) =>
      match === undefined
        ? exists(allRows("events"), textIs(name, any))
        : exists(rowsNamed("events", match), sql`${name} = ${match}`),
    ),
    sql` OR `,
  );
  return listed(has, has, listBits.events, withTexts(any, TOKEN.event, having(TOKEN.has("event"))));
}

/** One name is looked up by its key; of anything else all rows are read. */
function byName(any: Match[], where: (name: string | undefined) => SQL): SQL[] {
  const [only] = any;
  return [where(any.length === 1 && only?.kind === "is" ? only.text : undefined)];
}

/** `merged`: or one of these, each in its product. */
export function hadFingerprint(
  fingerprint: string,
  merged: { product: string; fingerprint: string }[],
): Condition {
  const had = column("exceptions", "fingerprint");
  const pairs = JSON.stringify(merged.map((each) => [each.fingerprint, each.product]));
  const has =
    merged.length === 0
      ? exists(rowsNamed("exceptions", fingerprint), sql`${had} = ${fingerprint}`)
      : exists(
          allRows("exceptions"),
          sql`(${had} = ${fingerprint} OR (${had}, s.product) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${pairs})))`,
        );
  const all = [fingerprint, ...merged.map((each) => each.fingerprint)];
  const among = anyOfThese(all.map((each) => having(TOKEN.fingerprint(each))));
  return listed(has, has, listBits.exceptions, among);
}

/** Of this type or fingerprint. */
export function exceptionIs(any: Match[]): Condition {
  const [type, fingerprint] = [column("exceptions", "type"), column("exceptions", "fingerprint")];
  const has = exists(
    allRows("exceptions"),
    sql`(${textIs(type, any)} OR ${textIs(fingerprint, any)})`,
  );
  const some = having(TOKEN.has("exception"));
  const among = anyOfThese(
    any.map((match) =>
      match.kind === "is"
        ? anyOfThese([
            having(TOKEN.exceptionType(match.text)),
            having(TOKEN.fingerprint(match.text)),
          ])
        : some,
    ),
  );
  return listed(has, has, listBits.exceptions, among);
}

export function metricNamed(any: Match[]): Condition {
  const name = column("figures", "name");
  const has = chained(
    byName(any, (match) =>
      match === undefined
        ? exists(allRows("figures"), textIs(name, any))
        : exists(rowsNamed("figures", match), sql`${name} = ${match}`),
    ),
    sql` OR `,
  );
  const among = anyOfThese(
    any.map((match) =>
      having(match.kind === "is" ? TOKEN.metric(match.text) : TOKEN.has("metric")),
    ),
  );
  return listed(has, has, listBits.figures, among);
}

/** A series of this metric with such a figure (core/query/fields.ts FIGURES). */
export function figureIs(metric: string, statistic: string, any: Match[]): Condition {
  const { rows, value } = figureOf(metric, statistic);
  const has = exists(
    rows,
    sql`side.name = ${metric} AND ${anyOf(any, (match) => numberIs(value, match))}`,
  );
  return listed(has, has, listBits.figures, having(TOKEN.metric(metric)));
}

/** The series of a metric as a table `side` with their names, and a figure of each. */
export function figureOf(metric: string, statistic: string): { rows: SQL; value: SQL } {
  const { columns, value } = FIGURES[statistic] ?? { columns: [], value: sql`NULL` };
  return { rows: columnsNamed("figures", metric, ["name", ...columns]), value };
}

type Figure = { columns: Column<"figures">[]; value: SQL };
const SUM: Figure = {
  columns: ["sum", "sum_low", "sum_scale"],
  value: sql`((side.sum + side.sum_low) / side.sum_scale)`,
};
const figure = (name: Column<"figures">): Figure => ({
  columns: [name],
  value: sql.raw(`side.${name}`),
});
const FIGURES: { [statistic: string]: Figure } = {
  sum: SUM,
  mean: {
    columns: [...SUM.columns, "count"],
    value: sql`(${SUM.value} / nullif(side.count, 0))`,
  },
  min: figure("min"),
  max: figure("max"),
  first: figure("first"),
  last: figure("last"),
  count: figure("count"),
  increase: figure("increase"),
  p50: figure("p50"),
  p95: figure("p95"),
  p99: figure("p99"),
};

export function attachmentNamed(any: Match[]): Condition {
  const has = exists(allRows("attachments"), textIs(column("attachments", "name"), any));
  const some = having(TOKEN.has("attachment"));
  return listed(has, has, listBits.attachments, withTexts(any, TOKEN.attachment, some));
}

/** By its whole name or the last part of it. */
export function testNamed(any: Match[]): Condition {
  const [text, last] = [column("tests", "text"), column("tests", "last")];
  const has = exists(allRows("tests"), sql`(${textIs(text, any)} OR ${textIs(last, any)})`);
  return listed(has, has, listBits.tests, withTexts(any, TOKEN.test, having(TOKEN.has("test"))));
}

export function tagged(any: Match[]): Condition {
  const among = withTexts(any, TOKEN.tag, having(TOKEN.has("tag")));
  return inTags(textIs(sql.raw("tag.value"), any), among);
}

/** A tag with this key (core/text/tag.ts), whatever its value is, or with one of these values. */
export function tagIs(key: string, any: Match[]): Condition {
  const start = `${key}:`;
  const alone = sql`tag.value = ${key}`;
  // Only digits before a colon are no key, so that such a tag is one without a value.
  const isKey = readTag(start).key === key;
  const value = sql`substr(tag.value, ${Array.from(start).length + 1})`;
  const isTag = (match: Match): SQL => {
    const isAlone = match.kind === "any" || (match.kind === "is" && match.text === "");
    const parts = [
      ...(isAlone && readTag(key).key === key ? [alone] : []),
      ...(isKey
        ? [
            match.kind === "any"
              ? startsWith(sql.raw("tag.value"), start)
              : sql`(${startsWith(sql.raw("tag.value"), start)} AND ${textIs(value, [match])})`,
          ]
        : []),
    ];
    return parts.length === 0 ? sql`0` : chained(parts, sql` OR `);
  };
  const among = anyOfThese(
    any.map((match) =>
      having(
        match.kind === "is" && match.text !== ""
          ? TOKEN.tag(`${start}${match.text}`)
          : TOKEN.tagKey(key),
      ),
    ),
  );
  return inTags(anyOf(any, isTag), among);
}

function inTags(where: SQL, among: Candidates): Condition {
  const has = exists(sql`json_each(s.tags) AS tag`, where);
  return listed(has, has, LEFT_OUT_BITS.tags, among);
}
