/**
 * The lists of a session in its row of `details`: what is packed where, and how SQL reads it.
 *
 * A list is a JSON object. Its keys are `k` and the hash of a name, because names hold any character; its values are lists of the rows with this name (or, rarely,
 * with another name of the same hash, so that a name is always compared as well). A row is a list of its columns:
 *
 *     { "k3f…": [["door_opened", "info", 3, 1790000000000, 1790000001000], …], … }
 *
 * Attachments, tests and texts are lists of rows without names.
 */
import { type SQL, sql } from "drizzle-orm";
import { hash } from "../../core/hash.ts";
import type { ListedTest } from "../../core/tests/listed.ts";
import type { MetricType } from "../../core/vocabulary.ts";

/** How often an event, by name and category, occurred. */
export type EventCount = {
  name: string;
  category: string;
  count: number;
  first_at: number;
  last_at: number;
};

/** How often an exception, by fingerprint, occurred. */
export type ExceptionCount = {
  fingerprint: string;
  type: string;
  message: string;
  /** Where the session's first one arose (core/stack/where.ts); "" if it is not known. */
  place: string;
  /** The other calls of the program's own code; "" if there are none. */
  calls: string;
  count: number;
  /** Those that ended the program or its thread. */
  unhandled: number;
  first_at: number;
  last_at: number;
  /** Of its first event, to open the session there. */
  first_seq: number;
};

/** A value that a path of the state had, or one marker if there are too many (core/state/values.ts). */
export type StateValue = {
  /** Keys joined by dots. */
  path: string;
  value: string;
  first_at: number;
  /** When it changed; null if it is the current value. */
  last_at: number | null;
};

