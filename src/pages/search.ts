/** A search for sessions, as an address says it: shared by the list, the metrics and saved views. */
import { asking, nameAsked, type SessionFilter, STATUS_KINDS } from "../catalog/filter.ts";
import { SESSION_SORTS, type SessionSort } from "../catalog/sessions.ts";

export type SessionSearch = {
  filter: SessionFilter;
  sort: SessionSort;
  order: "asc" | "desc";
  /** What the list is asked with beside the filter. */
  page: { sort: SessionSort; order: "asc" | "desc"; cursor?: string };
  /** How long ago sessions may have begun: the filter's `from` then follows the clock. */
  within: Within | undefined;
  /** The metric whose rollup is shown. */
  metric: string | undefined;
};

const NAMES = ["product", "version"] as const;
const WORDS = ["machine", "hostname", "text", "tag", "event", "exception"] as const;

const HOUR_MS = 3_600_000;
export const WITHIN = {
  hour: { word: "last hour", ms: HOUR_MS },
  day: { word: "last day", ms: 24 * HOUR_MS },
  week: { word: "last week", ms: 7 * 24 * HOUR_MS },
  month: { word: "last 30 days", ms: 30 * 24 * HOUR_MS },
} as const;
export type Within = keyof typeof WITHIN;

export function readFilter(query: URLSearchParams, now: number): SessionSearch {
  const filter: SessionFilter = {};
  for (const name of NAMES) {
    const value = query.get(name)?.trim();
    if (value) filter[name] = nameAsked(value);
  }
  for (const name of WORDS) {
    const value = query.get(name)?.trim();
    if (value) filter[name] = value;
  }
  const status = STATUS_KINDS.filter((kind) =>
    query.getAll("status").some((said) => said.split(",").includes(kind)),
  );
  if (status.length > 0) filter.status = status;
  const path = query.get("path")?.trim();
  const value = query.get("value")?.trim();
  if (path) filter.state = value ? { path, value } : { path };

  const from = time(query.get("from"));
  const to = time(query.get("to"));
  if (from !== undefined) filter.from = from;
  if (to !== undefined) filter.to = to;
  const said = query.get("within") ?? "";
  const within = isWithin(said) ? said : undefined;
  if (within !== undefined) filter.from = now - WITHIN[within].ms;

  const sort = SESSION_SORTS.find((each) => each === query.get("sort")) ?? "created_at";
  const order = query.get("order") === "asc" ? "asc" : "desc";
  const cursor = query.get("cursor");
  return {
    filter,
    sort,
    order,
    page: cursor ? { sort, order, cursor } : { sort, order },
    within,
    metric: query.get("metric")?.trim() || undefined,
  };
}

function isWithin(word: string): word is Within {
  return Object.hasOwn(WITHIN, word);
}

/** The search as an address says it, times in UTC; what is as always is left out. */
export function searchQuery({
  filter,
  sort,
  order,
  within,
  metric,
}: SessionSearch): Record<string, string | number | undefined> {
  const { status, state, product, version, from, ...words } = filter;
  return {
    product: product === undefined ? undefined : asking(product),
    version: version === undefined ? undefined : asking(version),
    ...words,
    from: within === undefined ? from : undefined,
    within,
    status: status?.join(","),
    path: state?.path,
    value: state?.value,
    sort: sort === "created_at" ? undefined : sort,
    order: order === "desc" ? undefined : order,
    metric,
  };
}

/** Epoch milliseconds, or a date and time; without a zone of its own it is in UTC (page.js sends what is typed in the viewer's zone so). */
function time(text: string | null): number | undefined {
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const at = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isFinite(at) ? at : undefined;
}
