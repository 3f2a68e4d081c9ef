/**
 * The one formatter of durations, bytes and numbers, for pages, the CLI and API texts. public/format.js is generated from this
 * file for browser scripts (`npm run vendor`), so it imports nothing.
 */

const MINUS = "−";
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
/** Each with the decimal places by which it shifts seconds. */
const SECOND_UNITS: [number, string][] = [
  [0, "s"],
  [3, "ms"],
  [6, "µs"],
  [9, "ns"],
];

/** Numbers outside of these are written with an exponent. */
const MAX_POSITIONAL = 1e15;
const MIN_POSITIONAL = 1e-4;
const POSITIONAL_DIGITS = 15;
const POSITIONAL_ZEROS = 6;
/** Digits that a number has at least, if it is not shorter. */
const SIGNIFICANT = 4;
/** Digits after the first that two neighbouring doubles of any size need to differ. */
const MAX_DIGITS = 17;
/** The decimal exponent of the largest double. */
const MAX_EXPONENT = 308;
/** A step that is a smaller part of a unit of bytes is shown in the unit below. */
const SMALLEST_BYTE_STEP = 0.01;

/** Units that have a symbol, by the spellings that programs use. */
const SYMBOLS: Record<string, string> = {
  percent: "%",
  "%": "%",
  celsius: "°C",
  "°c": "°C",
  fahrenheit: "°F",
  "°f": "°F",
};

/** Kept, because creating one takes longer than rendering a table row. */
const WITH_COMMAS = new Intl.NumberFormat("en-US");

