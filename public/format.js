// Generated from src/core/text/format.ts by `npm run vendor`. Do not edit.
// @ts-nocheck
const MINUS = "\u2212";
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECOND_UNITS = [
  [0, "s"],
  [3, "ms"],
  [6, "\xB5s"],
  [9, "ns"]
];
const MAX_POSITIONAL = 1e15;
const MIN_POSITIONAL = 1e-4;
const POSITIONAL_DIGITS = 15;
const POSITIONAL_ZEROS = 6;
const SIGNIFICANT = 4;
const MAX_DIGITS = 17;
const MAX_EXPONENT = 308;
const SMALLEST_BYTE_STEP = 0.01;
const SYMBOLS = {
  percent: "%",
  "%": "%",
  celsius: "\xB0C",
  "\xB0c": "\xB0C",
  fahrenheit: "\xB0F",
  "\xB0f": "\xB0F"
};
const WITH_COMMAS = new Intl.NumberFormat("en-US");
export function formatDuration(ms) {
  if (ms < 0) return MINUS + formatDuration(-ms);
  if (ms > 0 && ms < 0.5) return "< 1 ms";
  if (Math.round(ms) < 1e3) return `${Math.round(ms)} ms`;
  if (ms < 9995) return `${Number((ms / 1e3).toFixed(2))} s`;
  if (ms < 59950) return `${Number((ms / 1e3).toFixed(1))} s`;
  const seconds = Math.round(ms / 1e3);
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}
function twoUnits(large, largeUnit, small, smallUnit) {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
export function formatAge(ms) {
  const seconds = ms / 1e3;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}
export function formatBytes(bytes, step) {
  if (bytes < 0) return MINUS + formatBytes(-bytes, step);
  let unit = 0;
  while (bytes / 1024 ** unit >= 1023.5 && unit < BYTE_UNITS.length - 1) unit++;
  if (step === void 0) {
    const size = bytes / 1024 ** unit;
    if (size >= MAX_POSITIONAL || size > 0 && size < MIN_POSITIONAL)
      return `${formatNumber(size)} ${BYTE_UNITS[unit]}`;
    const digits = size >= 1e3 ? Math.round(size) : Number(size.toPrecision(3));
    return `${digits} ${BYTE_UNITS[unit]}`;
  }
  while (unit > 0 && step / 1024 ** unit < SMALLEST_BYTE_STEP && bytes / 1024 ** (unit - 1) < MAX_POSITIONAL)
    unit--;
  return `${formatNumber(bytes / 1024 ** unit, step / 1024 ** unit)} ${BYTE_UNITS[unit]}`;
}
export function formatNumber(value, step) {
  const size = Math.abs(value);
  if (Number.isSafeInteger(value)) return WITH_COMMAS.format(value + 0);
  if (step === void 0) {
    if (size >= 1e9 || size < MIN_POSITIONAL) return value.toExponential(2).replace("e+", "e");
    if (size >= 1e3) return WITH_COMMAS.format(Math.round(value));
    return String(Number(value.toPrecision(4)));
  }
  return formatShifted(value, 0, step);
}
export function formatQuantity(value, unit = "", step) {
  const name = unit.toLowerCase();
  if (isBytes(unit)) return formatBytes(value, step);
  if (name === "seconds" || name === "second" || name === "s") return formatSeconds(value, step);
  const number = formatNumber(value, step);
  if (Object.hasOwn(SYMBOLS, name)) return `${number} ${SYMBOLS[name]}`;
  return unit === "" ? number : `${number} ${unit}`;
}
export function isBytes(unit) {
  return /^(bytes?|b)$/i.test(unit);
}
export function formatTick(value, unit = "", step) {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return formatQuantity(value, isShort ? unit : "", step);
}
function formatSeconds(value, step) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [shift, unit] = SECOND_UNITS.find(([places]) => size >= Number(`1e-${places}`)) ?? [
    9,
    "ns"
  ];
  if (step === void 0) return `${formatNumber(value * 10 ** shift)} ${unit}`;
  return `${formatShifted(value, shift, step)} ${unit}`;
}
function formatShifted(value, shift, step) {
  if (value === 0) return "0";
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  const first = exponentOf(size);
  const last = Math.min(
    exponentOf(step) - (isPowerOfTen(step) ? 1 : 0),
    first - SIGNIFICANT + 1,
    first + shift < POSITIONAL_DIGITS ? -shift : MAX_EXPONENT
  );
  const rounded = size.toExponential(Math.min(MAX_DIGITS, first - last));
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
function decimals(digits) {
  const shown = digits.replace(/0+$/, "");
  return shown && `.${shown}`;
}
function exponentOf(size) {
  if (size === Infinity) return MAX_EXPONENT;
  return Number(size.toExponential().split("e")[1]);
}
function isPowerOfTen(step) {
  return /^1(\.0{6,}|e|$)/.test(step.toExponential());
}
export function formatCount(count, singular, plural = `${singular}s`) {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}
export function formatZone(minutes) {
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? MINUS : "+"}${Math.floor(size / 60)}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
}
