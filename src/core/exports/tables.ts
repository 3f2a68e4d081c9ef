/**
 * Events or points of a session as CSV, for spreadsheets and data frames. Texts are written so that a spreadsheet takes none of them as a
 * formula (core/text/csv.ts). Memory holds a few segments at a time.
 */
import type { EventRow } from "../answers/events.ts";
import { FIRST_BUCKET } from "../metrics/columns.ts";
import type { Series } from "../metrics/series.ts";
import { pointAt } from "../metrics/chart.ts";
import type { Source } from "../questions/questions.ts";
import { type Cell, type CsvFormat, csvLine } from "../text/csv.ts";
import { MAX_ROWS_AT_ONCE } from "./limits.ts";
import { type Point, pointsInOrder } from "./points.ts";

export const TABLES = ["events", "metrics", "metrics_wide"] as const;

export type TableQuery = CsvFormat & {
  /** metrics: a row for each point. metrics_wide: a row for each time, with a column for each series. */
  table: (typeof TABLES)[number];
  /** Begins with a byte order mark, by which Excel recognises UTF-8. */
  bom?: boolean | undefined;
  from?: number | undefined;
  to?: number | undefined;
  /** Names of metrics; absent: all. */
  metrics?: string[] | undefined;
  /** Of a wide table: a row for each part of time of this length instead, with the last value of each series in it. */
  stepMs?: number | undefined;
};

export function* exportTable(source: Source, query: TableQuery): Generator<string> {
  const rows = { events: eventRows, metrics: pointRows, metrics_wide: wideRows }[query.table];
  if (query.bom) yield "\uFEFF";
  for (const row of rows(source, query)) yield csvLine(row, query);
}

type Field = Exclude<keyof EventRow, "at" | "recorded_at">;

/** Objects and lists of objects are JSON. */
const EVENT_FIELDS: Field[] = [
  "seq",
  "name",
  "category",
  "group",
  "labels",
  "message",
  "exception_type",
  "exception_msg",
  "handled",
  "source_file",
  "source_line",
  "source_function",
  "fingerprint",
  "stacktrace",
  "notes",
  "data",
  "attributes",
  "causes",
  "causes_left_out",
  "test",
  "resolved",
  "sources",
];
/** Lists of texts, with what is between two of them. */
const JOINED: { [field in Field]?: string } = { labels: ", ", stacktrace: "\n", notes: "\n" };

function* eventRows({ store }: Source, query: TableQuery): Generator<Cell[]> {
  const { from = -Infinity, to = Infinity } = query;
  yield [...TIME_COLUMNS, "recorded_at", ...EVENT_FIELDS];
  for (const info of store.list()) {
    if (info.summary && (info.summary.events.to < from || info.summary.events.from > to)) continue;
    for (const event of store.open(info)?.reader.events() ?? []) {
      const { at, recorded_at } = event;
      if (at < from || at > to) continue;
      yield [
        ...timeCells(at, query),
        recorded_at,
        ...EVENT_FIELDS.map((name) => cell(event, name)),
      ];
    }
  }
}

function cell(event: EventRow, name: Field): Cell {
  const value = event[name];
  if (typeof value !== "object") return value;
  const separator = JOINED[name];
  if (separator === undefined || !Array.isArray(value)) return JSON.stringify(value);
  // Lines of Python's stacks end with a line break.
  return (value as string[]).map((line) => line.replace(/\n$/, "")).join(separator); // as JOINED has it
}

const SERIES_COLUMNS = ["metric", "tags", "type", "unit"];
const VALUE_COLUMNS = ["value", "count", "sum", "min", "max", "buckets"];

/** A row for each point. `value` of a counter is its total after the point, of a histogram the mean of the samples. */
function* pointRows(source: Source, query: TableQuery): Generator<Cell[]> {
  yield [...TIME_COLUMNS, "recorded_at", ...SERIES_COLUMNS, ...VALUE_COLUMNS];
  for (const points of pointsInOrder(source.store, chosenOf(source, query), query)) {
    for (const point of points) {
      const { at, series, columns, i } = point;
      const { name, tags, type, legacyType, unit } = series;
      const own = columns.recordedAt?.[i];
      const described = [name, tags.join(", "), legacyType ?? type, unit];
      const recorded = own === at ? undefined : own;
      yield [...timeCells(at, query), recorded, ...described, ...valueCells(point)];
    }
  }
}

