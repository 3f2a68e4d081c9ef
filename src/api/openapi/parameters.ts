/** Query parameters of the OpenAPI document, of the schemas that the routes parse with. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { Schema } from "./types.ts";

/** What a route parses its query with. */
export type QuerySchema = { entries: { [name: string]: v.GenericSchema } };

type Parameter = {
  name: string;
  in: "query" | "path" | "header";
  required: boolean;
  description: string;
  schema: Schema;
  style?: "form";
  explode?: false;
};

export function queryParameters({ entries }: QuerySchema, route: string): Parameter[] {
  return Object.entries(entries).map(([name, entry]) => {
    const schema = parameterSchema(entry);
    return {
      name,
      in: "query",
      required: entry.type !== "optional",
      description: descriptionOf(name, route),
      schema,
      // Several values are joined by commas.
      ...(schema["type"] === "array" && { style: "form", explode: false }),
    };
  });
}

export function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: PATH_PARAMETERS[name] ?? missing(name, path),
    schema: { type: "string" },
  }));
}

type Item = {
  kind: string;
  type: string;
  operation?: unknown;
  requirement?: unknown;
  options?: readonly unknown[];
  pipe?: readonly Item[];
  wrapped?: Item;
  item?: Item;
};

/**
 * A parameter is a text, of which a pipe makes something else: a number, a flag or a list. The document has what a caller gives, as OpenAPI
 * writes it in an address.
 */
function parameterSchema(entry: v.GenericSchema): Schema {
  const whole = entry as unknown as Item; // its own parts, which valibot's types hide
  const items = itemsOf(whole.type === "optional" && whole.wrapped ? whole.wrapped : whole);
  const has = (type: string) => items.find((item) => item.type === type);
  const limits = {
    ...limit("minimum", has("min_value")),
    ...limit("maximum", has("max_value")),
  };
  if (items.some(({ operation }) => operation === Number))
    return { type: has("integer") ? "integer" : "number", ...limits };

  const [first] = items;
  if (first?.type === "picklist") {
    const isFlag = first.options?.includes("true") === true;
    return isFlag ? { type: "boolean" } : { enum: first.options };
  }
  if (has("parse_json")) return { type: "string", contentMediaType: "application/json" };
  const change = has("transform") ?? has("raw_transform");
  const listed = has("array")?.item;
  const most = has("max_length");
  if (change && listed)
    return { type: "array", items: { enum: listed.options }, ...limit("maxItems", most) };
  // A length that is checked after a change is that of a list.
  if (change && most && items.indexOf(most) > items.indexOf(change))
    return { type: "array", items: { type: "string" }, ...limit("maxItems", most) };
  const { $schema: _, ...schema } = toJsonSchema(entry, { typeMode: "input", errorMode: "ignore" });
  return schema;
}

/** The items of a pipe and of the pipes in it, in their order. */
function itemsOf(schema: Item): Item[] {
  const [first, ...others] = schema.pipe ?? [];
  if (!first) return [schema];
  return [...(first === schema ? [first] : itemsOf(first)), ...others.flatMap(itemsOf)];
}

function limit(keyword: string, item: Item | undefined): Schema {
  return item ? { [keyword]: item.requirement } : {};
}

function descriptionOf(name: string, route: string): string {
  return OF_ROUTES[`${route} ${name}`] ?? PARAMETERS[name] ?? missing(name, route);
}

function missing(name: string, where: string): never {
  throw new Error(
    `The parameter ${name} of ${where} has no description: add one to parameters.ts.`,
  );
}

const PATH_PARAMETERS: { [name: string]: string } = {
  id: "Id of a session; of a key in `/api/keys`.",
  name: "Name of a metric.",
  key: "Key of a test, as lists of tests have it.",
  attachment: "Id of an attachment.",
  chunk: "Number of the chunk, from 0.",
  fingerprint: "Fingerprint of an exception.",
};

