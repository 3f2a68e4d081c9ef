/** An independent reference for statistics: exact arithmetic with integers, after every double was multiplied by 2^1074. */

const LEAST_EXPONENT = 1_074;

/** A double as a whole number of the smallest double. */
function wholeOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const size = exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1);
  return bits >> 63n === 1n ? -size : size;
}

/** The double nearest to numerator / denominator / 2^1074. */
function doubleOf(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -doubleOf(-numerator, denominator);
  if (numerator === 0n) return 0;
  const bits = numerator.toString(2).length - denominator.toString(2).length;
  const shift = BigInt(Math.max(0, 64 - bits));
  const quotient = (numerator << shift) / denominator; // at least 63 bits
  const surplus = Math.max(0, quotient.toString(2).length - 64);
  return scaled(Number(quotient >> BigInt(surplus)), surplus - Number(shift) - LEAST_EXPONENT);
}

/** value × 2^exponent, whose steps do not overflow. */
function scaled(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

export function exactMean(values: number[]): number {
  return doubleOf(
    values.reduce((sum, value) => sum + wholeOf(value), 0n),
    BigInt(values.length),
  );
}

/** The population's standard deviation. */
export function exactDeviation(values: number[]): number {
  const all = values.map(wholeOf);
  const count = BigInt(values.length);
  const sum = all.reduce((total, each) => total + each, 0n);
  const squares = all.reduce((total, each) => total + each * each, 0n);
  const variance = count * squares - sum * sum; // times count²
  return doubleOf(root(variance << 128n), count << 64n);
}

/** The whole square root. */
function root(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** The quantile that interpolates linearly between ranks: numpy's default, R-7. */
export function exactQuantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = share * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? NaN;
  const high = sorted[Math.ceil(rank)] ?? NaN;
  const part = rank - Math.floor(rank);
  return low * (1 - part) + high * part;
}
