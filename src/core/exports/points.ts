/**
 * The points of a session in the order of their times, with bounded memory. Segments are in the order of arrival, and their times nearly
 * are. Time is divided where segments begin, and where a part would still have too many points, in halves: each part is collected from
 * the segments that overlap with it, and sorted.
 */
import type { Series } from "../metrics/series.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";
import { KEPT_SEGMENTS, MAX_SORTED_POINTS, SHORTEST_PART_MS } from "./limits.ts";

/** The i-th point of a series in these columns. */
export type Point = { at: number; series: Series; columns: ReadColumns; i: number };

/** From `from` to before `to`. */
type Part = { from: number; to: number };
type Range = { info: SegmentInfo; from: number; to: number };
type SeriesColumns = { series: Series; columns: ReadColumns };

/** Points of `series`, from `from` to `to`, both included. Those of one time are in the order of segments and series. */
export function* pointsInOrder(
  store: Segments,
  series: Series[],
  { from = -Infinity, to = Infinity }: Partial<Part> = {},
): Generator<Point[]> {
  const read = new SegmentColumns(store, series);
  const ranges = store
    .list()
    .flatMap((info) => read.rangeOf(info) ?? [])
    .filter((range) => range.to >= from && range.from <= to)
    .sort((a, b) => a.from - b.from);
  let open: Range[] = [];
  for (let i = 0; i < ranges.length;) {
    const start = ranges[i]?.from ?? 0;
    while (ranges[i]?.from === start) open.push(ranges[i++] as Range); // within its length
    open = open.filter((range) => range.to >= start);
    const end = ranges[i]?.from ?? open.reduce((last, range) => Math.max(last, range.to), start);
    // The last part includes its end.
    const part = { from: start, to: i < ranges.length ? end : end + SHORTEST_PART_MS };
    for (const points of partsOf(read, open, part))
      yield points.filter(({ at }) => at >= from && at <= to);
  }
}

/** The points of a part of time, in smaller parts if they are too many. */
function* partsOf(read: SegmentColumns, open: Range[], part: Part): Generator<Point[]> {
  const { from, to } = part;
  const inside = open.filter((range) => range.to >= from && range.from < to);
  const isShort = to - from <= SHORTEST_PART_MS;
  const points: Point[] = [];
  for (const { info } of inside) {
    collect(points, read.of(info), part);
    if (points.length < MAX_SORTED_POINTS) continue;
    if (!isShort) {
      const middle = from + (to - from) / 2;
      yield* partsOf(read, inside, { from, to: middle });
      yield* partsOf(read, inside, { from: middle, to });
      return;
    }
    // All are of one moment.
    yield sorted(points.splice(0));
  }
  if (points.length > 0) yield sorted(points);
}

function collect(points: Point[], columns: SeriesColumns[], { from, to }: Part): void {
  for (const { series, columns: read } of columns) {
    const times = read.at;
    for (let i = 0; i < times.length; i++) {
      const at = times[i] ?? 0;
      if (at >= from && at < to) points.push({ at, series, columns: read, i });
    }
  }
}

/** Stable. */
function sorted(points: Point[]): Point[] {
  return points.sort((a, b) => a.at - b.at);
}

/** Reads the columns of segments, and keeps those that were read last. */
class SegmentColumns {
  readonly #store: Segments;
  readonly #series: Series[];
  readonly #kept = new Map<number, SeriesColumns[]>();

  constructor(store: Segments, series: Series[]) {
    this.#store = store;
    this.#series = series;
  }

  /** The times of the first and the last point of a segment. */
  rangeOf(info: SegmentInfo): Range | undefined {
    let [from, to] = [Infinity, -Infinity];
    const ids = new Set(this.#series.map(({ id }) => id));
    if (info.summary) {
      for (const one of info.summary.series) {
        if (!ids.has(one.id)) continue;
        from = Math.min(from, one.from);
        to = Math.max(to, one.to);
      }
    } else
      for (const { columns } of this.of(info))
        for (const at of columns.at) {
          if (at < from) from = at;
          if (at > to) to = at;
        }
    return from <= to ? { info, from, to } : undefined;
  }

  of(info: SegmentInfo): SeriesColumns[] {
    const kept = this.#kept.get(info.id);
    if (kept) return kept;
    const reader = this.#store.open(info)?.reader;
    const there = new Set(reader?.seriesIds());
    const read = this.#series
      .filter(({ id }) => there.has(id))
      .flatMap((series) => (reader ? { series, columns: reader.columns(series.id) } : []));
    // A map is in the order of insertion: the first is the one that was read the longest ago.
    for (const id of this.#kept.keys()) if (this.#kept.size >= KEPT_SEGMENTS) this.#kept.delete(id);
    this.#kept.set(info.id, read);
    return read;
  }
}
