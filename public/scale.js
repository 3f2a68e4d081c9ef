// Generated from src/core/text/scale.ts by `npm run vendor`. Do not edit.
// @ts-nocheck
import { isBytes } from "./format.js";
const MAX_MULTIPLE = 2 ** 52;
const LEAST_STEP = Number.MIN_VALUE;
export function scaleOf(least, most, unit, count = 4) {
  if (least === most) {
    const pad = Math.abs(least) / 10 || 1;
    const low2 = Math.max(-Number.MAX_VALUE, least - pad);
    const high2 = Math.min(Number.MAX_VALUE, least + pad);
    return { low: low2, high: high2, ticks: [least + 0], step: constantStep(least, unit) };
  }
  const width = Math.max(LEAST_STEP, most / count - least / count);
  const multiple = isBytes(unit) ? binaryMultiples(width) : decimalMultiples(width);
  const first = firstAtOrBelow(least, multiple);
  const last = -firstAtOrBelow(-most, multiple);
  const ticks = Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, index) => multiple(first + index)
  );
  const [low = least, high = most] = [ticks[0], ticks.at(-1)];
  const isRound = Math.max(Math.abs(first), Math.abs(last)) <= MAX_MULTIPLE;
  return isRound && Number.isFinite(low) && Number.isFinite(high) ? { low, high, ticks, step: multiple(1) } : { low: least, high: most, ticks: [least, most], step: endStep(least, most, unit) };
}
function decimalMultiples(width) {
  const exponent = Math.floor(Math.log10(width));
  const digit = [1, 2, 5].find((each) => Number(`${each}e${exponent}`) >= width * 0.999);
  const [digits, power2] = digit === void 0 ? [1, exponent + 1] : [digit, exponent];
  return (times) => Number(`${times * digits}e${power2}`) + 0;
}
function binaryMultiples(width) {
  const step = Math.max(LEAST_STEP, 2 ** Math.ceil(Math.log2(width)));
  return (times) => times * step + 0;
}
function firstAtOrBelow(value, multiple) {
  let times = Math.floor(value / multiple(1)) + 0;
  if (multiple(times) > value) times--;
  else if (multiple(times + 1) <= value) times++;
  return times;
}
export function logScaleOf(least, most, unit, count = 5) {
  const close = isBytes(unit) ? void 0 : closeLogTicks(least, most, count);
  if (close)
    return { low: close[0] ?? least, high: close.at(-1) ?? most, ticks: close, step: void 0 };
  const base = isBytes(unit) ? 2 : 10;
  const logOf = base === 2 ? Math.log2 : Math.log10;
  let first = Math.floor(logOf(least));
  if (base ** first > least) first--;
  let last = Math.ceil(logOf(most));
  if (base ** last < most) last++;
  const stride = Math.max(1, Math.ceil((last - first) / count));
  const steps = Math.max(1, Math.ceil((last - first) / stride));
  const ticks = Array.from(
    { length: steps + 1 },
    (_, index) => Math.min(Number.MAX_VALUE, power(base, first + index * stride))
  );
  const [low = least, high = most] = [ticks[0], ticks.at(-1)];
  return { low, high, ticks, step: void 0 };
}
function closeLogTicks(least, most, count) {
  const [first, last] = [Math.floor(Math.log10(least)) - 1, Math.ceil(Math.log10(most)) + 1];
  if (last - first > count + 2) return void 0;
  const all = Array.from(
    { length: last - first + 1 },
    (_, index) => [1, 2, 5].map((digit) => Number(`${digit}e${first + index}`))
  ).flat();
  const usable = all.filter((tick) => tick > 0 && Number.isFinite(tick));
  const from = usable.filter((tick) => tick <= least).length - 1;
  const to = usable.findIndex((tick, index) => tick >= most && index > from);
  return from >= 0 && to >= 0 && to - from <= count ? usable.slice(from, to + 1) : void 0;
}
function power(base, exponent) {
  const value = base === 2 ? 2 ** exponent : Number(`1e${exponent}`);
  return Math.max(LEAST_STEP, value);
}
export function logShareOf(value, low, high) {
  return shareOf(Math.log(value), Math.log(low), Math.log(high));
}
export function shareOf(value, low, high) {
  if (low === high) return 0.5;
  const width = high - low;
  if (Number.isFinite(width)) return (value - low) / width;
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}
const END_PART = 1 / 100;
const CONSTANT_PART = 1e-8;
export function endStep(least, most, unit) {
  if (least === most) return constantStep(least, unit);
  return Math.max(LEAST_STEP, most * END_PART - least * END_PART);
}
function constantStep(value, unit) {
  return isBytes(unit) ? void 0 : Math.max(LEAST_STEP, Math.abs(value) * CONSTANT_PART);
}
export function distinctStep(values) {
  const sorted = Float64Array.from(values).sort();
  let step;
  for (let i = 1; i < sorted.length; i++) {
    const difference = (sorted[i] ?? 0) - (sorted[i - 1] ?? 0);
    if (difference > 0 && (step === void 0 || difference < step)) step = difference;
  }
  return step;
}
export function stepBeside(value, others) {
  let step;
  for (const other of others) {
    const difference = Math.abs(other - value);
    if (difference > 0 && (step === void 0 || difference < step)) step = difference;
  }
  return step;
}
export function finerStep(a, b) {
  return a === void 0 || b === void 0 ? a ?? b : Math.min(a, b);
}
const SECOND = 1e3;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR)
];
export function timeTicks(from, to, count = 6) {
  const least = Math.max(1, (to - from) / count);
  const step = STEPS.find((each) => each >= least && least >= SECOND) ?? (least < SECOND ? decimalMultiples(least)(1) : DAY * decimalMultiples(least / DAY)(1));
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step + 0);
}
