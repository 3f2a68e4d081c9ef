/**
 * The order of a list of sessions, as SQL on `sessions AS s` and `details AS d`. Sessions without a value come last in both directions; before them are those
 * whose list may have a value that the catalog does not have.
 */
import { type SQL, sql } from "drizzle-orm";
import { inVersionOrder, type VersionSeen } from "../../core/query/order.ts";
import { readSort, type Sort } from "../../core/query/sort.ts";
import { Refusal } from "../../core/refusal.ts";
import { writePath } from "../../core/state/path.ts";
import { ANY_VALUE, MEMBERS } from "../../core/state/values.ts";
import { readTag } from "../../core/text/tag.ts";
import { columnsNamed } from "../tables/details.ts";
import { figureOf, listBits } from "./conditions.ts";
import { CANDIDATE_MICROS } from "../limits.ts";
import { LEFT_OUT_BITS, RAN_MS } from "./filter.ts";

export type Sorting = {
  /** The value of a session, or NULL. */
  value: SQL;
  /** Microseconds that reading it from a list takes; 0 if it is in the session's own row. */
  cost: number;
  /** A table that it needs beside s and d. */
  join: SQL;
  /** Bits of left_out with which a session may have a value that is not known; 0: all values are known. */
  bits: number;
  /** The value in a cursor as one that `value` can be compared with. */
  place: (value: string | number) => string | number;
  /** The value in a cursor and for people, of a row of the sorted page: of `sessions AS s` and of `p.v`, which is `value`. */
  shown: SQL;
};

/** Groups of sessions in a sorted list: with a value, with one that may be there, without one. */
export const GROUPS = { known: 0, unknown: 1, none: 2 } as const;

/** Throws a Refusal (invalid_query) for what no list is sorted by. `versions`: of the sessions that may pass, if it is sorted by them. */
export function sortingOf(text: string, versions: VersionSeen[]): Sorting {
  const sort = readSort(text);
  if (!sort)
    throw new Refusal(
      "invalid_query",
      `No list is sorted by ${text.slice(0, 100)}: name a column, or as metric.fps.p95, event.door_opened, state.level or tag.branch.`,
    );
  return sort.kind === "column" && sort.name === "version" ? byVersion(versions) : by(sort);
}

/** Whether the versions are needed. */
export function isByVersion(text: string): boolean {
  return text === "version";
}

function by(sort: Sort): Sorting {
  const [value, bits] = valueOf(sort);
  const cost = sort.kind === "column" || sort.kind === "tag" ? 0 : CANDIDATE_MICROS.list;
  return { value, cost, join: sql``, bits, place: (of) => of, shown: sql`p.v` };
}

function valueOf(sort: Sort): [value: SQL, bits: number] {
  switch (sort.kind) {
    case "column":
      return [columnValue(sort.name), 0];
    case "metric": {
      // Its first series: publications have them in the order of their ids.
      const { rows, value } = figureOf(sort.metric, sort.statistic);
      return [
        sql`(SELECT ${value} FROM ${rows} WHERE side.name = ${sort.metric} LIMIT 1)`,
        listBits.figures,
      ];
    }
    case "event": {
      const rows = columnsNamed("events", sort.name, ["name", "count"]);
      return [
        sql`(SELECT sum(side.count) FROM ${rows} WHERE side.name = ${sort.name})`,
        listBits.events,
      ];
    }
    case "state": {
      const path = writePath(sort.path);
      const rows = columnsNamed("state", path, ["path", "value", "last_at"]);
      // A number, or a text: SQLite sorts numbers before texts.
      const typed = sql`iif(substr(side.value, 1, 1) = '=' AND substr(side.value, 2, 1) IN ('-','0','1','2','3','4','5','6','7','8','9'), CAST(substr(side.value, 2) AS REAL), substr(side.value, 2))`;
      return [
        sql`(SELECT min(${typed}) FROM ${rows} WHERE side.path = ${path} AND side.last_at IS NULL AND side.value NOT IN (${ANY_VALUE}, ${MEMBERS}))`,
        listBits.state,
      ];
    }
    case "tag": {
      const start = `${sort.key}:`;
      const length = Array.from(start).length;
      const hasValue =
        readTag(start).key === sort.key
          ? sql`WHEN substr(tag.value, 1, ${length}) = ${start} THEN substr(tag.value, ${length + 1})`
          : sql``;
      return [
        sql`(SELECT min(CASE WHEN tag.value = ${sort.key} THEN '' ${hasValue} END) FROM json_each(s.tags) AS tag)`,
        LEFT_OUT_BITS.tags,
      ];
    }
  }
}

/** A text that a session does not have is "". */
const TEXTS = new Set(["product", "hostname", "machine_id", "browser", "os", "language", "signal"]);

function columnValue(name: string): SQL {
  if (name === "ran_ms") return sql.raw(RAN_MS);
  return sql.raw(TEXTS.has(name) ? `nullif(s.${name}, '')` : `s.${name}`);
}

/** By the place of the session's version in their order, which SQL does not know. A session without a version has no place. */
function byVersion(versions: VersionSeen[]): Sorting {
  const ordered = inVersionOrder(versions)
    .map(({ version }) => version)
    .filter((version) => version !== "");
  const places = new Map(ordered.map((version, place) => [version, place]));
  return {
    value: sql`ranks.place`,
    cost: 0,
    join: sql`LEFT JOIN (SELECT value AS version, key AS place FROM json_each(${JSON.stringify(ordered)}) LIMIT -1) AS ranks ON ranks.version = s.version`,
    bits: 0,
    // A version that no session has any more is before the first one that is not lower.
    place: (version) => places.get(String(version)) ?? -0.5,
    shown: sql`nullif(s.version, '')`,
  };
}
