/**
 * Compiles a query (core/query) to conditions on `sessions AS s`.
 *
 * What the catalog lists of a session may be incomplete, so each part has two conditions: `has` is certain, `may` includes the sessions of
 * which it is not known. NOT exchanges them. Neither is ever NULL.
 */
import { type SQL, sql } from "drizzle-orm";
import { fold } from "../core/text/fold.ts";
import { MAX_VALUE_LENGTH } from "../core/limits.ts";
import { writePath } from "../core/state/path.ts";
import { compareVersions } from "../core/query/order.ts";
import { leavesOf, type Match, type Query, type Range, type Term } from "../core/query/tree.ts";
import { ANY_VALUE, askedTexts } from "../core/state/values.ts";
import {
  KIND,
  LEFT_OUT_BITS,
  orLeftOut,
  RAN_MS,
  stateConditions,
  type StatusKind,
  UNPUBLISHED,
} from "./filter.ts";

type Compiled = { has: SQL; may: SQL };

export function compile(query: Query): Compiled {
  switch (query.kind) {
    case "and":
      return joined(query.of.map(compile), sql` AND `, sql`1`);
    case "or":
      return joined(query.of.map(compile), sql` OR `, sql`0`);
    case "not":
      return not(compile(query.of));
    case "phrase":
      return certain(sql`instr(s.search, ${fold(query.text)}) > 0`);
    case "term":
      return query.isNot ? others(query) : compileTerm(query);
  }
}

/** True for a session of which the catalog does not know whether it passes; undefined if it knows that of all. */
export function uncertainQuery(query: Query | undefined): SQL | undefined {
  return query && isUncertain(query) ? sql`NOT ${compile(query).has}` : undefined;
}

/** Whether the catalog may not know if a session passes. */
function isUncertain(query: Query): boolean {
  return [...leavesOf(query)].some((leaf) => leaf.kind === "term" && isListed(leaf));
}

function isListed({ field }: Term): boolean {
  return field.kind !== "plain" || LISTED.has(field.name);
}

const LISTED = new Set(["event", "exception", "metric", "tag"]);

function joined(parts: Compiled[], operator: SQL, none: SQL): Compiled {
  if (parts.length === 0) return certain(none);
  const join = (conditions: SQL[]) => chained(conditions, operator);
  return { has: join(parts.map(({ has }) => has)), may: join(parts.map(({ may }) => may)) };
}

/** Joined in halves: SQLite takes 100 expressions within each other, and in `a OR b OR c` each is within the next. */
function chained(conditions: SQL[], operator: SQL): SQL {
  if (conditions.length <= 2) return sql`(${sql.join(conditions, operator)})`;
  const half = conditions.length >> 1;
  const [first, second] = [conditions.slice(0, half), conditions.slice(half)];
  return sql`(${chained(first, operator)}${operator}${chained(second, operator)})`;
}

function not({ has, may }: Compiled): Compiled {
  return { has: sql`NOT ${may}`, may: sql`NOT ${has}` };
}

function certain(condition: SQL): Compiled {
  const known = sql`(${condition})`;
  return { has: known, may: known };
}

/** Something is there, and none of it is what the term names. */
function others(term: Term): Compiled {
  const all = { ...term, isNot: false };
  const any = compileTerm({ ...all, any: [{ kind: "any" }] });
  return joined([any, not(compileTerm(all))], sql` AND `, sql`1`);
}

function compileTerm({ field, any }: Term): Compiled {
  switch (field.kind) {
    case "plain":
      return plain(field.name, any);
    case "tag":
      return tagged(tagCondition(field.key, any));
    case "metric": {
      const figure = sql.raw(FIGURE_COLUMNS[field.statistic] ?? "NULL");
      const where = sql`side.name = ${field.metric} AND ${anyOf(any, (match) => numberIs(figure, match))}`;
      return listed("metrics", where, LEFT_OUT_BITS.series | UNPUBLISHED);
    }
    case "state":
      return stateIs(field.when, field.path, any);
  }
}

/** Figures of core/query/fields.ts, from columns of `metrics`. */
const FIGURE_COLUMNS: { [figure: string]: string } = {
  mean: "((side.sum + side.sum_low) / side.sum_scale / nullif(side.count, 0))",
  sum: "((side.sum + side.sum_low) / side.sum_scale)",
  min: "side.min",
  max: "side.max",
  first: "side.first",
  last: "side.last",
  count: "side.count",
  increase: "side.increase",
  p50: "side.p50",
  p95: "side.p95",
  p99: "side.p99",
};

const TEXTS: { [field: string]: string } = {
  id: "s.id",
  product: "s.product",
  version: "s.version",
  os: "s.os",
  language: "s.language",
  browser: "s.browser",
  signal: "coalesce(s.signal, '')",
};

