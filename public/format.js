// Generated from src/core/format.ts by `npm run vendor`. Do not edit.
// @ts-nocheck
const MINUS = "\u2212";
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECOND_UNITS = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "\xB5s"],
  [1e-9, "ns"]
];
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
export function formatBytes(bytes) {
  if (bytes < 0) return MINUS + formatBytes(-bytes);
  let size = bytes;
  let unit = 0;
  while (size >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = unit === 0 || size >= 1e3 ? Math.round(size) : Number(size.toPrecision(3));
  return `${digits} ${BYTE_UNITS[unit]}`;
}
export function formatNumber(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return WITH_COMMAS.format(value);
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (size >= 1e3) return WITH_COMMAS.format(Math.round(value));
  return String(Number(value.toPrecision(4)));
}
export function formatQuantity(value, unit = "") {
  const name = unit.toLowerCase();
  if (name === "bytes" || name === "byte" || name === "b") return formatBytes(value);
  if (name === "seconds" || name === "second" || name === "s") return formatSeconds(value);
  if (Object.hasOwn(SYMBOLS, name)) return `${formatNumber(value)} ${SYMBOLS[name]}`;
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}
export function formatTick(value, unit = "") {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return formatQuantity(value, isShort ? unit : "");
}
function formatSeconds(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [scale, unit] = SECOND_UNITS.find(([least]) => size >= least) ?? [1e-9, "ns"];
  return `${formatNumber(value / scale)} ${unit}`;
}
export function formatCount(count, singular, plural = `${singular}s`) {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}