/** The figures of a series. */
export type SeriesFigures = {
  /** Its id within the session. */
  series: number;
  name: string;
  type: string;
  unit: string;
  /** JSON list, sorted. */
  tags: string;
  points: number;
  /** Of values: samples of histograms, otherwise points. */
  count: number;
  /** With the next two: core/metrics/moments.ts. */
  sum: number;
  sum_low: number;
  sum_scale: number;
  /** Standard deviation; null if it is not known, as of a histogram. */
  deviation: number | null;
  /** Of a counter, from its first point to its last. */
  increase: number;
  /** Quantiles as core/metrics/distribution.ts has them; null without values. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  min: number;
  max: number;
  first: number;
  last: number;
  first_at: number;
  last_at: number;
};

/** What a series is drawn and compared by: JSON of core/metrics. */
export type SeriesRollup = {
  series: number;
  /** distribution.ts PackedDistribution. */
  distribution: string | null;
  /** rollup.ts Rollup. */
  rollup: string | null;
  /** rollup.ts QuantileSteps; read only for quantiles over time. */
  quantile_steps: string | null;
};

/** `at`: when it was announced. */
export type AttachmentName = { name: string; at: number };

/** A text of the log that a search looks through (core/session/searched.ts). `name`: of data, as a query for events has it (core/events/data-texts.ts). */
export type SearchedText = {
  kind: "message" | "output" | "data";
  text: string;
  at: number;
  seq: number;
  name: string | null;
};

/** The columns of the rows of each list, in their order. */
export const COLUMNS = {
  events: ["name", "category", "count", "first_at", "last_at"],
  exceptions: [
    "fingerprint",
    "type",
    "message",
    "place",
    "calls",
    "count",
    "unhandled",
    "first_at",
    "last_at",
    "first_seq",
  ],
  state: ["path", "value", "first_at", "last_at"],
  figures: [
    "series",
    "name",
    "type",
    "unit",
    "tags",
    "points",
    "count",
    "sum",
    "sum_low",
    "sum_scale",
    "deviation",
    "increase",
    "p50",
    "p95",
    "p99",
    "min",
    "max",
    "first",
    "last",
    "first_at",
    "last_at",
  ],
  attachments: ["name", "at"],
  tests: ["text", "last", "result", "at"],
  texts: ["kind", "text", "at", "seq", "name"],
  rollups: ["series", "distribution", "rollup", "quantile_steps"],
} as const satisfies { [list: string]: readonly string[] };

export type List = keyof typeof COLUMNS;
export type Column<Of extends List> = (typeof COLUMNS)[Of][number];
/** Lists by name. */
export type NamedList = Exclude<List, "attachments" | "tests" | "texts">;

/** The key of a name in a list. */
export function detailKey(name: string): string {
  return `k${hash(name)}`;
}

/** A column of a row of `rowsOf`, as SQL text: `side.value ->> 3`. Lists and objects come as JSON text. */
export function columnOf<Of extends List>(list: Of, column: Column<Of>, row = "side"): string {
  return `${row}.value ->> ${(COLUMNS[list] as readonly string[]).indexOf(column)}`;
}

/** All columns of a list, or some, as a SELECT has them: `side.value ->> 0 AS name, …`. */
export function columnsOf<Of extends List>(
  list: Of,
  columns: readonly Column<Of>[] = COLUMNS[list],
  row = "side",
): string {
  return columns.map((column) => `${columnOf(list, column, row)} AS ${column}`).join();
}

/** The same of wide rows of `rowsNamed`, without the text of the whole row that `side.value` is. `of`: the table that has the list. */
export function wideColumnsOf<Of extends List>(
  list: Of,
  columns: readonly Column<Of>[],
  { of = "d", row = "side" } = {},
): string {
  const indexOf = (column: Column<Of>) => (COLUMNS[list] as readonly string[]).indexOf(column);
  return columns
    .map((column) => `${of}.${list} ->> (${row}.fullkey || '[${indexOf(column)}]') AS ${column}`)
    .join();
}

/**
 * The rows with a name, as a table in FROM. `of`: the table that has the list, `details` as a rule. A row may have another name of the same hash, so the
 * name is to be compared too.
 */
export function rowsNamed(list: NamedList, name: string, { of = "d", row = "side" } = {}): SQL {
  return sql`json_each(${sql.raw(`${of}.${list}`)}, ${`$.${detailKey(name)}`}) AS ${sql.raw(row)}`;
}

/**
 * The same in a condition on `d`, each column under its own name. It is read once, however often the condition names it, and without the text of the whole
 * row that `side.value` is, so that ten thousand sessions are searched in half the time.
 */
export function columnsNamed<Of extends NamedList>(
  list: Of,
  name: string,
  columns: readonly Column<Of>[],
): SQL {
  const selected = sql.raw(wideColumnsOf(list, columns, { row: "one" }));
  // A subquery with a limit is not merged into the condition.
  return sql`(SELECT ${selected} FROM ${rowsNamed(list, name, { row: "one" })} LIMIT -1) AS side`;
}

/** All rows of a list, as a table in FROM. */
export function allRows(list: List, { of = "d", row = "side" } = {}): SQL {
  if (list === "attachments" || list === "tests" || list === "texts")
    return sql.raw(`json_each(${of}.${list}) AS ${row}`);
  return sql.raw(
    `json_each(${of}.${list}) AS ${row}_list CROSS JOIN json_each(${row}_list.value) AS ${row}`,
  );
}

/** The rows of the lists in JavaScript: nested JSON is parsed. */
type Unpacked = {
  events: EventCount;
  exceptions: ExceptionCount;
  state: StateValue;
  figures: Omit<SeriesFigures, "tags" | "type"> & { tags: string[]; type: MetricType };
};
export type Row<Of extends keyof Unpacked> = Unpacked[Of];

/** The rows with one name, or a list of others with the same hash, from `d.list -> '$.key'`. */
export function unpacked<Of extends keyof Unpacked>(list: Of, json: string): Row<Of>[] {
  return (JSON.parse(json) as unknown[][]).map((values) => rowOf(list, values)); // of `packed`
}

/** All rows of a list, from its JSON text; null: there is no list. */
export function unpackedAll<Of extends keyof Unpacked>(list: Of, json: string | null): Row<Of>[] {
  const byKey = JSON.parse(json ?? "{}") as { [key: string]: unknown[][] }; // of `packed`
  return Object.values(byKey).flatMap((rows) => rows.map((values) => rowOf(list, values)));
}

/** The rows of a list without names, from its JSON text; null: there is no list. */
export function rowsOfList<Of extends keyof Unnamed>(list: Of, json: string | null): Unnamed[Of][] {
  const columns: readonly string[] = COLUMNS[list];
  return (JSON.parse(json ?? "[]") as unknown[][]).map(
    (values) =>
      Object.fromEntries(columns.map((column, index) => [column, values[index]])) as Unnamed[Of], // of `packed`
  );
}

type Unnamed = {
  attachments: AttachmentName;
  tests: Pick<ListedTest, "text" | "last" | "result" | "at">;
  texts: SearchedText;
};

/** A row as an object, from the list of its columns. */
export function rowOf<Of extends keyof Unpacked>(list: Of, values: unknown[]): Row<Of> {
  if (list === "figures") return figuresOf(values as FiguresRow) as Row<Of>; // of `packed`
  const columns: readonly string[] = COLUMNS[list];
  const entries = columns.map((column, index) => [column, values[index]]);
  return Object.fromEntries(entries) as Row<Of>; // it has all columns
}

type FiguresRow = [
  series: number,
  name: string,
  type: MetricType,
  unit: string,
  tags: string[],
  points: number,
  count: number,
  sum: number,
  sum_low: number,
  sum_scale: number,
  deviation: number | null,
  increase: number,
  p50: number | null,
  p95: number | null,
  p99: number | null,
  min: number,
  max: number,
  first: number,
  last: number,
  first_at: number,
  last_at: number,
];

/** One literal: ten thousand are made at once, and setting the columns by their names takes five times as long. */
function figuresOf(row: FiguresRow): Row<"figures"> {
  return {
    series: row[0],
    name: row[1],
    type: row[2],
    unit: row[3],
    tags: row[4],
    points: row[5],
    count: row[6],
    sum: row[7],
    sum_low: row[8],
    sum_scale: row[9],
    deviation: row[10],
    increase: row[11],
    p50: row[12],
    p95: row[13],
    p99: row[14],
    min: row[15],
    max: row[16],
    first: row[17],
    last: row[18],
    first_at: row[19],
    last_at: row[20],
  };
}

/**
 * The trend of a group of exceptions: by day (days since 1970, UTC), then by version (its detailKey): the version, the sessions in which it first occurred on
 * this day, and how often it occurred in them. At most MAX_GROUP_ENTRIES of them, the newest; and of a trend longer
 * than WIDE_GROUP_LENGTH the last MAX_GROUP_DAYS.
 */
export type GroupDays = {
  [day: string]: { [version: string]: [version: string, sessions: number, count: number] };
};
