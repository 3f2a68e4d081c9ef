/**
 * The one formatter of durations, bytes and numbers, for pages, the CLI and API texts. public/format.js is generated from this
 * file for browser scripts (`npm run vendor`), so it imports nothing.
 */

const MINUS = "−";
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECOND_UNITS: [number, string][] = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

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

/** Milliseconds in at most two units: "840 ms", "1.25 s", "12.4 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function formatDuration(ms: number): string {
  if (ms < 0) return MINUS + formatDuration(-ms);
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

/** Bytes in powers of 1,024: "512 B", "1.5 KiB", "64 MiB". */
export function formatBytes(bytes: number): string {
  if (bytes < 0) return MINUS + formatBytes(-bytes);
  let size = bytes;
  let unit = 0;
  // From 1,023.5 on a value would round to 1,024 of its unit.
  while (size >= 1_023.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1_024;
    unit++;
  }
  const digits = unit === 0 || size >= 1_000 ? Math.round(size) : Number(size.toPrecision(3));
  return `${digits} ${BYTE_UNITS[unit]}`;
}

/** Integers with separators ("1,204"); other numbers to four significant digits. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return WITH_COMMAS.format(value);
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (size >= 1_000) return WITH_COMMAS.format(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

/** A metric's value with its unit: "412 MiB", "1.25 ms", "87.4 %", "8 threads". */
export function formatQuantity(value: number, unit = ""): string {
  const name = unit.toLowerCase();
  if (name === "bytes" || name === "byte" || name === "b") return formatBytes(value);
  if (name === "seconds" || name === "second" || name === "s") return formatSeconds(value);
  if (Object.hasOwn(SYMBOLS, name)) return `${formatNumber(value)} ${SYMBOLS[name]}`;
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** The same for an axis label, which has room for a symbol only: "64 MiB", but "8" of "8 threads". */
export function formatTick(value: number, unit = ""): string {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return formatQuantity(value, isShort ? unit : "");
}

function formatSeconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [scale, unit] = SECOND_UNITS.find(([least]) => size >= least) ?? [1e-9, "ns"];
  return `${formatNumber(value / scale)} ${unit}`;
}

/** "1 event", "1,204 events". */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}