const PARAMETERS: { [name: string]: string } = {
  product: "A product. `(none)` is no product.",
  version: "A version. `(none)` is no version.",
  status: "One of these statuses or outcomes.",
  machine: "Id of a machine.",
  hostname: "Name of a host.",
  from: "Start of the range, in epoch milliseconds; of sessions, of their start.",
  to: "End of the range, in epoch milliseconds; itself not in the range.",
  from_seq: "The first moment, as the op after which it is.",
  to_seq: "The second moment, as the op after which it is.",
  at: "A moment, in epoch milliseconds.",
  seq: "A moment, as the op after which it is.",
  text: "Texts that all occur, without regard to case and normalisation.",
  tag: "A tag.",
  event: "Name of an event that was recorded.",
  exception: "Fingerprint of an exception that was recorded.",
  metric: "Name of a metric that was recorded.",
  state_path: "A path of the state: its keys joined by dots, or a JSON list of them.",
  state_value: "A value that the state ever had at `state_path`.",
  state_type: "The type of `state_value`.",
  q: "A query of sessions, as `product:game version:>=1.2 -is:ended` ([search](/docs/search)).",
  sort: "What the list is sorted by.",
  found: "Whether each session has what was found in it, as the list of the page shows it.",
  order: "Ascending or descending.",
  cursor: "The `next` of the page before.",
  limit: "Rows of a page.",
  path: "A path of the state: its keys joined by dots, or a JSON list of them.",
  name: "A name.",
  category: "A category of events.",
  group: "A group of events.",
  label: "A label of events.",
  exceptions: "Only exceptions.",
  fingerprint: "Fingerprint of exceptions.",
  points: "The most buckets of a chart. All points are answered if there are no more.",
  tags: "Tags that a series must have.",
  quantiles: "Whether quantiles are answered.",
  buckets: "The most steps.",
  prefix: "How the names begin.",
  format: "`csv` answers a table for spreadsheets.",
  type: "Type of the metric.",
  by: "What sessions are grouped by: none, product, version, machine, status, session, os, language, browser, exit_code, day, `tag.KEY`, or `state.PATH` for the last value of a path.",
  axis: "`clock`, or `elapsed`: time since the start of each session; or `before_end`: time before its end, which is negative.",
  bars: "Bars of the distribution.",
  branch: "A branch. Without it, all.",
  results: "Tests with one of these results.",
  keys: "Tests with one of these keys.",
  days: "Days of the trend.",
  file: "Path of the generated file that the map is of.",
  step: "The least width of a step in milliseconds.",
  completeness: "Instead of the rows, answer one row that states what they leave out.",
  of: "Whose names.",
  table: "Of CSV: which table.",
  separator: "Of CSV: what separates columns.",
  decimal: "Of CSV: what a number has before its decimals.",
  bom: "Whether a byte order mark is at the beginning, for spreadsheets.",
  metrics: "Only these metrics.",
  damaged: "`zeros` in the place of parts that cannot be read; without it they are refused.",
};

const GROUPS_QUERY = "A query of exception groups ([search](/docs/search#other-lists)).";

/** Where a parameter has another meaning than elsewhere. */
const OF_ROUTES: { [routeAndName: string]: string } = {
  "GET /api/exceptions status": "What was decided about the groups.",
  "GET /api/tables/exceptions status": "What was decided about the groups.",
  "GET /api/tables/exceptions/days status": "What was decided about the groups.",
  "GET /api/sessions sort":
    "A column of the rows, or `metric.fps.p95`, `event.door_opened`, `state.level`, `tag.branch` ([sorting](/docs/search#sorting)).",
  "GET /api/tables/sessions sort":
    "A column of the sessions, or `metric.fps.p95`, `event.door_opened`, `state.level`, `tag.branch` ([sorting](/docs/search#sorting)).",
  "GET /api/sessions/{id}/events q":
    "A query of events ([search](/docs/search#events-of-a-session)).",
  "GET /api/sessions/{id}/metrics q": "A query of series ([search](/docs/search#other-lists)).",
  "GET /api/sessions/{id}/tests q": "A query of tests ([search](/docs/search#other-lists)).",
  "GET /api/metrics q": "A query of metrics ([search](/docs/search#other-lists)).",
  "GET /api/tests q":
    "A query of tests ([search](/docs/search#other-lists)), whose answer is in `tests`.",
  "GET /api/exceptions q": GROUPS_QUERY,
  "GET /api/tables/exceptions q": GROUPS_QUERY,
  "GET /api/tables/exceptions/days q": GROUPS_QUERY,
  "GET /api/sessions/{id}/export format":
    "JSON lines, one JSON document, CSV, or a file to import.",
  "POST /api/sessions/import id": "The id that the session gets here. Default: its own.",
  "GET /api/sessions/{id}/tests prefix": "How the ids of the tests begin: a JSON list.",
};
