/**
 * The scales of charts, in the browser (public/scale.js is generated from this file by `npm run vendor`) and on the server: round ticks,
 * the place of a value between two others, and the step by which values differ. Exact for all finite numbers: a range may be wider
 * than the largest double, and narrower than the difference of two neighbouring ones.
 */
import { isBytes } from "./format.ts";

/** `step` is what formatTick needs to write each tick differently. */
type Scale = { low: number; high: number; ticks: number[]; step: number | undefined };

/** Larger multiples of a step are not exact. */
const MAX_MULTIPLE = 2 ** 52;
/** The smallest positive double. */
const LEAST_STEP = Number.MIN_VALUE;

/**
 * From the round number below the values to the one above, with about `count` steps and at most three ticks more, of which the
 * first and last are the ends. A constant has one tick. Ticks are in ascending order.
 */
export function scaleOf(least: number, most: number, unit: string, count = 4): Scale {
  if (least === most) {
    const pad = Math.abs(least) / 10 || 1;
    const low = Math.max(-Number.MAX_VALUE, least - pad);
    const high = Math.min(Number.MAX_VALUE, least + pad);
    return { low, high, ticks: [least + 0], step: constantStep(least, unit) };
  }
  // Divided first, because the difference may overflow.
  const width = Math.max(LEAST_STEP, most / count - least / count);
  const multiple = isBytes(unit) ? binaryMultiples(width) : decimalMultiples(width);
  const first = firstAtOrBelow(least, multiple);
  const last = -firstAtOrBelow(-most, multiple);
  const ticks = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    multiple(first + index),
  );
  const [low = least, high = most] = [ticks[0], ticks.at(-1)];
  // Neighbouring doubles have no round numbers between them, and the largest ones none around them.
  const isRound = Math.max(Math.abs(first), Math.abs(last)) <= MAX_MULTIPLE;
  return isRound && Number.isFinite(low) && Number.isFinite(high)
    ? { low, high, ticks, step: multiple(1) }
    : { low: least, high: most, ticks: [least, most], step: endStep(least, most, unit) };
}

type Multiples = (times: number) => number;

/** Multiples of the least of 1, 2, 5, 10, … that is not smaller. A multiple is parsed from its digits, so it has no rounding error. */
function decimalMultiples(width: number): Multiples {
  const exponent = Math.floor(Math.log10(width));
  const digit = [1, 2, 5].find((each) => Number(`${each}e${exponent}`) >= width * 0.999);
  const [digits, power] = digit === undefined ? [1, exponent + 1] : [digit, exponent];
  return (times) => Number(`${times * digits}e${power}`) + 0; // not -0
}

function binaryMultiples(width: number): Multiples {
  const step = Math.max(LEAST_STEP, 2 ** Math.ceil(Math.log2(width)));
  return (times) => times * step + 0;
}

function firstAtOrBelow(value: number, multiple: Multiples): number {
  let times = Math.floor(value / multiple(1)) + 0;
  // The quotient is rounded.
  if (multiple(times) > value) times--;
  else if (multiple(times + 1) <= value) times++;
  return times;
}

/**
 * The scale of a logarithmic axis for positive values, with at most `count` steps: from the 1, 2 or 5 times a power of ten below
 * them to the one above; or from a power of ten (of bytes: of two) to another, in equal steps.
 */
export function logScaleOf(least: number, most: number, unit: string, count = 5): Scale {
  const close = isBytes(unit) ? undefined : closeLogTicks(least, most, count);
  if (close)
    return { low: close[0] ?? least, high: close.at(-1) ?? most, ticks: close, step: undefined };
  const base = isBytes(unit) ? 2 : 10;
  const logOf = base === 2 ? Math.log2 : Math.log10;
  // Where the logarithm is rounded to the next power, the value would be outside.
  let first = Math.floor(logOf(least));
  if (base ** first > least) first--;
  let last = Math.ceil(logOf(most));
  if (base ** last < most) last++;
  const stride = Math.max(1, Math.ceil((last - first) / count));
  const steps = Math.max(1, Math.ceil((last - first) / stride));
  const ticks = Array.from({ length: steps + 1 }, (_, index) =>
    Math.min(Number.MAX_VALUE, power(base, first + index * stride)),
  );
  const [low = least, high = most] = [ticks[0], ticks.at(-1)];
  return { low, high, ticks, step: undefined };
}

