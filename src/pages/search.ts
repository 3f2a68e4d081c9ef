/** A search for sessions, as an address says it: shared by the list, the metrics and saved views. */
import {
  SESSION_SORTS,
  type SessionFilter,
  type SessionSort,
  STATUS_KINDS,
} from "../catalog/index.ts";

export type SessionSearch = {
  filter: SessionFilter;
  sort: SessionSort;
  order: "asc" | "desc";
  /** What the list is asked with beside the filter. */
  page: { sort: SessionSort; order: "asc" | "desc"; cursor?: string };
  /** The metric whose strip is shown. */
  metric: string | undefined;
  /** Minutes that the typed times are behind UTC. */
  offset: number;
};

const WORDS = [
  "product",
  "version",
  "machine",
  "hostname",
  "text",
  "tag",
  "event",
  "exception",
] as const;

export function readFilter(query: URLSearchParams): SessionSearch {
  const filter: SessionFilter = {};
  for (const name of WORDS) {
    const value = query.get(name)?.trim();
    // A product or version may be nameless, and that can be asked for: `product=` with nothing is "any" in a form.
    if (value) filter[name] = value;
  }
  const status = STATUS_KINDS.filter((kind) =>
    query.getAll("status").some((said) => said.split(",").includes(kind)),
  );
  if (status.length > 0) filter.status = status;
  const path = query.get("path")?.trim();
  const value = query.get("value")?.trim();
  if (path) filter.state = value ? { path, value } : { path };

  const offset = query.get("zone") === "local" ? Number(query.get("offset")) || 0 : 0;
  const from = time(query.get("from"), offset);
  const to = time(query.get("to"), offset);
  if (from !== undefined) filter.from = from;
  if (to !== undefined) filter.to = to;

  const sort = SESSION_SORTS.find((each) => each === query.get("sort")) ?? "created_at";
  const order = query.get("order") === "asc" ? "asc" : "desc";
  const cursor = query.get("cursor");
  return {
    filter,
    sort,
    order,
    page: cursor ? { sort, order, cursor } : { sort, order },
    metric: query.get("metric")?.trim() || undefined,
    offset,
  };
}

/** The search as an address says it, times in UTC; what is as always is left out. */
export function searchQuery({
  filter,
  sort,
  order,
  metric,
}: SessionSearch): Record<string, string | number | undefined> {
  const { status, state, ...words } = filter;
  return {
    ...words,
    status: status?.join(","),
    path: state?.path,
    value: state?.value,
    sort: sort === "created_at" ? undefined : sort,
    order: order === "desc" ? undefined : order,
    metric,
  };
}

/** Epoch milliseconds, or a date and time; without a zone of its own it is in the viewer's. */
function time(text: string | null, offsetMinutes: number): number | undefined {
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const at = Date.parse(hasZone ? text : `${text}Z`);
  if (!Number.isFinite(at)) return undefined;
  return hasZone ? at : at + offsetMinutes * 60_000;
}