const NUMBERS: { [field: string]: string } = {
  exit_code: "s.exit_code",
  started: "s.created_at",
  ended: "s.ended_at",
  seen: "s.received_at",
  ran: RAN_MS,
  stored: "s.bytes",
  events: "s.events",
  exceptions: "s.exceptions",
  states: "s.states",
  tests: "s.tests",
  failed_tests: "s.failed_tests",
  points: "s.points",
  series: "s.series",
  attachments: "s.attachments",
};

const HAS: { [what: string]: string } = {
  event: "s.events > 0",
  exception: "s.exceptions > 0",
  metric: "s.points > 0",
  state: "s.states > 0",
  tag: "s.tags <> '[]'",
  hang: "s.ever_hung = 1",
  heartbeat: "s.last_heartbeat_at IS NOT NULL",
  exit_code: "s.exit_code IS NOT NULL",
  signal: "s.signal IS NOT NULL",
  test: "s.tests > 0",
  attachment: "s.attachments > 0",
};

function plain(name: string, any: Match[]): Compiled {
  const text = TEXTS[name];
  if (text !== undefined) return certain(textIs(sql.raw(text), any));
  const number = NUMBERS[name];
  if (number !== undefined) return certain(anyOf(any, (match) => numberIs(sql.raw(number), match)));
  switch (name) {
    case "status":
    case "is":
      return certain(
        anyOf(any, (match) => (match.kind === "is" ? KIND[match.text as StatusKind] : sql`1`)),
      ); // as: the parser checked it
    case "has":
      return certain(
        anyOf(any, (match) => sql.raw(match.kind === "is" ? (HAS[match.text] ?? "0") : "1")),
      );
    case "machine":
      return certain(
        sql`${textIs(sql.raw("s.hostname"), any)} OR ${textIs(sql.raw("s.machine_id"), any)}`,
      );
    case "verdict":
      return certain(anyOf(any, inVerdict));
    case "tag":
      return tagged(textIs(sql.raw("tag.value"), any));
    case "event":
      return listed(
        "event_counts",
        textIs(sql.raw("side.name"), any),
        LEFT_OUT_BITS.event_names | UNPUBLISHED,
      );
    case "metric":
      return listed(
        "metrics",
        textIs(sql.raw("side.name"), any),
        LEFT_OUT_BITS.series | UNPUBLISHED,
      );
    case "exception":
      return listed(
        "exceptions",
        sql`(${textIs(sql.raw("side.type"), any)} OR ${textIs(sql.raw("side.fingerprint"), any)})`,
        LEFT_OUT_BITS.exceptions,
      );
    default:
      throw new Error(`The field ${name} is not compiled.`);
  }
}

/** ASCII letters of either case are equal here: a verdict is not stored folded. */
function inVerdict(match: Match): SQL {
  if (match.kind === "any") return sql`s.headline <> ''`;
  const text =
    match.kind === "is"
      ? match.text
      : match.kind === "like"
        ? `${match.start}${match.middle}${match.end}`
        : "";
  return sql`instr(lower(s.headline), lower(${text})) > 0`;
}

function tagged(where: SQL): Compiled {
  const has = sql`EXISTS (SELECT 1 FROM json_each(s.tags) AS tag WHERE ${where})`;
  return { has, may: sql`(${has}${orLeftOut(LEFT_OUT_BITS.tags)})` };
}

/** A tag `key`, or `key:value`. */
function tagCondition(key: string, any: Match[]): SQL {
  const start = `${key}:`;
  const value = sql`substr(tag.value, ${start.length + 1})`;
  return anyOf(any, (match) =>
    match.kind === "any"
      ? sql`(tag.value = ${key} OR ${startsWith(sql.raw("tag.value"), start)})`
      : sql`(${startsWith(sql.raw("tag.value"), start)} AND ${textIs(value, [match])})`,
  );
}

