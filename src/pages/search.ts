/** A search for sessions and its query parameters, for the list, the metrics and saved views. */
import {
  type SessionFilter,
  type StateFilter,
  stateFilter,
  STATUS_KINDS,
} from "../catalog/search/filter.ts";
import { asking, nameAsked } from "../core/text/names.ts";
import { readPath, writePath } from "../core/state/path.ts";
import { Refusal } from "../core/refusal.ts";
import { VALUE_TYPES } from "../core/state/values.ts";
import { parseQuery } from "../core/query/parse.ts";
import { withQuery } from "../catalog/search/written.ts";
import { readSort } from "../core/query/sort.ts";
import { inFields, type Shared, type Sharing, whileTyping } from "./shared-fields.ts";
import { readColumns, unknownColumns, writeColumns } from "./sessions/columns.tsx";

export type SessionSearch = {
  /** The fields below the search box. */
  filter: SessionFilter;
  /** The search box: texts and conditions (core/query). */
  query: string;
  /** core/query/sort.ts. */
  sort: string;
  order: "asc" | "desc";
  /** Names of the columns of the list; none: the default ones. */
  columns: string[];
  /** What the parameter `columns` has that is none. */
  unknownColumns: string[];
  /** Sorting and paging of the list. */
  page: { sort: string; order: "asc" | "desc"; cursor?: string };
  /** The range before now in which sessions started; it sets the filter's `from`. */
  within: Within | undefined;
  /** The metric whose rollup is shown. */
  metric: string | undefined;
};

const NAMES = ["product", "version", "machine", "hostname", "tag", "event", "exception"] as const;

const HOUR_MS = 3_600_000;
export const WITHIN = {
  hour: { label: "last hour", ms: HOUR_MS },
  day: { label: "last day", ms: 24 * HOUR_MS },
  week: { label: "last week", ms: 7 * 24 * HOUR_MS },
  month: { label: "last 30 days", ms: 30 * 24 * HOUR_MS },
} as const;
type Within = keyof typeof WITHIN;

/** `oneStatus`: the page has a field for one status, not for several. */
type FormOf = { oneStatus?: boolean };

/** The search of an address. */
export function readFilter(
  query: URLSearchParams,
  now: number,
  { oneStatus = false }: FormOf = {},
): SessionSearch {
  const search = readParameters(query, now);
  return withShared(search, inFields(sharedOf(search), sharing(now, oneStatus)));
}

/**
 * The search of a form in which something was changed, and what of the form shows something else now: fields, or `query` for the
 * box. `before`: the parameters of the form before.
 */
export function readTyped(
  query: URLSearchParams,
  before: URLSearchParams,
  now: number,
  { oneStatus = false }: FormOf = {},
): { search: SessionSearch; changed: Set<SharedName | "query"> } {
  const search = readParameters(query, now);
  const earlier = readParameters(before, now);
  const typed = whileTyping(sharedOf(search), sharedOf(earlier), sharing(now, oneStatus));
  const changed = new Set<SharedName | "query">(typed.changed);
  if (typed.query !== search.query) changed.add("query");
  return { search: withShared(search, typed), changed };
}

export type SharedName = "product" | "version" | "status";
type SharedFields = Pick<SessionFilter, SharedName>;

function sharedOf({ filter, query }: SessionSearch): Shared<SharedFields> {
  const { product, version, status } = filter;
  return {
    fields: {
      ...(product !== undefined && { product }),
      ...(version !== undefined && { version }),
      ...(status !== undefined && { status }),
    },
    query,
  };
}

function withShared(search: SessionSearch, { fields, query }: Shared<SharedFields>): SessionSearch {
  const { product: _product, version: _version, status: _status, ...filter } = search.filter;
  return { ...search, filter: { ...fields, ...filter }, query };
}

