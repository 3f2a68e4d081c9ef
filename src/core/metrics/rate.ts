/**
 * A counter's increase per second. Its points are its total after each update, in the order of their arrival; the increase from one
 * point to the next arose in the time between the two. So a constant rate is level, wherever batches, buckets and steps end.
 */
import type { Rate } from "../answers/metrics.ts";
import { MAX_RUN_ENDS, MAX_RUN_GAP_MS, MAX_RUNS, MIN_RATE_MS } from "../limits.ts";
import { toFinite } from "./moments.ts";

/** The increase from one total to the next. A decrease is none, unless the program was started again and counts from 0. */
export function increaseOf(before: number, after: number, isReset = false): number {
  return Math.max(0, isReset ? after : toFinite(after - before));
}

/** What is special about a counter's point: it is of another lane than the point before; its total was set lower. */
export const LANE_CHANGED = 1;
export const RESET = 2;

/** An increase that arose after `since`, until `at`. */
export type Rise = { since: number; at: number; increase: number };

/** Points one soon after another. `first` is when the first one's increase ended; null if that was emitted. */
type Run = { first: number | null; increase: number; end: number };

/**
 * Finds when each increase of a counter arose. Batches of several processes, or late ones, make runs of points that overlap or come before
 * earlier ones, so from where a run goes on is known only when all points were read.
 */
export class RiseReader {
  readonly #emit: (rise: Rise) => void;
  #total: number | null;
  #since = -Infinity;
  #runs: Run[] = [];

  /** `fromZero`: the total was 0 before the first point, otherwise it is not known. `emit` receives the increases within runs. */
  constructor(fromZero: boolean, emit: (rise: Rise) => void) {
    this.#total = fromZero ? 0 : null;
    this.#emit = emit;
  }

  /** `marks`: LANE_CHANGED, RESET, both (added) or none. */
  next(at: number, total: number, marks = 0): void {
    const isReset = (marks & RESET) !== 0;
    const increase = this.#total === null ? 0 : increaseOf(this.#total, total, isReset);
    this.#total = total;
    const run = this.#runs.at(-1);
    if (!run || (marks & LANE_CHANGED) !== 0 || at < run.end || at - run.end > MAX_RUN_GAP_MS) {
      if (this.#runs.length >= MAX_RUNS) this.#settle();
      this.#runs.push({ first: at, increase, end: at });
      this.#since = -Infinity;
      return;
    }
    // Two updates in one millisecond arose in the same time.
    if (at > run.end) this.#since = run.end;
    run.end = at;
    if (this.#since === -Infinity) run.increase += increase;
    else this.#emit({ since: this.#since, at, increase });
  }

  /** Reads points that were in order, of which the sum of the increases is known. */
  skip(points: { from: number; first: number; to: number; last: number; increase: number }): void {
    const { from, first, to, last, increase } = points;
    this.next(from, first);
    if (to === from) return;
    const run = this.#runs.at(-1);
    if (run) run.end = to;
    this.#since = from;
    this.#total = last;
    this.#emit({ since: from, at: to, increase });
  }

  /** The increases by which runs begin. That of the first run of all is missing, because when it began is not known. */
  pending(): Rise[] {
    const ends = this.#runs.map(({ end }) => end).sort((a, b) => a - b);
    const used = new Set<number>();
    const rises: Rise[] = [];
    for (const { first, increase } of this.#runs
      .slice()
      .sort((a, b) => (a.first ?? 0) - (b.first ?? 0))) {
      if (first === null) continue;
      const since = endBefore(ends, used, first);
      if (since !== undefined && since < first) rises.push({ since, at: first, increase });
    }
    return rises;
  }

  /** Emits what is pending, so that the number of runs is bounded; only later runs can follow. */
  #settle(): void {
    for (const rise of this.pending()) this.#emit(rise);
    for (const run of this.#runs) run.first = null;
    this.#runs = this.#runs
      .slice()
      .sort((a, b) => a.end - b.end)
      .slice(-MAX_RUN_ENDS);
  }
}

/** Where the run that begins at `first` goes on from: of the ends just before, the one that waits longest; else the latest. */
function endBefore(ends: number[], used: Set<number>, first: number): number | undefined {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) <= first) low = middle + 1;
    else high = middle;
  }
  let found: number | undefined;
  for (let i = low - 1; i >= 0 && first - (ends[i] ?? 0) <= MAX_RUN_GAP_MS; i--)
    if (!used.has(i) && ends[i] !== first) found = i;
  if (found === undefined) return ends[ends[low - 1] === first ? low - 2 : low - 1];
  used.add(found);
  return ends[found];
}

