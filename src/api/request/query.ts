/** Query parameters, parsed once. Unknown ones are ignored, invalid values are refused. */
import * as v from "valibot";
import { type SessionFilter, stateFilter, STATUS_KINDS } from "../../catalog/search/filter.ts";
import { withQuery } from "../../catalog/search/written.ts";
import { nameAsked } from "../../core/text/names.ts";
import { GROUP_SORTS } from "../../catalog/exceptions.ts";
import { GROUP_FIELDS, readGrouping } from "../../core/comparison/grouping.ts";
import { AXES } from "../../core/comparison/over-time.ts";
import { readSort } from "../../core/query/sort.ts";
import { MAX_NAME_LENGTH, MAX_PAGE, MAX_POINTS, MAX_TIME } from "../../core/limits.ts";
import { MAX_FILE_LENGTH } from "../../core/sourcemaps/limits.ts";
import { uploadPath } from "../../core/sourcemaps/paths.ts";
import { DECIMALS, FORMATS, SEPARATORS } from "../../core/exports/asked.ts";
import { TABLES } from "../../core/exports/tables.ts";
import { TESTS_SHOWN } from "../../core/tests/vocabulary.ts";
import { checkParameters } from "../../core/parse.ts";
import type { QueryList } from "../../core/query/list.ts";
import { parseQueryOf } from "../../core/query/parse.ts";
import type { Query } from "../../core/query/tree.ts";
import { Refusal } from "../../core/refusal.ts";
import { readPath } from "../../core/state/path.ts";
import { VALUE_TYPES, type ValueType } from "../../core/state/values.ts";
import { GROUP_STATUSES, METRIC_TYPES } from "../../core/vocabulary.ts";
import { Id } from "../../core/wire-fields.ts";
import { MAX_BARS, MAX_DAYS, MAX_FILTER_VALUES } from "../limits.ts";

const number = v.pipe(
  v.string(),
  v.regex(/^-?\d+(\.\d+)?$/, "must be a number"),
  v.transform(Number),
);
const whole = (min: number, max: number) =>
  v.optional(v.pipe(number, v.integer("must be a whole number"), v.minValue(min), v.maxValue(max)));
/** Epoch milliseconds. */
const time = v.optional(v.pipe(number, v.minValue(0), v.maxValue(MAX_TIME)));
const text = v.optional(v.string());
/** Texts joined by commas; one that holds a comma is written in a JSON list. */
const list = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      if (!dataset.value.startsWith("[")) return dataset.value.split(",").filter(Boolean);
      const texts = textsIn(dataset.value);
      if (texts) return texts;
      addIssue({ message: "must be texts joined by commas, or a JSON list of them" });
      return NEVER;
    }),
    v.maxLength(MAX_FILTER_VALUES, `may have ${MAX_FILTER_VALUES} values`),
  ),
);
const limit = whole(1, MAX_PAGE);
const order = v.optional(v.picklist(["asc", "desc"]));
const flag = v.optional(
  v.pipe(
    v.picklist(["0", "1", "false", "true"]),
    v.transform((written) => written === "1" || written === "true"),
  ),
);

/** The texts in a JSON list; undefined if it is something else. */
function textsIn(list: string): string[] | undefined {
  const texts = v.safeParse(Texts, list);
  return texts.success ? texts.output : undefined;
}
const Texts = v.pipe(v.string(), v.parseJson(), v.array(v.string()));

/** Keys joined by dots, as core/state/path.ts writes them, or a JSON list of them. */
const path = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const keys = readPath(dataset.value);
      if (keys) return keys;
      addIssue({ message: "must be keys joined by dots, or a JSON list of them" });
      return NEVER;
    }),
  ),
);

/** A name; `(none)` stands for the empty one, and a JSON string for any (names.ts). */
const name = v.optional(v.pipe(v.string(), v.transform(nameAsked)));

/** What sessions are grouped by (core/comparison/grouping.ts). */
const by = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const grouping = readGrouping(dataset.value);
      if (grouping) return grouping;
      addIssue({ message: `must be one of ${GROUP_FIELDS.join(", ")}, or tag.KEY, or state.PATH` });
      return NEVER;
    }),
  ),
);
/** What a list of sessions is sorted by (core/query/sort.ts). */
const sessionSort = v.optional(
  v.pipe(
    v.string(),
    v.check(
      (written) => readSort(written) !== undefined,
      "must be a column, or as metric.fps.p95, event.door_opened, state.level, tag.branch",
    ),
  ),
);

