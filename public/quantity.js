/** Numbers as src/pages/ui/quantity.ts shows them, for those that change while the page is open. A test compares the two. */

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
/** @type {[number, string][]} */
const SECONDS = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

/** Units that have a sign, by how programs write them. @type {Record<string, string>} */
const SIGNS = { percent: "%", "%": "%", celsius: "°C", "°c": "°C", fahrenheit: "°F", "°f": "°F" };

/** Kept, because making one takes longer than drawing a row of a table. */
const WITH_COMMAS = new Intl.NumberFormat("en-US");

/** @param {number} value @param {string} [unit] */
export function quantity(value, unit = "") {
  const word = unit.toLowerCase();
  if (word === "bytes" || word === "byte" || word === "b") return bytes(value);
  if (word === "seconds" || word === "second" || word === "s") return seconds(value);
  if (Object.hasOwn(SIGNS, word)) return `${digits(value)} ${SIGNS[word]}`;
  return unit === "" ? digits(value) : `${digits(value)} ${unit}`;
}

/** @param {number} value @param {string} [unit] */
export function mark(value, unit = "") {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return quantity(value, isShort ? unit : "");
}

/** @param {number} value */
export function digits(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return WITH_COMMAS.format(value);
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (size >= 1_000) return WITH_COMMAS.format(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

/** @param {number} value */
export function bytes(value) {
  let size = Math.abs(value);
  let step = 0;
  while (size >= 1_024 && step < BYTES.length - 1) {
    size /= 1_024;
    step++;
  }
  const shown = step === 0 ? Math.round(size) : Number(size.toPrecision(3));
  return `${value < 0 ? "−" : ""}${shown} ${BYTES[step]}`;
}

/** @param {number} value */
function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [scale, unit] = SECONDS.find(([least]) => size >= least) ?? [1e-9, "ns"];
  return `${digits(value / scale)} ${unit}`;
}