/** The increases in a range, divided into parts of equal width. An increase is spread evenly over the time in which it arose. */
export class RateBuilder {
  readonly #from: number;
  readonly #width: number;
  readonly #increase: Float64Array;
  /** What of each part is covered by increases. */
  readonly #begin: Float64Array;
  readonly #end: Float64Array;

  constructor(from: number, width: number, parts: number) {
    this.#from = from;
    this.#width = width;
    this.#increase = new Float64Array(parts);
    this.#begin = new Float64Array(parts).fill(Infinity);
    this.#end = new Float64Array(parts).fill(-Infinity);
  }

  copy(): RateBuilder {
    const copy = new RateBuilder(this.#from, this.#width, this.#increase.length);
    copy.#increase.set(this.#increase);
    copy.#begin.set(this.#begin);
    copy.#end.set(this.#end);
    return copy;
  }

  add({ since, at, increase }: Rise): void {
    const parts = this.#increase.length;
    const last = this.#from + parts * this.#width;
    if (at < this.#from || since > last) return;
    const begin = Math.max(since, this.#from);
    const end = Math.min(at, last);
    const low = this.#index(begin);
    const high = this.#index(end);
    for (let part = low; part <= high; part++) {
      const start = part === low ? begin : this.#from + part * this.#width;
      const stop = part === high ? end : this.#from + (part + 1) * this.#width;
      const share = at > since ? (stop - start) / (at - since) : 1;
      this.#increase[part] = toFinite((this.#increase[part] ?? 0) + increase * share);
      this.#begin[part] = Math.min(this.#begin[part] ?? start, start);
      this.#end[part] = Math.max(this.#end[part] ?? stop, stop);
    }
  }

  #index(at: number): number {
    const index = Math.floor((at - this.#from) / this.#width);
    return Math.max(0, Math.min(this.#increase.length - 1, index));
  }

  /** The increase per second in one part; null if no increase covers it. */
  rate(part: number): number | null {
    return this.#rateOf(part, part + 1)?.rate ?? null;
  }

  /**
   * The rates over the range, each over as many parts as are a second: in less, single updates would be seen rather than their rate. What
   * is shorter at the ends is added to its neighbour.
   */
  rates(): Rate[] {
    const parts = this.#increase.length;
    const together = Math.max(1, Math.min(parts, Math.ceil(MIN_RATE_MS / this.#width)));
    const rates: Rate[] = [];
    for (let part = 0; part < parts; part += together) {
      const rate = this.#rateOf(part, Math.min(parts, part + together));
      if (rate) rates.push(rate);
    }
    const [first, second] = rates;
    if (first && second && isShort(first)) rates.splice(0, 2, joined(first, second));
    const [before, last] = rates.slice(-2);
    if (before && last && isShort(last)) rates.splice(-2, 2, joined(before, last));
    return rates;
  }

  #rateOf(start: number, stop: number): Rate | undefined {
    let [from, to, increase] = [Infinity, -Infinity, 0];
    for (let part = start; part < stop; part++) {
      increase += this.#increase[part] ?? 0;
      from = Math.min(from, this.#begin[part] ?? Infinity);
      to = Math.max(to, this.#end[part] ?? -Infinity);
    }
    if (!(to > from)) return undefined;
    return { from, to, increase: toFinite(increase), rate: perSecond(increase, to - from) };
  }
}

function isShort({ from, to }: Rate): boolean {
  return to - from < MIN_RATE_MS;
}

function joined(a: Rate, b: Rate): Rate {
  const increase = toFinite(a.increase + b.increase);
  return { from: a.from, to: b.to, increase, rate: perSecond(increase, b.to - a.from) };
}

export function perSecond(increase: number, ms: number): number {
  return toFinite((increase / ms) * 1_000);
}