/** The filter of sessions, with the same parameters for the list and for metrics. */
const filter = {
  product: name,
  version: name,
  status: v.optional(
    v.pipe(
      v.string(),
      v.transform((written) => [...new Set(written.split(",").filter(Boolean))]),
      v.maxLength(MAX_FILTER_VALUES, `may have ${MAX_FILTER_VALUES} values`),
      v.array(v.picklist(STATUS_KINDS)),
    ),
  ),
  machine: name,
  hostname: name,
  from: time,
  to: time,
  text,
  tag: name,
  event: name,
  exception: text,
  metric: name,
  state_path: path,
  state_value: text,
  state_type: v.optional(v.picklist(VALUE_TYPES)),
  q: v.optional(v.string()),
};

export const Filter = v.object(filter);
export const Sessions = v.object({
  ...filter,
  found: flag,
  sort: sessionSort,
  order,
  cursor: text,
  limit,
});
export const Page = v.object({ cursor: text, limit });
export const Moment = v.object({ at: time, seq: whole(0, Number.MAX_SAFE_INTEGER) });
export const Difference = v.object({
  from: time,
  to: time,
  from_seq: whole(0, Number.MAX_SAFE_INTEGER),
  to_seq: whole(0, Number.MAX_SAFE_INTEGER),
});
export const History = v.object({ from: time, to: time, path, cursor: text, limit, order });
export const Events = v.object({
  from: time,
  to: time,
  name,
  category: name,
  group: name,
  tag: name,
  label: name, // the name of `tag` in answers
  text,
  exceptions: flag,
  fingerprint: text,
  q: text,
  cursor: text,
  limit,
  order,
});
export const Series = v.object({ q: text });
export const Chart = v.object({
  from: time,
  to: time,
  points: whole(1, MAX_POINTS),
  tags: list,
  quantiles: flag,
});
export const Export = v.object({
  format: v.optional(v.picklist(FORMATS)),
  table: v.optional(v.picklist(TABLES)),
  separator: v.optional(v.picklist(SEPARATORS)),
  decimal: v.optional(v.picklist(DECIMALS)),
  bom: flag,
  from: time,
  to: time,
  metrics: list,
  step: whole(1, MAX_TIME),
});
/** `id`: of the session as it is imported. */
export const Import = v.object({ id: v.optional(Id) });
export const Timeline = v.object({ from: time, to: time, buckets: whole(1, MAX_POINTS) });
export const Names = v.object({ prefix: text, cursor: text, limit });
export const MetricNames = v.object({ ...Names.entries, q: text });
const format = v.optional(v.picklist(["json", "csv"]));
export const MetricSessions = v.object({
  ...v.omit(v.object(filter), ["metric"]).entries,
  type: v.optional(v.picklist(METRIC_TYPES)),
  tags: list,
  format,
  cursor: text,
});
export const Metric = v.object({
  ...MetricSessions.entries,
  by,
  axis: v.optional(v.picklist(AXES)),
  buckets: whole(1, MAX_POINTS),
  bars: whole(1, MAX_BARS),
  quantiles: flag,
});
export const Groups = v.object({
  product: name,
  status: v.optional(v.picklist(GROUP_STATUSES)),
  text,
  q: text,
  sort: v.optional(v.picklist(GROUP_SORTS)),
  cursor: text,
  limit,
});
export const Tests = v.object({ product: name, branch: name });
export const ProductTests = v.object({ ...Tests.entries, q: text, cursor: text, limit });
const shown = v.picklist(TESTS_SHOWN);
/** The tests of a session. `results` and `keys` are lists with commas. */
export const SessionTests = v.object({
  results: v.optional(v.pipe(v.string(), v.transform(itemsOf), v.array(shown))),
  keys: v.optional(v.pipe(v.string(), v.transform(itemsOf), v.maxLength(MAX_PAGE))),
  text,
  prefix: v.optional(Texts),
  q: text,
  sort: v.optional(v.picklist(["name", "duration"])),
  cursor: text,
  limit,
});

function itemsOf(list: string): string[] {
  return list.split(",").filter((item) => item !== "");
}