function sharing(now: number, oneStatus: boolean): Sharing<SharedFields> {
  return {
    parse: (text) => parseQuery(text, { now, kinds: STATUS_KINDS }),
    fieldOf: ({ field }) => {
      if (field.kind !== "plain") return undefined;
      const name = field.name === "is" ? "status" : field.name;
      return name === "product" || name === "version" || name === "status" ? name : undefined;
    },
    valueOf: ({ field, any, isNot }) => {
      const texts = any.flatMap((match) => (match.kind === "is" ? [match.text] : []));
      if (isNot || texts.length < any.length || field.kind !== "plain") return undefined;
      if (field.name === "status" || field.name === "is")
        return oneStatus && texts.length > 1
          ? undefined
          : STATUS_KINDS.filter((kind) => texts.includes(kind));
      return texts.length === 1 ? texts[0] : undefined;
    },
  };
}

function readParameters(query: URLSearchParams, now: number): SessionSearch {
  const filter: SessionFilter = {};
  for (const name of NAMES) {
    const value = query.get(name)?.trim();
    if (value) filter[name] = nameAsked(value);
  }
  const status = STATUS_KINDS.filter((kind) =>
    query.getAll("status").some((each) => each.split(",").includes(kind)),
  );
  if (status.length > 0) filter.status = status;
  const state = stateIn(query);
  if (state) filter.state = state;

  const from = time(query.get("from"));
  const to = time(query.get("to"));
  if (from !== undefined) filter.from = from;
  if (to !== undefined) filter.to = to;
  const name = query.get("within") ?? "";
  const within = isWithin(name) ? name : undefined;
  if (within !== undefined) filter.from = now - WITHIN[within].ms;

  const asked = query.get("sort") ?? "";
  const sort = readSort(asked) ? asked : "created_at";
  const order = query.get("order") === "asc" ? "asc" : "desc";
  const cursor = query.get("cursor");
  const metric = query.get("metric")?.trim();
  return {
    filter,
    query: boxIn(query),
    sort,
    order,
    columns: readColumns(query.getAll("columns")),
    unknownColumns: unknownColumns(query.getAll("columns")),
    page: cursor ? { sort, order, cursor } : { sort, order },
    within,
    metric: metric ? nameAsked(metric) : undefined,
  };
}

function boxIn(query: URLSearchParams): string {
  const texts = [query.get("text"), query.get("q")].map((text) => text?.trim());
  return texts.filter(Boolean).join(" ");
}

/** Whether conditions of the box are in fields, so that the page has another address. */
export function isMoved(query: URLSearchParams, search: SessionSearch): boolean {
  return boxIn(query) !== search.query;
}

/** The filter of the fields and the box together. Throws a Refusal (invalid_query) if the box has no query. */
export function passing({ filter, query }: SessionSearch, now: number): SessionFilter {
  return query === "" ? filter : withQuery(filter, query, now);
}

/** Blanks count: a key and a text may begin or end with them. */
function stateIn(query: URLSearchParams): StateFilter | undefined {
  const written = query.get("path");
  if (!written) return undefined;
  const path = readPath(written);
  if (!path) {
    throw new Refusal(
      "invalid_query",
      "The state path must be keys joined by dots, or a JSON list of them.",
    );
  }
  const type = VALUE_TYPES.find((each) => each === query.get("type"));
  return stateFilter(path, query.get("value") || undefined, type);
}

function isWithin(name: string): name is Within {
  return Object.hasOwn(WITHIN, name);
}

/** The query parameters, with times in UTC, without those that have their default. */
export function searchQuery({
  filter,
  query,
  sort,
  order,
  columns,
  within,
  metric,
}: SessionSearch): Record<string, string | number | undefined> {
  const { status, state, from, to } = filter;
  const written = (name: string | undefined) => (name === undefined ? undefined : asking(name));
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, written(filter[name])])),
    text: query,
    to,
    from: within === undefined ? from : undefined,
    within,
    status: status?.join(","),
    path: state && pathText(state.path),
    value: state?.value || undefined,
    type: state?.type,
    sort: sort === "created_at" ? undefined : sort,
    order: order === "desc" ? undefined : order,
    columns: writeColumns(columns),
    metric: written(metric),
  };
}

/** A path as text for a parameter, where an empty text would be no filter. */
export function pathText(path: string[]): string {
  return writePath(path) || JSON.stringify(path);
}

/** Epoch milliseconds, or a date and time, in UTC if it has no zone (page.js converts times in the viewer's zone). */
function time(text: string | null): number | undefined {
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const at = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isFinite(at) ? at : undefined;
}
