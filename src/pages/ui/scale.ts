/** The ticks of an axis: round numbers. */

type Scale = { low: number; high: number; ticks: number[] };

/** From the round number below the values to the one above, with about `count` steps. A constant has one tick. */
export function scaleOf(least: number, most: number, unit: string, count = 4): Scale {
  if (least === most) {
    const pad = Math.abs(least) / 10 || 1;
    return { low: least - pad, high: least + pad, ticks: [least] };
  }
  const step = isBytes(unit)
    ? 2 ** Math.ceil(Math.log2((most - least) / count))
    : roundStep((most - least) / count);
  const first = Math.floor(least / step);
  const last = Math.ceil(most / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    cleaned((first + index) * step),
  );
  return { low: first * step, high: last * step, ticks };
}

function isBytes(unit: string): boolean {
  return /^(bytes?|b)$/i.test(unit);
}

/** The least of 1, 2, 5, 10, … that is not smaller. */
function roundStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  return decade * ([1, 2, 5].find((each) => each * decade >= least * 0.999) ?? 10);
}

/** Removes floating-point errors (0.30000000000000004) and the sign of -0. */
function cleaned(value: number): number {
  return Number(value.toPrecision(12)) + 0;
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
    (least < SECOND ? roundStep(least) : DAY * roundStep(least / DAY));
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(cleaned(at));
  return ticks;
}
