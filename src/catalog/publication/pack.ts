/** A publication's lists as a row of `details`, and as rows of `more_rollups` for what does not fit. */
import { hash } from "../../core/hash.ts";
import { type Column, COLUMNS, detailKey, type List, type NamedList } from "../tables/details.ts";
import { MAX_ROLLUPS_LENGTH } from "../limits.ts";
import type { Publication } from "../tables/publication.ts";

/** Lists as JSON texts; "" of an empty one. */
type DetailsRow = {
  events: string;
  exceptions: string;
  state: string;
  figures: string;
  attachments: string;
  tests: string;
  texts: string;
  searched: string;
  rollups: string;
};

export type Packed = {
  row: DetailsRow;
  /** Of `more_rollups`, in the order of their parts. */
  further: string[];
  /** Changes with all of it; "" if there is nothing. */
  mark: string;
};

export function pack(of: Publication): Packed {
  const [rollups = "", ...further] = packedRollups(of.metrics);
  const row = {
    events: packed("events", of.event_counts, ({ name }) => name),
    exceptions: packed("exceptions", of.exceptions, ({ fingerprint }) => fingerprint),
    state: packed("state", of.state_values, ({ path }) => path),
    figures: packed("figures", of.metrics, ({ name }) => name, ["tags"]),
    attachments: packedRows("attachments", of.attachments),
    tests: packedRows("tests", of.tests),
    texts: packedRows("texts", of.texts),
    searched: of.searched,
    rollups,
  };
  const texts = [...Object.values(row), ...further];
  const isEmpty = texts.every((text) => text === "");
  return { row, further, mark: isEmpty ? "" : hash(JSON.stringify(texts)) };
}

/** In portions of at most MAX_ROLLUPS_LENGTH characters, or of one name. */
function packedRollups(series: Publication["metrics"]): string[] {
  const byName = Map.groupBy(series.filter(hasRollup), ({ name }) => name);
  const portions: Publication["metrics"][] = [];
  let room = 0;
  for (const same of byName.values()) {
    const length = same.reduce((sum, each) => sum + lengthOf(each), 0);
    if (length > room) {
      portions.push([]);
      room = MAX_ROLLUPS_LENGTH;
    }
    portions.at(-1)?.push(...same);
    room -= length;
  }
  return portions.map((portion) => packed("rollups", portion, ({ name }) => name, JSON_COLUMNS));
}

const JSON_COLUMNS = ["distribution", "rollup", "quantile_steps"];

type Series = Publication["metrics"][number];

function hasRollup({ distribution, rollup, quantile_steps }: Series): boolean {
  return distribution !== null || rollup !== null || quantile_steps !== null;
}

function lengthOf({ distribution, rollup, quantile_steps }: Series): number {
  return [distribution, rollup, quantile_steps].reduce(
    (sum, text) => sum + (text?.length ?? 4),
    30,
  );
}

type Packable<Of extends List> = { [column in Column<Of>]: string | number | null };

/** A list by name, as JSON text; "" if it is empty. `json`: columns whose texts are JSON already. */
export function packed<Of extends NamedList, Item extends Packable<Of>>(
  list: Of,
  rows: readonly Item[],
  nameOf: (row: Item) => string,
  json: readonly string[] = [],
): string {
  const byKey = new Map<string, string[]>();
  for (const row of rows) {
    const key = detailKey(nameOf(row));
    const same = byKey.get(key);
    if (same) same.push(rowText(list, row, json));
    else byKey.set(key, [rowText(list, row, json)]);
  }
  const entries = [...byKey].map(([key, texts]) => `"${key}":[${texts.join()}]`);
  return entries.length > 0 ? `{${entries.join()}}` : "";
}

/** A list without names, as JSON text; "" if it is empty. */
function packedRows<Of extends List>(list: Of, rows: readonly Packable<Of>[]): string {
  return rows.length > 0 ? `[${rows.map((row) => rowText(list, row)).join()}]` : "";
}

function rowText<Of extends List>(
  list: Of,
  row: Packable<Of>,
  json: readonly string[] = [],
): string {
  const columns: readonly Column<Of>[] = COLUMNS[list];
  const texts = columns.map((column) =>
    json.includes(column) ? (row[column] ?? "null") : valueText(row[column]),
  );
  return `[${texts.join()}]`;
}

/** JSON has no infinity, and a number of a list that has none is 0. */
function valueText(value: string | number | null): string {
  if (typeof value !== "number" || Number.isFinite(value)) return JSON.stringify(value);
  return Number.isNaN(value) ? "0" : JSON.stringify(Math.sign(value) * Number.MAX_VALUE);
}
