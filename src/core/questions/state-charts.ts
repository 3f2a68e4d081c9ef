/** The values of state paths over a range of time, from the patches that the segments of that range hold. */
import type { StateCharts } from "../answers/state.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { StateChartBuilder } from "../state/charts.ts";
import { equal, isObject, merge, touches, valueAt } from "../state/merge.ts";
import { readPath, writePath } from "../state/path.ts";
import type { PathValues } from "../state/values.ts";
import { fold } from "../text/fold.ts";
import type { Json, JsonObject } from "../wire.ts";
import { MAX_CHARTED_SEGMENTS } from "./limits.ts";

export type StateChartsQuery = {
  from?: number;
  to?: number;
  /** Drawn first, whether or not the index lists it. */
  path?: string[];
  /** Occurs in the path. */
  search?: string;
  /** Also paths whose value never changed; a search finds them as well. */
  all?: boolean;
  /** How many paths are drawn, and into how many parts their time is divided. */
  limit: number;
  points: number;
};

type Asked = StateChartsQuery & { from: number; to: number };

/** @param until the last moment of the session, after which there are no values */
export function stateCharts(
  store: Segments,
  index: SessionIndex,
  query: Asked,
  until: number,
): StateCharts {
  const { from, to, path, limit } = query;
  const listed = index.values.filter((entry) => isAsked(entry, query));
  const others = listed.sort((a, b) => a.path.localeCompare(b.path)).map(knownOf);
  const first = path && {
    path,
    known: index.values.find((entry) => entry.path === writePath(path))?.values ?? [],
  };
  const all = [...(first ? [first] : []), ...others.filter((each) => !isSame(each.path, path))];
  const readers = all.slice(0, limit).map((each) => new PathReader(each.path, each.known, query));

  return {
    from,
    to,
    until,
    unknown: readSegments(store, readers, { from, to: Math.min(to, until) }),
    items: readers.map((reader) => reader.chart),
    matching: all.length,
    paths: index.values.length,
    left_out: index.leftOut.state_paths ?? 0,
  };
}

function knownOf({ path, values }: PathValues) {
  return { path: readPath(path) ?? [path], known: values };
}

function isSame(path: string[], other: string[] | undefined): boolean {
  return other !== undefined && writePath(path) === writePath(other);
}

function isAsked(entry: PathValues, { search = "", all = false }: Asked): boolean {
  if (search !== "") return fold(entry.path).includes(fold(search));
  return all || hasChanged(entry);
}

/** Whether the path had other values, or none, at some time. A list has several values at once. */
function hasChanged({ over, values }: PathValues): boolean {
  return over || values.some(({ since, until }) => until !== null || since !== values[0]?.since);
}

type Range = { from: number; to: number };

/** Follows one path through the patches. */
class PathReader {
  readonly path: string[];
  readonly #known: PathValues["values"];
  readonly #builder: StateChartBuilder;
  /** The value as of the last patch or keyframe; undefined before the first. */
  #value: Json | undefined;
  #hasBegun = false;

  constructor(path: string[], known: PathValues["values"], { from, to, points }: Asked) {
    this.path = path;
    this.#known = known;
    this.#builder = new StateChartBuilder(from, to, points);
  }

  get chart() {
    // Without what marks the type of the text.
    const known = this.#known.map(({ text }) => text.slice(1));
    return { path: this.path, known, spans: this.#builder.spans };
  }

  /** The range begins with the value that it has now. */
  begin(from: number): void {
    this.#hasBegun = true;
    this.#builder.add(from, this.#value);
  }

  /** `state` is the state from `at` on. */
  read(state: JsonObject, at: number): void {
    const value = valueAt(state, this.path);
    const isEqual = equal(value, this.#value) || (isObject(value) && isObject(this.#value));
    // An object is merged in place, and only drawn as one.
    this.#value = isObject(value) ? {} : value;
    if (this.#hasBegun && !isEqual) this.#builder.add(at, value);
  }
}

/** Reads the paths over the range. Returns the times in which their values are not known. */
function readSegments(
  store: Segments,
  readers: PathReader[],
  { from, to }: Range,
): StateCharts["unknown"] {
  const keys = new Set(readers.map(({ path }) => path[0] ?? ""));
  const list = store.list();
  const first = list.reduce((last, { fromAt }, i) => (fromAt <= from ? i : last), 0);
  // The first one of the range has the values at its begin.
  const wanted = list
    .slice(first)
    .filter((info, i) => i === 0 || (info.fromAt <= to && mayHave(info, keys)));
  const opened = wanted.slice(-MAX_CHARTED_SEGMENTS);
  const unknown: StateCharts["unknown"] = [];
  const note = (since: number, until: number, cause: "damaged" | "unread") => {
    const span = { from: Math.max(from, since), to: Math.min(to, until), cause };
    if (span.to > span.from) unknown.push(span);
  };
  const [oldest] = opened;
  if (oldest && wanted.length > opened.length) note(from, oldest.fromAt, "unread");

  let hasBegun = false;
  const beginAt = (at: number) => {
    if (hasBegun || at <= from) return;
    hasBegun = true;
    for (const reader of readers) reader.begin(from);
  };
  for (const info of opened) {
    const segment = store.open(info);
    if (!segment || segment.reader.isDamaged) note(info.fromAt, endOf(list, info), "damaged");
    if (!segment) continue;
    const state = withKeys(segment.keyframe(), keys);
    beginAt(info.fromAt);
    for (const reader of readers) reader.read(state, info.fromAt);
    for (const { effectiveAt, patch } of segment.reader.states()) {
      if (effectiveAt > to) break;
      const own = withKeys(patch, keys);
      if (Object.keys(own).length === 0) continue;
      beginAt(effectiveAt);
      merge(state, own);
      for (const reader of readers) if (touches(own, reader.path)) reader.read(state, effectiveAt);
    }
  }
  beginAt(Infinity);
  return unknown;
}

function mayHave({ summary }: SegmentInfo, keys: Set<string>): boolean {
  return !summary?.keys || summary.keys.some((key) => keys.has(key));
}

function endOf(list: SegmentInfo[], { id }: SegmentInfo): number {
  return list.find((info) => info.id > id)?.fromAt ?? Infinity;
}

/** The members of these keys: the others need not be merged. */
function withKeys(object: JsonObject, keys: Set<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => keys.has(key)));
}
