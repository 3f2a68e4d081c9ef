/** The values of a condition (core/query/tree.ts Match) as SQL on a column. */
import { type SQL, sql } from "drizzle-orm";
import type { Match, Range } from "../../core/query/tree.ts";

/** Joined in halves: SQLite takes 100 expressions within each other, and in `a OR b OR c` each is within the next. */
export function chained(conditions: SQL[], operator: SQL): SQL {
  if (conditions.length <= 2) return sql`(${sql.join(conditions, operator)})`;
  const half = conditions.length >> 1;
  const [first, second] = [conditions.slice(0, half), conditions.slice(half)];
  return sql`(${chained(first, operator)}${operator}${chained(second, operator)})`;
}

export function anyOf(any: Match[], condition: (match: Match) => SQL): SQL {
  return any.length === 0 ? sql`0` : chained(any.map(condition), sql` OR `);
}

/** Whole texts are compared in one parameter. */
export function textIs(column: SQL, any: Match[]): SQL {
  const texts = any.flatMap((match) => (match.kind === "is" ? [match.text] : []));
  const parts = any.flatMap((match): SQL[] => {
    if (match.kind === "any") return [sql`${column} <> ''`];
    return match.kind === "like" ? [like(column, match)] : [];
  });
  if (texts.length > 0 || parts.length === 0) parts.push(isIn(column, texts));
  return chained(parts, sql` OR `);
}

export function isIn(column: SQL, texts: readonly string[]): SQL {
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(texts)}))`;
}

/** Without LIKE and GLOB, whose patterns D1 limits to 50 bytes. */
function like(column: SQL, { start, middle, end }: Match & { kind: "like" }): SQL {
  const all = [sql`length(${column}) >= ${lengthOf(start) + lengthOf(middle) + lengthOf(end)}`];
  if (start !== "") all.push(startsWith(column, start));
  if (end !== "") all.push(sql`substr(${column}, ${-lengthOf(end)}) = ${end}`);
  if (middle !== "") {
    const inner = sql`substr(${column}, ${lengthOf(start) + 1}, length(${column}) - ${lengthOf(start) + lengthOf(end)})`;
    all.push(sql`instr(${inner}, ${middle}) > 0`);
  }
  return sql`(${sql.join(all, sql` AND `)})`;
}

export function startsWith(column: SQL, start: string): SQL {
  return sql`substr(${column}, 1, ${lengthOf(start)}) = ${start}`;
}

/** The column contains the parts, each after the one before it. */
export function hasInOrder(column: SQL, [part, ...further]: string[]): SQL {
  if (part === undefined) return sql`1`;
  const has = sql`instr(${column}, ${part}) > 0`;
  if (further.length === 0) return has;
  const rest = sql`substr(${column}, instr(${column}, ${part}) + ${lengthOf(part)})`;
  return sql`(${has} AND ${hasInOrder(rest, further)})`;
}

/** In characters of Unicode, as SQLite counts them. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

export function numberIs(column: SQL, match: Match): SQL {
  if (match.kind !== "range") return sql`${column} IS NOT NULL`;
  const { from, to } = match as Range<number>; // as: matchOf reads numbers for these fields
  const all = [sql`${column} IS NOT NULL`];
  if (from)
    all.push(from.isIncluded ? sql`${column} >= ${from.value}` : sql`${column} > ${from.value}`);
  if (to) all.push(to.isIncluded ? sql`${column} <= ${to.value}` : sql`${column} < ${to.value}`);
  return sql`(${sql.join(all, sql` AND `)})`;
}