/** Undefined: they are too many. */
function closeLogTicks(least: number, most: number, count: number): number[] | undefined {
  const [first, last] = [Math.floor(Math.log10(least)) - 1, Math.ceil(Math.log10(most)) + 1];
  if (last - first > count + 2) return undefined;
  const all = Array.from({ length: last - first + 1 }, (_, index) =>
    [1, 2, 5].map((digit) => Number(`${digit}e${first + index}`)),
  ).flat();
  const usable = all.filter((tick) => tick > 0 && Number.isFinite(tick));
  const from = usable.filter((tick) => tick <= least).length - 1;
  const to = usable.findIndex((tick, index) => tick >= most && index > from);
  return from >= 0 && to >= 0 && to - from <= count ? usable.slice(from, to + 1) : undefined;
}

/** A power of ten is parsed from its digits, so it has no rounding error. None is 0, which has no logarithm. */
function power(base: number, exponent: number): number {
  const value = base === 2 ? 2 ** exponent : Number(`1e${exponent}`);
  return Math.max(LEAST_STEP, value);
}

/** Where a positive value is between two others on a logarithmic axis. */
export function logShareOf(value: number, low: number, high: number): number {
  return shareOf(Math.log(value), Math.log(low), Math.log(high));
}

/** Where a value is between two others: 0 at `low`, 1 at `high`; in the middle of a constant. */
export function shareOf(value: number, low: number, high: number): number {
  if (low === high) return 0.5;
  const width = high - low;
  if (Number.isFinite(width)) return (value - low) / width;
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}

/** Part of a range to which its ends are written: they are read as numbers, so it is not enough that they differ. */
const END_PART = 1 / 100;
/** A number without others beside it is written to nine digits. */
const CONSTANT_PART = 1e-8;

/** The step for the ends of a range, which formatQuantity takes. */
export function endStep(least: number, most: number, unit: string): number | undefined {
  if (least === most) return constantStep(least, unit);
  return Math.max(LEAST_STEP, most * END_PART - least * END_PART);
}

/** A size in bytes is written as "94.2 MiB": all digits of it are less clear. */
function constantStep(value: number, unit: string): number | undefined {
  return isBytes(unit) ? undefined : Math.max(LEAST_STEP, Math.abs(value) * CONSTANT_PART);
}

/** The step for values of which each two must be written differently: their smallest difference. Undefined if they are equal. */
export function distinctStep(values: readonly number[]): number | undefined {
  const sorted = Float64Array.from(values).sort();
  let step: number | undefined;
  for (let i = 1; i < sorted.length; i++) {
    const difference = (sorted[i] ?? 0) - (sorted[i - 1] ?? 0);
    if (difference > 0 && (step === undefined || difference < step)) step = difference;
  }
  return step;
}

/** The step by which a value is written differently from each of the others: its distance to the nearest. Undefined if all are equal to it. */
export function stepBeside(value: number, others: readonly number[]): number | undefined {
  let step: number | undefined;
  for (const other of others) {
    const difference = Math.abs(other - value);
    if (difference > 0 && (step === undefined || difference < step)) step = difference;
  }
  return step;
}

/** The smaller of two steps, of which either may be missing. */
export function finerStep(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
];

/** At most `count` round times in the range, in steps of seconds, minutes, hours or days. */
export function timeTicks(from: number, to: number, count = 6): number[] {
  const least = Math.max(1, (to - from) / count);
  const step =
    STEPS.find((each) => each >= least && least >= SECOND) ??
    (least < SECOND ? decimalMultiples(least)(1) : DAY * decimalMultiples(least / DAY)(1));
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step + 0);
}
