/** The series of a session by their identity. Their number and their size are bounded. */
import { MAX_SERIES, MAX_SERIES_BYTES } from "../limits.ts";
import { type Columns, noteRecorded } from "../metrics/columns.ts";
import { addHistogram, boundsOf } from "../metrics/histogram.ts";
import { addPoints, addScalar, noteLane } from "../metrics/points.ts";
import { keyOf, newSeries, type Series, seriesKey } from "../metrics/series.ts";
import type { Metric, Points } from "../wire.ts";

/** The columns of new points, by the id of their series. */
type NewColumns = Map<number, Columns>;

/** `lane`: the position of its lane. `offsetMs`: by how much its own clock showed a later time. */
type Source = { lane: number; offsetMs: number };

export class SeriesTable {
  readonly #list: Series[];
  readonly #byKey = new Map<string, Series>();
  #bytes = 0;

  /** New series are added to `list`. */
  constructor(list: Series[]) {
    this.#list = list;
    for (const series of list) this.#register(series);
  }

  /** Adds the op's points to its series and to `columns`. Returns how many were added; null when a limit of series is reached. */
  add(op: Metric | Points, columns: NewColumns, source: Source): number | null {
    if (op.op === "points" && op.values.length === 0) return 0;
    const isHistogram = op.op === "metric" && op.type === "histogram";
    const series = this.#seriesOf(op, isHistogram ? boundsOf(op) : []);
    if (!series) return null;
    let added = columns.get(series.id);
    if (!added) columns.set(series.id, (added = { at: [], fields: [] }));
    if (series.type === "counter") noteLane(series, added, source.lane);

    const { points } = series;
    const { length } = added.at;
    if (op.op === "points") addPoints(series, added, op);
    else if (isHistogram) addHistogram(series, added, op);
    else addScalar(series, added, op);
    noteRecorded(added, length, source.offsetMs);
    // 1.x's daemon sends histograms again that did not change: no point was added.
    if (added.at.length === 0) columns.delete(series.id);
    return series.points - points;
  }

  /** The series of an op, created if new. Undefined when a limit of series is reached. */
  #seriesOf(op: Metric | Points, bounds: number[]): Series | undefined {
    const key = seriesKey(op.name, op.legacy_type ?? op.type, op.tags ?? [], bounds);
    const known = this.#byKey.get(key);
    if (known) return known;
    const series = newSeries(this.#list.length, op, bounds);
    const size = JSON.stringify(series).length;
    if (this.#list.length >= MAX_SERIES || this.#bytes + size > MAX_SERIES_BYTES) return undefined;
    this.#list.push(series);
    this.#register(series);
    return series;
  }

  #register(series: Series): void {
    this.#byKey.set(keyOf(series), series);
    this.#bytes += JSON.stringify(series).length;
  }
}
