/** Numbers, durations, sizes and times as people write them in a query. */

export function readNumber(text: string): number | undefined {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i.test(text) ? Number(text) : undefined;
}

const DURATIONS: { [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const SIZES: { [unit: string]: number } = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Milliseconds. */
export function readDuration(text: string): number | undefined {
  return withUnit(text, DURATIONS);
}

/** Bytes. */
export function readSize(text: string): number | undefined {
  return withUnit(text, SIZES);
}

function withUnit(text: string, units: { [unit: string]: number }): number | undefined {
  const [, number = "", unit = ""] = /^(\d+\.?\d*|\.\d+) ?([a-z]*)$/i.exec(text) ?? [];
  const name = unit.toLowerCase();
  if (number === "" || !Object.hasOwn(units, name)) return undefined;
  return Number(number) * (units[name] ?? 1);
}

/** A span of time from `from` to before `to`, in epoch milliseconds: a day, a minute, or one moment. */
export type TimeSpan = { from: number; to: number };

const DAY_MS = 86_400_000;

/** A date, a date with a time, `today`, `yesterday` or `now`. Without a zone they are in UTC. */
export function readTime(text: string, now: number): TimeSpan | undefined {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  if (text === "today") return { from: today, to: today + DAY_MS };
  if (text === "yesterday") return { from: today - DAY_MS, to: today };
  if (text === "now") return { from: now, to: now + 1 };
  if (/^\d{12,16}$/.test(text)) return { from: Number(text), to: Number(text) + 1 };
  const found = TIME.exec(text);
  if (!found) return undefined;
  const [, date = "", clock, seconds, zone] = found;
  const from = Date.parse(
    clock === undefined ? `${date}T00:00:00Z` : `${date}T${clock}${seconds ?? ":00"}${zone ?? "Z"}`,
  );
  if (Number.isNaN(from)) return undefined;
  return { from, to: from + lengthOf(clock, seconds) };
}

/** How long the time lasts that is written to this precision. */
function lengthOf(clock: string | undefined, seconds: string | undefined): number {
  if (clock === undefined) return DAY_MS;
  if (seconds === undefined) return 60_000;
  return seconds.includes(".") ? 1 : 1_000;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;
