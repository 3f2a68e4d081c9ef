/**
 * Which sessions may pass a condition, by the full-text index `postings`: a superset that is read in order of the sessions' start, each of which is
 * verified on its rows.
 *
 * The posting of a session whose lists are incomplete may lack a token, so such sessions are candidates of every condition on these lists.
 */
import { type SQL, sql } from "drizzle-orm";
import { fold } from "../../core/text/fold.ts";
import { firstKey } from "../tables/key.ts";
import { MAX_EXPRESSION_TOKENS, MAX_TERM_GRAMS } from "../limits.ts";
import { gramsOfTerm } from "../tables/posting.ts";

export type Candidates = {
  /** An expression of FTS5 that their postings match; undefined: any session. */
  match: string | undefined;
  /** Tokens of it. */
  size: number;
  /** LEFT_OUT_BITS and UNPUBLISHED: those that have any of these are candidates too; unless it is 0, so are damaged ones. */
  bits: number;
};

export const EVERY_SESSION: Candidates = { match: undefined, size: 0, bits: 0 };
const NO_SESSION: Candidates = { match: "", size: 0, bits: 0 };

/** Sessions that have this token. */
export function having(token: string, bits = 0): Candidates {
  return { match: token, size: 1, bits };
}

/** Sessions whose texts have this folded term: by some of its grams, since each further one excludes less. */
export function withTerm(term: string, bits: number): Candidates {
  const grams = gramsOfTerm(term);
  const step = Math.max(1, grams.length / MAX_TERM_GRAMS);
  const some: string[] = [];
  for (let at = 0; at < grams.length; at += step) some.push(grams[Math.floor(at)] ?? "");
  return all(some.map((gram) => having(gram, bits)));
}

/**
 * Sessions whose texts have this part of a text that is compared as it was recorded. Only what folding certainly leaves as it is
 * can be looked for: the last character may become another one with what follows it.
 */
export function withPart(part: string, bits: number): Candidates {
  return /^[\x20-\x7e]{2,}$/.test(part) ? withTerm(fold(part.slice(0, -1)), bits) : EVERY_SESSION;
}

/** Sessions that may pass all of the conditions. */
export function all(parts: Candidates[]): Candidates {
  let size = 0;
  const known = parts.filter((part) => {
    if (part.match === undefined || size + part.size > MAX_EXPRESSION_TOKENS) return false;
    size += part.size;
    return true;
  });
  if (known.length === 0) return EVERY_SESSION;
  const bits = known.reduce((sum, part) => sum | part.bits, 0);
  const matches = known.map((part) => part.match ?? "");
  if (matches.includes("")) return { ...NO_SESSION, bits };
  return { match: joined(matches, "AND"), size, bits };
}

/** Sessions that may pass any of the conditions. */
export function any(parts: Candidates[]): Candidates {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (size > MAX_EXPRESSION_TOKENS || parts.some(({ match }) => match === undefined))
    return EVERY_SESSION;
  const bits = parts.reduce((sum, part) => sum | part.bits, 0);
  const matches = parts.flatMap(({ match }) => (match ? [match] : []));
  return matches.length === 0
    ? { ...NO_SESSION, bits }
    : { match: joined(matches, "OR"), size, bits };
}

function joined(matches: string[], operator: "AND" | "OR"): string {
  const distinct = [...new Set(matches)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `(${distinct.join(` ${operator} `)})`;
}

/** A part of the sessions, in order of their keys. */
type Portion = {
  /** The range of their starts, [from, to). */
  from: number | undefined;
  to: number | undefined;
  descending: boolean;
  /** The key after which it begins, in this direction. */
  after: number | undefined;
  limit: number;
};

/** The keys of candidates, as a SELECT of one column `key`. */
export function keysOf({ match, bits }: Candidates, portion: Portion): SQL {
  const direction = portion.descending ? sql`DESC` : sql`ASC`;
  const order = (column: string) => sql`ORDER BY ${sql.raw(column)} ${direction}`;
  const limit = sql`LIMIT ${portion.limit}`;
  const within = (column: string) => withinKeys(sql.raw(column), portion);
  if (match === undefined)
    return sql`SELECT key FROM sessions WHERE ${within("key")} ${order("key")} ${limit}`;

  const parts: SQL[] = [];
  if (match !== "")
    parts.push(
      sql`SELECT rowid AS key FROM postings WHERE postings MATCH ${match} AND ${within("rowid")}`,
    );
  if (bits !== 0)
    parts.push(
      sql`SELECT key FROM sessions INDEXED BY sessions_left_out WHERE left_out <> 0 AND left_out & ${bits} AND ${within("key")}`,
      sql`SELECT key FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0 AND ${within("key")}`,
    );
  if (parts.length === 0) return sql`SELECT key FROM sessions WHERE 0`;
  // The parts are merged as they are read, so no more is read than is asked for.
  return sql`${sql.join(parts, sql` UNION `)} ${order(parts.length === 1 && match !== "" ? "rowid" : "key")} ${limit}`;
}

/** Sessions that start when the slots of their millisecond are taken have keys of one of the next milliseconds. */
const OVERFLOW_MS = 1_000;

function withinKeys(column: SQL, { from, to, descending, after }: Portion): SQL {
  // A number is bound as a floating-point one, by which FTS5 does not limit what it reads.
  const key = (value: number) => sql`CAST(${value} AS INTEGER)`;
  const all = [
    from === undefined ? undefined : sql`${column} >= ${key(firstKey(Math.ceil(from)))}`,
    to === undefined ? undefined : sql`${column} < ${key(firstKey(Math.ceil(to) + OVERFLOW_MS))}`,
    after === undefined
      ? undefined
      : descending
        ? sql`${column} < ${key(after)}`
        : sql`${column} > ${key(after)}`,
  ].filter((each) => each !== undefined);
  return all.length === 0 ? sql`1` : sql.join(all, sql` AND `);
}