/** In tables `*` is any product or version: Grafana's variables have no empty value. */
const nameOrAny = v.optional(
  v.pipe(
    v.string(),
    v.transform((written) => (written === "*" ? undefined : nameAsked(written))),
  ),
);
/** `completeness=true`: instead of the rows, one row that states what they leave out. */
const completeness = flag;
/** The width of a step of time in milliseconds. */
const step = v.optional(v.pipe(number, v.minValue(1), v.maxValue(MAX_TIME)));
const tableFilter = { ...filter, product: nameOrAny, version: nameOrAny, completeness };
const range = { from: time, to: time };

export const TableSessions = v.object({
  ...tableFilter,
  sort: sessionSort,
  order,
  cursor: text,
  limit,
});
export const TableSteps = v.object({
  ...tableFilter,
  by,
  step,
});
const tableMetric = {
  ...v.omit(v.object(tableFilter), ["metric"]).entries,
  type: v.optional(v.picklist(METRIC_TYPES)),
  tags: list,
};
export const TableMetric = v.object({
  ...tableMetric,
  by,
  step,
  quantiles: flag,
});
export const TableMetricSessions = v.object({ ...tableMetric, cursor: text });
export const TableProducts = v.object({ product: nameOrAny, completeness });
export const TableDays = v.object({ product: nameOrAny, ...range, completeness });
export const TableGroups = v.object({ ...Groups.entries, product: nameOrAny, completeness });
export const TableGroupDays = v.object({
  ...v.omit(TableGroups, ["cursor"]).entries,
  ...range,
});
/** Whose names a table of names has. */
export const NAMES_OF = ["product", "version", "metric", "event"] as const;
export const TableNames = v.object({
  of: v.picklist(NAMES_OF),
  product: nameOrAny,
  prefix: text,
  cursor: text,
  limit,
  completeness,
});

export const OfProduct = v.object({ product: name });
export const Days = v.object({ product: name, days: whole(1, MAX_DAYS) });

const named = v.pipe(
  v.string(),
  v.transform(nameAsked),
  v.minLength(1, "must not be empty"),
  v.maxLength(MAX_NAME_LENGTH),
);
const file = v.pipe(
  v.string(),
  v.maxLength(MAX_FILE_LENGTH),
  v.transform(uploadPath),
  v.minLength(1, "must be the path of the file that the map is of"),
);
export const SourceMapList = v.object({ product: v.optional(named), version: v.optional(named) });
export const SourceMapPut = v.object({ product: named, version: named, file });
export const SourceMapDelete = v.object({ product: named, version: named, file: v.optional(file) });

/** The query of a URL as the schema has it. */
export function parseQuery<Schema extends v.GenericSchema<{ [name: string]: unknown }, object>>(
  schema: Schema,
  url: string,
): v.InferOutput<Schema> {
  // Repeated parameters are joined by commas; the empty value of an HTML field counts as absent.
  const parameters: { [name: string]: string } = {};
  const { searchParams } = new URL(url);
  checkParameters(searchParams);
  for (const [name, value] of searchParams) {
    if (value === "") continue;
    parameters[name] = Object.hasOwn(parameters, name) ? `${parameters[name]},${value}` : value;
  }
  const result = v.safeParse(schema, parameters);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Refusal(
    "invalid_query",
    `The parameter ${v.getDotPath(issue) ?? ""}: ${issue.message}`,
  );
}

/** The parameter `q` of a list as its query. Throws a Refusal (invalid_query). */
export function queryOf(list: QueryList, q: string | undefined): Query | undefined {
  return q === undefined ? undefined : parseQueryOf(list, q, Date.now());
}

/** A query of something else than sessions. A key that is bound to a product finds only what is its, whatever the query asks for. */
export function ofProduct<Query extends { product?: string }>(
  query: Query,
  product: string | null,
): Query {
  return product === null ? query : { ...query, product };
}

/** The filter of a query. A key that is bound to a product finds only its sessions, whatever the query asks for. */
export function filterOf<
  Query extends SessionFilter & {
    state_path?: string[];
    state_value?: string;
    state_type?: ValueType;
    q?: string;
  },
>({ state_path, state_value, state_type, q, ...query }: Query, product: string | null) {
  const filter = {
    ...query,
    state: state_path && stateFilter(state_path, state_value, state_type),
    product: product ?? query.product,
  };
  return q === undefined ? filter : withQuery(filter, q, Date.now());
}
