/** Conditions on the state of a session: the values of a path, and those that it ever had. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_DEPTH, MAX_VALUE_LENGTH } from "../../core/limits.ts";
import type { Match } from "../../core/query/tree.ts";
import { isIndex, writePath } from "../../core/state/path.ts";
import { ANY_VALUE, askedTexts, cut, MEMBERS } from "../../core/state/values.ts";
import { allRows, columnsNamed } from "../tables/details.ts";
import { TOKEN } from "../tables/posting.ts";
import { any as anyOfThese, type Candidates, having } from "./candidates.ts";
import { both, certain, column, type Condition, exists, listBits, listed } from "./conditions.ts";
import { chained, isIn, numberIs, textIs } from "./matching.ts";

/** The values that a path has now or had last, any that it ever had, or the one at the session's end. */
export function stateIs(
  when: "state" | "ever" | "at_end",
  path: string[],
  any: Match[],
): Condition {
  const written = writePath(path);
  const asked = any.filter((match) => match.kind !== "any").map(valueIs);
  const has: SQL[] = [];
  const may: SQL[] = [];
  const among: Candidates[] = [];
  if (asked.length > 0) {
    const hasOne = chained(
      asked.map((each) => each.has),
      sql` OR `,
    );
    const mayOne = chained(
      asked.map((each) => each.may),
      sql` OR `,
    );
    const isCurrent = when === "ever" ? sql`1` : sql`side.last_at IS NULL`;
    const atPath = sql`side.path = ${written}`;
    const rows = columnsNamed("state", written, ["path", "value", "last_at"]);
    has.push(exists(rows, sql`${atPath} AND ${hasOne} AND ${isCurrent}`));
    // Of a path with too many values it is not known which it had, nor when.
    may.push(
      exists(rows, sql`${atPath} AND ((${mayOne} AND ${isCurrent}) OR ${VALUE} = ${ANY_VALUE})`),
    );
    among.push(...asked.map((each) => each.among(written)));
    among.push(having(TOKEN.value(written, ANY_VALUE)));
  }
  if (asked.length < any.length) {
    const below = atOrBelow(written);
    const isCurrent = when === "ever" ? sql`1` : sql`${column("state", "last_at")} IS NULL`;
    const isMarker = isIn(column("state", "value"), [ANY_VALUE, MEMBERS]);
    has.push(
      when === "ever"
        ? exists(allRows("state"), below)
        : exists(allRows("state"), sql`${below} AND ${isCurrent} AND NOT ${isMarker}`),
    );
    may.push(exists(allRows("state"), sql`${below} AND (${isCurrent} OR ${isMarker})`));
    among.push(having(TOKEN.path(written)));
  }
  const lists = listsAbove(path);
  if (lists.length > 0) {
    may.push(isList(lists));
    among.push(...lists.map((list) => having(TOKEN.path(list))));
  }
  const compiled = listed(
    has.length === 0 ? sql`0` : chained(has, sql` OR `),
    may.length === 0 ? sql`0` : chained(may, sql` OR `),
    listBits.state,
    anyOfThese(among),
  );
  return when === "at_end" ? both([compiled, certain(sql`s.is_open = 0`)]) : compiled;
}

/** Of columnsNamed. */
const VALUE = sql.raw("side.value");

/** "/" follows "." in ASCII: everything below the path. */
function atOrBelow(path: string): SQL {
  const row = column("state", "path");
  return sql`(${row} = ${path} OR (${row} >= ${`${path}.`} AND ${row} < ${`${path}/`}))`;
}

/**
 * The members of lists have no paths of their own. Where a key may be an index, the list may be at the path before it. A path that is deeper than a state can be
 * is nowhere.
 */
function listsAbove(path: string[]): string[] {
  if (path.length > MAX_DEPTH) return [];
  return path.flatMap((key, index) =>
    index > 0 && isIndex(key) ? [writePath(path.slice(0, index))] : [],
  );
}

/** One of these paths is there. */
function isList(paths: string[]): SQL {
  return exists(allRows("state"), isIn(column("state", "path"), paths));
}

type ValueCondition = { has: SQL; may: SQL; among: (path: string) => Candidates };

function valueIs(match: Match): ValueCondition {
  if (match.kind === "is") {
    const texts = askedTexts(match.text, match.isQuoted ? "string" : undefined);
    return valueIn(texts);
  }
  const inner = sql`substr(${VALUE}, 2)`;
  const has =
    match.kind === "like"
      ? sql`(substr(${VALUE}, 1, 1) = '"' AND length(${VALUE}) <= ${MAX_VALUE_LENGTH} AND ${textIs(inner, [match])})`
      : sql`(substr(${VALUE}, 1, 1) = '=' AND substr(${VALUE}, 2, 1) IN ('-','0','1','2','3','4','5','6','7','8','9') AND ${numberIs(sql`CAST(${inner} AS REAL)`, match)})`;
  // A longer text is cut, so its end is not known.
  const may = sql`(${has} OR length(${VALUE}) > ${MAX_VALUE_LENGTH})`;
  return { has, may, among: (path) => having(TOKEN.path(path)) };
}

/** `texts`: of the values that are looked for (core/state/values.ts). A text that is cut is equal to that of other values, so it is not certain. */
function valueIn(texts: string[]): ValueCondition {
  const whole = texts.filter((text) => cut(text) === text);
  return {
    has: isIn(VALUE, whole),
    may: isIn(VALUE, texts.map(cut)),
    among: (path) => anyOfThese(texts.map((text) => having(TOKEN.value(path, cut(text))))),
  };
}

/** The path ever had one of these values. */
export function everHad(path: string[], texts: string[]): Condition {
  const written = writePath(path);
  const atPath = sql`side.path = ${written}`;
  const { has, may, among } = valueIn(texts);
  const rows = columnsNamed("state", written, ["path", "value"]);
  const lists = listsAbove(path);
  const mayHave = exists(rows, sql`${atPath} AND (${may} OR ${VALUE} = ${ANY_VALUE})`);
  return listed(
    exists(rows, sql`${atPath} AND ${has}`),
    lists.length === 0 ? mayHave : sql`(${mayHave} OR ${isList(lists)})`,
    listBits.state,
    anyOfThese([
      among(written),
      having(TOKEN.value(written, ANY_VALUE)),
      ...lists.map((list) => having(TOKEN.path(list))),
    ]),
  );
}
