/** Numbers as an instrument shows them: few digits, with their unit. public/quantity.js says the same in the browser; a test compares them. */

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECONDS: [number, string][] = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

/** Units that have a sign, by how programs write them. */
const SIGNS: Record<string, string> = {
  percent: "%",
  "%": "%",
  celsius: "°C",
  "°c": "°C",
  fahrenheit: "°F",
  "°f": "°F",
};

/** Kept, because making one takes longer than drawing a row of a table. */
const WITH_COMMAS = new Intl.NumberFormat("en-US");

/** "412 MiB", "1.25 ms", "87.4 %", "1,204". */
export function quantity(value: number, unit = ""): string {
  const word = unit.toLowerCase();
  if (word === "bytes" || word === "byte" || word === "b") return bytes(value);
  if (word === "seconds" || word === "second" || word === "s") return seconds(value);
  if (Object.hasOwn(SIGNS, word)) return `${digits(value)} ${SIGNS[word]}`;
  return unit === "" ? digits(value) : `${digits(value)} ${unit}`;
}

/** For a scale's ends, where there is no room for words: "64 MiB", but "8" of "8 threads". */
export function mark(value: number, unit = ""): string {
  const isShort = /^(bytes?|b|seconds?|s|percent|%|°[cf]|celsius|fahrenheit)$/i.test(unit);
  return quantity(value, isShort ? unit : "");
}

/** Whole numbers with separators; others to four significant digits. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return WITH_COMMAS.format(value);
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (size >= 1_000) return WITH_COMMAS.format(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

export function bytes(value: number): string {
  let size = Math.abs(value);
  let step = 0;
  while (size >= 1_024 && step < BYTES.length - 1) {
    size /= 1_024;
    step++;
  }
  const shown = step === 0 ? Math.round(size) : Number(size.toPrecision(3));
  return `${value < 0 ? "−" : ""}${shown} ${BYTES[step]}`;
}

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  const [scale, unit] = SECONDS.find(([least]) => size >= least) ?? [1e-9, "ns"];
  return `${digits(value / scale)} ${unit}`;
}

/** "1 event", "1,204 events". */
export function many(count: number, singular: string, plural = `${singular}s`): string {
  return `${digits(count)} ${count === 1 ? singular : plural}`;
}