/** Milliseconds in at most two units: "< 1 ms", "840 ms", "1.25 s", "12.4 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function formatDuration(ms: number): string {
  if (ms < 0) return MINUS + formatDuration(-ms);
  if (ms > 0 && ms < 0.5) return "< 1 ms";
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${Number((ms / 1_000).toFixed(2))} s`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`; // a larger value would round to 60
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return twoUnits(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** How long ago, in one unit: "just now", "12 s ago", "3 min ago", "2 h ago", "4 d ago". */
export function formatAge(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/**
 * Bytes in powers of 1,024: "512 B", "1.5 KiB", "64 MiB". With a `step` (see formatNumber) in a unit of which it is not too small a part:
 * "8,192.06 MiB", not "8.00006 GiB".
 */
export function formatBytes(bytes: number, step?: number): string {
  if (bytes < 0) return MINUS + formatBytes(-bytes, step);
  // From 1,023.5 on a value would round to 1,024 of its unit.
  let unit = 0;
  while (bytes / 1_024 ** unit >= 1_023.5 && unit < BYTE_UNITS.length - 1) unit++;
  if (step === undefined) {
    const size = bytes / 1_024 ** unit;
    if (size >= MAX_POSITIONAL || (size > 0 && size < MIN_POSITIONAL))
      return `${formatNumber(size)} ${BYTE_UNITS[unit]}`;
    const digits = size >= 1_000 ? Math.round(size) : Number(size.toPrecision(3));
    return `${digits} ${BYTE_UNITS[unit]}`;
  }
  while (
    unit > 0 &&
    step / 1_024 ** unit < SMALLEST_BYTE_STEP &&
    bytes / 1_024 ** (unit - 1) < MAX_POSITIONAL
  )
    unit--;
  // Division by a power of two is exact.
  return `${formatNumber(bytes / 1_024 ** unit, step / 1_024 ** unit)} ${BYTE_UNITS[unit]}`;
}

/**
 * Integers with separators ("1,204"); other numbers to four significant digits. With a `step`, to so many digits that two values which
 * differ by it are written differently.
 */
export function formatNumber(value: number, step?: number): string {
  const size = Math.abs(value);
  if (Number.isSafeInteger(value)) return WITH_COMMAS.format(value + 0); // not -0
  if (step === undefined) {
    if (size >= 1e9 || size < MIN_POSITIONAL) return value.toExponential(2).replace("e+", "e");
    if (size >= 1e3) return WITH_COMMAS.format(Math.round(value));
    return String(Number(value.toPrecision(4)));
  }
  return formatShifted(value, 0, step);
}

/** A metric's value with its unit: "412 MiB", "1.25 ms", "87.4 %", "8 threads". `step` as in formatNumber. */
export function formatQuantity(value: number, unit = "", step?: number): string {
  const name = unit.toLowerCase();
  if (isBytes(unit)) return formatBytes(value, step);
  if (name === "seconds" || name === "second" || name === "s") return formatSeconds(value, step);
  const number = formatNumber(value, step);
  if (Object.hasOwn(SYMBOLS, name)) return `${number} ${SYMBOLS[name]}`;
  return unit === "" ? number : `${number} ${unit}`;
}

export function isBytes(unit: string): boolean {
  return /^(bytes?|b)$/i.test(unit);
}

/** The same for an axis label, which has room for a symbol only: "64 MiB", but "8" of "8 threads". */
export function formatTick(value: number, unit = "", step?: number): string {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return formatQuantity(value, isShort ? unit : "", step);
}

function formatSeconds(value: number, step?: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [shift, unit] = SECOND_UNITS.find(([places]) => size >= Number(`1e-${places}`)) ?? [
    9,
    "ns",
  ];
  if (step === undefined) return `${formatNumber(value * 10 ** shift)} ${unit}`;
  return `${formatShifted(value, shift, step)} ${unit}`;
}

/**
 * `value` times 10^`shift`, with the digits that `step` needs and at least SIGNIFICANT. It moves the decimal point of the exact digits,
 * because a multiplication would round.
 */
function formatShifted(value: number, shift: number, step: number): string {
  if (value === 0) return "0";
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  // The decimal exponents of the first and of the last digit.
  const first = exponentOf(size);
  const last = Math.min(
    exponentOf(step) - (isPowerOfTen(step) ? 1 : 0),
    first - SIGNIFICANT + 1,
    first + shift < POSITIONAL_DIGITS ? -shift : MAX_EXPONENT,
  );
  const rounded = size.toExponential(Math.min(MAX_DIGITS, first - last));
  // The largest doubles may be rounded up to a number that is none.
  const shown = Number.isFinite(Number(rounded)) ? rounded : size.toExponential();
  const [digits = "0", exponent = "0"] = shown.replace(".", "").split("e");
  const point = Number(exponent) + shift + 1;
  if (point > POSITIONAL_DIGITS || point < -POSITIONAL_ZEROS) {
    return `${sign}${digits[0]}${decimals(digits.slice(1))}e${point - 1}`;
  }
  const padded = digits.padEnd(point, "0");
  const whole = point > 0 ? padded.slice(0, point) : "0";
  const fraction = point > 0 ? padded.slice(point) : "0".repeat(-point) + padded;
  return `${sign}${whole.replace(/\B(?=(?:\d{3})+$)/g, ",")}${decimals(fraction)}`;
}

/** Without zeros at the end. */
function decimals(digits: string): string {
  const shown = digits.replace(/0+$/, "");
  return shown && `.${shown}`;
}

/** The decimal exponent of the first digit, exactly: Math.log10 rounds. */
function exponentOf(size: number): number {
  if (size === Infinity) return MAX_EXPONENT;
  return Number(size.toExponential().split("e")[1]);
}

/** Differences that are a power of ten may have been rounded up to it. */
function isPowerOfTen(step: number): boolean {
  return /^1(\.0{6,}|e|$)/.test(step.toExponential());
}

/** "1 event", "1,204 events". */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** A time zone by its offset from UTC, because abbreviations such as CST are ambiguous: "UTC", "UTC+1", "UTC−3:30". */
export function formatZone(minutes: number): string {
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? MINUS : "+"}${Math.floor(size / 60)}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
}