function valueCells({ series, columns, i }: Point): Cell[] {
  const { value, count, sum, min, max } = pointAt(series.type, columns, i);
  if (series.type === "histogram")
    return [value, count, sum, min, max, bucketsText(series, columns.fields, i)];
  return [value, count > 0 ? count : undefined, undefined, undefined, undefined, undefined];
}

/** JSON of samples by upper bound. */
function bucketsText({ bounds }: Series, fields: Float64Array[], i: number): string {
  const counts = [...bounds, "Infinity"].map((bound, bucket): [string, number] => [
    String(bound),
    fields[FIRST_BUCKET + bucket]?.[i] ?? 0,
  ]);
  return JSON.stringify(Object.fromEntries(counts.filter(([, count]) => count > 0)));
}

/** A row for each time with points, and further ones if a series has several points of that time; or a row for each step with points. */
function* wideRows(source: Source, query: TableQuery): Generator<Cell[]> {
  const { stepMs } = query;
  const chosen = chosenOf(source, query);
  const columns = new Map(chosen.map(({ id }, column) => [id, column]));
  yield [...TIME_COLUMNS, ...labelsOf(chosen)];
  let rows = new RowsOfTime(NaN, chosen.length);
  for (const points of pointsInOrder(source.store, chosen, query)) {
    for (const point of points) {
      const at = stepMs === undefined ? point.at : Math.floor(point.at / stepMs) * stepMs;
      if (at !== rows.at || rows.areFull) {
        yield* rows.cells(query);
        rows = new RowsOfTime(at, chosen.length);
      }
      const column = columns.get(point.series.id) ?? 0;
      if (stepMs === undefined) rows.add(column, valueOf(point));
      else rows.replace(column, valueOf(point));
    }
  }
  yield* rows.cells(query);
}

/** The rows of a wide table that are of one time. */
class RowsOfTime {
  readonly at: number;
  readonly #width: number;
  readonly #rows: Cell[][] = [];
  /** Of each column: how many rows have a value. */
  readonly #filled: number[] = [];

  constructor(at: number, width: number) {
    this.at = at;
    this.#width = width;
  }

  get areFull(): boolean {
    return this.#rows.length >= MAX_ROWS_AT_ONCE;
  }

  /** In the first row that has no value in this column. */
  add(column: number, value: Cell): void {
    const row = this.#filled[column] ?? 0;
    this.#set(row, column, value);
    this.#filled[column] = row + 1;
  }

  /** In the first row, whatever it has. */
  replace(column: number, value: Cell): void {
    this.#set(0, column, value);
  }

  #set(number: number, column: number, value: Cell): void {
    const row = (this.#rows[number] ??= Array.from({ length: this.#width }));
    row[column] = value;
  }

  *cells(query: TableQuery): Generator<Cell[]> {
    for (const row of this.#rows) yield [...timeCells(this.at, query), ...row];
  }
}

function valueOf({ series, columns, i }: Point): number {
  return pointAt(series.type, columns, i).value;
}

/** "frame_time [scene=main] (ms)"; two series with the same label have their numbers in it. */
function labelsOf(series: Series[]): string[] {
  const labels = series.map(({ name, tags, unit }) => {
    const tagged = tags.length > 0 ? ` [${tags.join(", ")}]` : "";
    return name + tagged + (unit === "" ? "" : ` (${unit})`);
  });
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return labels.map((label, i) =>
    (counts.get(label) ?? 0) > 1 ? `${label} #${series[i]?.id}` : label,
  );
}

function chosenOf({ index }: Source, { metrics }: TableQuery): Series[] {
  const names = metrics && new Set(metrics);
  return index.series.filter(({ points, name }) => points > 0 && (!names || names.has(name)));
}

const TIME_COLUMNS = ["time_utc", "at"];

/** In UTC, as spreadsheets read it, and in epoch milliseconds. */
function timeCells(at: number, { decimal }: CsvFormat): Cell[] {
  const time = new Date(at).toISOString().slice(0, -1).replace("T", " ");
  return [decimal === "." ? time : time.replace(".", decimal), at];
}