/** A row of a detail table, as conditions on `side`. */
function listed(table: string, where: SQL, bit: number, may = where): Compiled {
  const exists = (condition: SQL) =>
    sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} AS side WHERE side.session_id = s.id AND ${condition})`;
  return { has: exists(where), may: sql`(${exists(may)}${orLeftOut(bit)})` };
}

function stateIs(when: "state" | "ever" | "at_end", path: string[], any: Match[]): Compiled {
  const bit = LEFT_OUT_BITS.state_paths | UNPUBLISHED;
  const isCurrent = when === "ever" ? sql`1` : sql`side.last_at IS NULL`;
  const here = sql`side.path = ${writePath(path)}`;
  const parts = any.map((match): { has: SQL; may: SQL } => {
    if (match.kind === "any") {
      const { has, mayHave } = stateConditions({ path });
      return { has: sql`(${has} AND ${isCurrent})`, may: mayHave };
    }
    if (match.kind === "is") {
      const texts = askedTexts(match.text, match.isQuoted ? "string" : undefined);
      const { has, mayHave } = stateConditions({ path }, texts);
      // What is over or has members has no times of its own values.
      const isMarked = sql`side.value IN (${ANY_VALUE}) OR side.path <> ${writePath(path)}`;
      return {
        has: sql`(${has} AND ${isCurrent})`,
        may: sql`(${mayHave} AND (${isCurrent} OR ${isMarked}))`,
      };
    }
    const value = sql.raw("substr(side.value, 2)");
    const has =
      match.kind === "like"
        ? sql`(substr(side.value, 1, 1) = '"' AND length(side.value) <= ${MAX_VALUE_LENGTH} AND ${textIs(value, [match])})`
        : sql`(substr(side.value, 1, 1) = '=' AND substr(side.value, 2, 1) IN ('-','0','1','2','3','4','5','6','7','8','9') AND ${numberIs(sql`CAST(${value} AS REAL)`, match)})`;
    // A longer text is cut, so its end is not known.
    const may = sql`(${has} OR length(side.value) > ${MAX_VALUE_LENGTH})`;
    return {
      has: sql`(${here} AND ${has} AND ${isCurrent})`,
      may: sql`(${here} AND ((${may} AND ${isCurrent}) OR side.value = ${ANY_VALUE}))`,
    };
  });
  const has = chained(
    parts.map((part) => part.has),
    sql` OR `,
  );
  const may = chained(
    parts.map((part) => part.may),
    sql` OR `,
  );
  const compiled = listed("state_values", has, bit, may);
  if (when !== "at_end") return compiled;
  return joined([compiled, certain(sql`s.is_open = 0`)], sql` AND `, sql`1`);
}

function anyOf(any: Match[], condition: (match: Match) => SQL): SQL {
  return chained(any.map(condition), sql` OR `);
}

/** Whole texts are compared in one parameter. */
function textIs(column: SQL, any: Match[]): SQL {
  const texts = any.flatMap((match) => (match.kind === "is" ? [match.text] : []));
  const parts = any.flatMap((match): SQL[] => {
    if (match.kind === "any") return [sql`${column} <> ''`];
    return match.kind === "like" ? [like(column, match)] : [];
  });
  if (texts.length > 0 || parts.length === 0)
    parts.push(sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(texts)}))`);
  return chained(parts, sql` OR `);
}

/** Without LIKE and GLOB, whose patterns D1 limits to 50 bytes. */
function like(column: SQL, { start, middle, end }: Match & { kind: "like" }): SQL {
  const all = [sql`length(${column}) >= ${start.length + middle.length + end.length}`];
  if (start !== "") all.push(startsWith(column, start));
  if (end !== "") all.push(sql`substr(${column}, ${-end.length}) = ${end}`);
  if (middle !== "") {
    const inner = sql`substr(${column}, ${start.length + 1}, length(${column}) - ${start.length + end.length})`;
    all.push(sql`instr(${inner}, ${middle}) > 0`);
  }
  return sql`(${sql.join(all, sql` AND `)})`;
}

function startsWith(column: SQL, start: string): SQL {
  return sql`substr(${column}, 1, ${start.length}) = ${start}`;
}

function numberIs(column: SQL, match: Match): SQL {
  if (match.kind !== "range") return sql`${column} IS NOT NULL`;
  const { from, to } = match as Range<number>; // as: matchOf reads numbers for these fields
  const all = [sql`${column} IS NOT NULL`];
  if (from)
    all.push(from.isIncluded ? sql`${column} >= ${from.value}` : sql`${column} > ${from.value}`);
  if (to) all.push(to.isIncluded ? sql`${column} <= ${to.value}` : sql`${column} < ${to.value}`);
  return sql`(${sql.join(all, sql` AND `)})`;
}

/** The query with each range of versions as the list of those known versions that are in it. */
export function withVersions(query: Query, known: readonly string[]): Query {
  switch (query.kind) {
    case "and":
    case "or":
      return { ...query, of: query.of.map((part) => withVersions(part, known)) };
    case "not":
      return { ...query, of: withVersions(query.of, known) };
    case "phrase":
      return query;
    case "term": {
      if (!hasVersionRange(query)) return query;
      const others = query.any.filter((match) => match.kind !== "range");
      const ranges = query.any.filter((match) => match.kind === "range") as Range<string>[]; // of versions
      const texts = known.filter(
        (version) => version !== "" && ranges.some((range) => isBetween(version, range)),
      );
      const within = texts.map((text): Match => ({ kind: "is", text, isQuoted: true }));
      return { ...query, any: [...others, ...within] };
    }
  }
}

function hasVersionRange(leaf: Query): boolean {
  return versionRanges(leaf) > 0;
}

/** How many ranges of versions a query has. */
export function versionRanges(query: Query): number {
  return [...leavesOf(query)].reduce((count, leaf) => {
    const isVersion =
      leaf.kind === "term" && leaf.field.kind === "plain" && leaf.field.name === "version";
    return count + (isVersion ? leaf.any.filter((match) => match.kind === "range").length : 0);
  }, 0);
}

function isBetween(version: string, { from, to }: Range<string>): boolean {
  const low = from ? compareVersions(version, from.value) : 1;
  const high = to ? compareVersions(version, to.value) : -1;
  return (from?.isIncluded ? low >= 0 : low > 0) && (to?.isIncluded ? high <= 0 : high < 0);
}
