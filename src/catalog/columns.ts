/**
 * What a list shows of its sessions beside their rows: figures of metrics, counts of events, values of the state, and columns that
 * no list needs otherwise.
 */
import { type SQL, sql } from "drizzle-orm";
import type { SessionRow } from "../core/answers/session-row.ts";
import { meanOf, sumOf } from "../core/metrics/moments.ts";
import type { Sort } from "../core/query/sort.ts";
import { writePath } from "../core/state/path.ts";
import { ANY_VALUE, MEMBERS } from "../core/state/values.ts";
import { LEFT_OUT_BITS, UNPUBLISHED } from "./search/filter.ts";
import { rowsOf } from "./search/parameters.ts";
import { detailKey, type Row, rowOf } from "./tables/details.ts";

/** Null: it has none. Undefined: not known, since its lists are incomplete. Values of the state come as core/state/values.ts writes them. */
export type ColumnValue = { of: number | string | string[] | null | undefined; unit?: string };

/** The values of each column, by the place of the session. `keys`: of the rows. */
export async function columnValues(
  db: D1Database,
  rows: SessionRow[],
  keys: number[],
  columns: Sort[],
): Promise<ColumnValue[][]> {
  const asked = columns.map(stored);
  const found = await rowsOf<{ place: number; stored: string }>(
    db,
    sql`SELECT k.key AS place, json_array(${sql.join(asked, sql`, `)}) AS stored
        FROM json_each(${JSON.stringify(keys)}) AS k CROSS JOIN sessions AS s ON s.key = k.value LEFT JOIN details AS d ON d.key = s.key`,
  );
  const byPlace = new Map(
    found.map(({ place, stored: json }) => [place, JSON.parse(json) as unknown[]]), // of `asked`
  );
  return rows.map((row, place) =>
    columns.map((column, index) => valueOf(column, row, byPlace.get(place)?.[index] ?? null)),
  );
}

/** What the catalog has for a column, as JSON; the keys are hashes. */
function stored(column: Sort): SQL {
  switch (column.kind) {
    case "metric":
      return sql.raw(`d.figures -> '$.${detailKey(column.metric)}'`);
    case "event":
      return sql.raw(`d.events -> '$.${detailKey(column.name)}'`);
    case "state":
      return sql.raw(`d.state -> '$.${detailKey(writePath(column.path))}'`);
    case "tag":
      return sql`NULL`;
    case "column":
      return column.name === "os" || column.name === "language"
        ? sql.raw(`s.${column.name}`)
        : sql`NULL`;
  }
}

function valueOf(column: Sort, row: SessionRow, found: unknown): ColumnValue {
  const isIncomplete = (bits: number) => row.damaged > 0 || (row.left_out & bits) !== 0;
  const none = (bits: number) => (isIncomplete(bits | UNPUBLISHED) ? undefined : null);
  const list = (found ?? []) as unknown[][]; // a list of details.ts, except of a column
  switch (column.kind) {
    case "metric": {
      const [first] = list
        .map((values) => rowOf("figures", values))
        .filter(({ name }) => name === column.metric)
        .sort((a, b) => a.series - b.series);
      if (!first) return { of: none(LEFT_OUT_BITS.series) };
      return { of: figureOf(first, column.statistic), unit: first.unit };
    }
    case "event": {
      const counts = list
        .map((values) => rowOf("events", values))
        .filter(({ name }) => name === column.name);
      const sum = counts.reduce((total, { count }) => total + count, 0);
      return { of: counts.length > 0 ? sum : none(LEFT_OUT_BITS.event_names) };
    }
    case "state": {
      const path = writePath(column.path);
      const values = list.map((each) => rowOf("state", each)).filter((each) => each.path === path);
      if (values.some(({ value }) => value === ANY_VALUE)) return { of: undefined };
      const last = values.filter(({ value, last_at }) => last_at === null && value !== MEMBERS);
      if (last.length > 0) return { of: last.map(({ value }) => value) };
      return { of: values.length > 0 ? null : none(LEFT_OUT_BITS.state_paths) };
    }
    case "tag":
      return { of: tagsOf(row, column.key) ?? none(LEFT_OUT_BITS.tags) };
    case "column":
      return { of: typeof found === "string" ? found : columnOf(row, column.name) };
  }
}

function figureOf(series: Row<"figures">, statistic: string): number | null {
  const { sum, sum_low: low, sum_scale: scale, count, ...figures } = series;
  const total = { sum, low, scale };
  if (statistic === "mean") return meanOf(total, count);
  if (statistic === "sum") return sumOf(total);
  if (statistic === "count") return count;
  const value = Object.entries(figures).find(([name]) => name === statistic)?.[1];
  return typeof value === "number" ? value : null;
}

/** The values of a tag, "" of one without a value. */
function tagsOf({ tags }: SessionRow, key: string): string[] | undefined {
  const start = `${key}:`;
  const values = tags.flatMap((tag) =>
    tag === key ? [""] : tag.startsWith(start) ? [tag.slice(start.length)] : [],
  );
  return values.length > 0 ? values : undefined;
}

function columnOf(row: SessionRow, name: string): string | number | string[] | null {
  const value = Object.entries(row).find(([column]) => column === name)?.[1];
  if (Array.isArray(value)) return value;
  return typeof value === "string" || typeof value === "number" ? value : null;
}
