/**
 * What distinguishes one run from good ones, or a group of runs from the others: each with its counts and with how unlikely it is by chance.
 *
 * An attribute has values in each run: the version one, the tags and the path of a state many. Where the list of a run is incomplete,
 * that run is not counted for this attribute, so that nothing is called missing that may have been there.
 *
 * One run against others: if it were a run like the others, each of them all would be as likely to be the odd one. So the probability of
 * an attribute is the share of runs, this one included, whose rarest value is as rare as its value. A path in which every run has a value
 * of its own, such as a process id, therefore does not stand out. Of n others, none can be less likely than 1 / (n + 1).
 *
 * Groups: Fisher's exact test for each value, Mann–Whitney for figures, and `adjusted` for the number of tests (significance.ts).
 */
import { MIN_OTHERS, SIGNIFICANT } from "../limits.ts";
import { adjusted, fisher, leastFisher, mannWhitney, type Share } from "./significance.ts";
import type { MetricType } from "../vocabulary.ts";

const DISTINCTION_KINDS = [
  "version",
  "state_value",
  "tag",
  "os",
  "language",
  "browser",
  "machine",
  "figure",
  "event",
  "state_path",
  "metric",
  "exception",
] as const;
export type DistinctionKind = (typeof DISTINCTION_KINDS)[number];

/** Attributes whose absence is worth a row: a run without them did not get that far, or took another way. */
const MAY_LACK: readonly Attribute[] = ["tag", "event", "state_path", "metric"];

/** A kind, or `state_value` with its path. */
type Attribute = string;

export function valueAttribute(path: string): Attribute {
  return `state_value ${path}`;
}

/** `label`: what people read instead of the value. `seq`: its op in the session. */
export type Held = { after: number; label?: string; seq?: number };

export type Figure = {
  name: string;
  tags: string[];
  unit: string;
  type: MetricType | null;
  statistic: Statistic;
  value: number;
};
type Statistic = "mean" | "minimum" | "maximum" | "rate" | "value";

/** What is compared of one session. Times are milliseconds after its start. */
export type Run = {
  id: string;
  createdAt: number;
  ranMs: number;
  attributes: Map<Attribute, Map<string, Held>>;
  /** Attributes of which it may have had more values than these. */
  incomplete: (attribute: Attribute) => boolean;
  /** By series and statistic. */
  figures: Map<string, Figure>;
};

export type Distinction = {
  kind: DistinctionKind;
  /** Of the tag, event, metric or path; of an exception its fingerprint; else "". */
  name: string;
  /** The value of a version, machine, …; of a state path its text (core/state/values.ts). */
  value: string | null;
  label: string | null;
  /** Whether these runs have it more often than the others, or less; or a higher or lower figure. */
  change: "more" | "less" | "higher" | "lower";
  these: Share;
  others: Share;
  /** One run: the time in which it had to occur to be counted, which is how long this run lasted. */
  within_ms?: number;
  /** Of figures: this run's value or the median of these runs, and the range and median of the others. */
  figure?: Omit<Figure, "value" | "name"> & {
    value: number;
    least: number;
    most: number;
    median: number;
  };
  /** How unlikely it is by chance. */
  p: number;
  /** The same, corrected for the number of attributes and figures that were compared. */
  adjusted: number;
  /** One run: when it first had it, and in which op. */
  at?: number;
  seq?: number;
};

/** Why something was not compared. */
type NotCompared = "incomplete" | "few_others";

export type Comparison = {
  items: Distinction[];
  /** How many attributes and figures were compared. */
  tested: number;
  /** How many were not, by reason. */
  not_compared: { [reason in NotCompared]: number };
};

/** A candidate, and how clearly it stands out among those that are as unlikely: from 0 to 1. */
type Found = { distinction: Distinction; strength: number };

/** What distinguishes one run from the others, the most unlikely first. */
export function distinguishRun(run: Run, others: readonly Run[]): Comparison {
  const tests: Found[][] = [];
  const not_compared = { incomplete: 0, few_others: 0 };
  const test = (attribute: Attribute, search: (known: Run[]) => Found[]) => {
    const known = others.filter((other) => !other.incomplete(attribute));
    if (known.length >= MIN_OTHERS) tests.push(search(known));
    else if (others.length >= MIN_OTHERS) not_compared.incomplete++;
    else not_compared.few_others++;
  };

  for (const attribute of run.attributes.keys())
    test(attribute, (known) => rareValues(attribute, run, known));
  for (const attribute of overflowed(run, others)) {
    if (!run.attributes.has(attribute)) not_compared.incomplete++;
  }
  for (const attribute of MAY_LACK) {
    if (run.incomplete(attribute)) not_compared.incomplete++;
    else test(attribute, (known) => missingValues(attribute, run, known));
  }
  for (const [key, figure] of run.figures) {
    const figures = others.flatMap((other) => other.figures.get(key)?.value ?? []);
    if (figure.statistic === "value" && areIdentifiers(figures)) continue;
    if (figures.length >= MIN_OTHERS) tests.push([outlier(run, figure, figures)]);
    else not_compared.few_others++;
  }
  return { ...ranked(tests), not_compared };
}

/** Paths that have too many values in this run or in one of the others to be listed. */
function overflowed(run: Run, others: readonly Run[]): Set<Attribute> {
  const paths = [run, ...others].flatMap((each) => [...each.attributes.keys()]);
  return new Set(paths.filter((attribute) => run.incomplete(attribute)));
}

/** Values of this run that few others have. */
function rareValues(attribute: Attribute, run: Run, others: Run[]): Found[] {
  const own = run.attributes.get(attribute) ?? new Map<string, Held>();
  const elsewhere = countsOf(attribute, others);
  const countOf = (value: string) => (elsewhere.get(value) ?? 0) + Number(own.has(value));
  const rarest = [run, ...others].map((each) => {
    let least = Infinity;
    for (const value of each.attributes.get(attribute)?.keys() ?? [])
      least = Math.min(least, countOf(value));
    return least;
  });
  const commonest = Math.max(0, ...elsewhere.values());
  return [...own].map(([value, held]) => {
    const count = countOf(value);
    const asRare = rarest.filter((each) => each <= count).length;
    const distinction: Distinction = {
      ...named(attribute, value, held),
      change: "more",
      these: { had: 1, of: 1 },
      others: { had: count - 1, of: others.length },
      p: asRare / (others.length + 1),
      adjusted: 1,
      at: run.createdAt + held.after,
      seq: held.seq,
    };
    return { distinction, strength: commonest / others.length };
  });
}

/** Values that this run lacks, of those that most others had in as much time. */
function missingValues(attribute: Attribute, run: Run, others: Run[]): Found[] {
  const within = (each: Run) =>
    [...(each.attributes.get(attribute) ?? [])].filter(([, { after }]) => after <= run.ranMs);
  const all = [run, ...others].map((each) => new Map(within(each)));
  const counts = new Map<string, { count: number; held: Held }>();
  for (const values of all) {
    for (const [value, held] of values) {
      const { count } = counts.get(value) ?? { count: 0 };
      counts.set(value, { count: count + 1, held });
    }
  }
  const commonestFirst = [...counts].sort((a, b) => b[1].count - a[1].count);
  const lacked = all.map(
    (values) => commonestFirst.find(([value]) => !values.has(value))?.[1].count ?? 0,
  );
  const own = run.attributes.get(attribute);
  return commonestFirst
    .filter(([value]) => !own?.has(value))
    .map(([value, { count, held }]) => {
      const distinction: Distinction = {
        ...named(attribute, value, held),
        change: "less",
        these: { had: 0, of: 1 },
        others: { had: count, of: others.length },
        within_ms: run.ranMs,
        p: lacked.filter((each) => each >= count).length / (others.length + 1),
        adjusted: 1,
      };
      return { distinction, strength: count / others.length };
    });
}

/** A figure by its distance from the median of all: as unlikely as the share of runs that are as far from it. */
function outlier(run: Run, { value, name, ...figure }: Figure, others: number[]): Found {
  const middle = medianOf([value, ...others]);
  const distance = Math.abs(value - middle);
  const asFar = others.filter((other) => Math.abs(other - middle) >= distance).length + 1;
  const [least, most] = [Math.min(...others), Math.max(...others)];
  const outside = Math.max(0, value - most, least - value);
  const distinction: Distinction = {
    kind: figure.statistic === "value" ? "state_value" : "figure",
    name,
    value: null,
    label: null,
    change: value < middle ? "lower" : "higher",
    these: { had: 1, of: 1 },
    others: { had: asFar - 1, of: others.length },
    figure: { ...figure, value, least, most, median: medianOf(others) },
    p: asFar / (others.length + 1),
    adjusted: 1,
  };
  return { distinction, strength: outside === 0 ? 0 : outside / (outside + most - least) };
}

/** What distinguishes these runs from the others, the most unlikely first. `isAsked`: what defines the groups, and is not compared. */
export function distinguishGroups(
  these: readonly Run[],
  others: readonly Run[],
  isAsked: (distinction: Pick<Distinction, "kind" | "name" | "value">) => boolean = () => false,
): Comparison {
  const tests: Found[][] = [];
  const not_compared = { incomplete: 0, few_others: 0 };
  const attributes = new Set([...these, ...others].flatMap((run) => [...run.attributes.keys()]));
  for (const attribute of attributes) {
    const isKnown = (run: Run) => !run.incomplete(attribute);
    const [known, knownOthers] = [these.filter(isKnown), others.filter(isKnown)];
    if (Math.min(known.length, knownOthers.length) < MIN_OTHERS) {
      const isFew = Math.min(these.length, others.length) < MIN_OTHERS;
      not_compared[isFew ? "few_others" : "incomplete"]++;
      continue;
    }
    for (const found of shares(attribute, known, knownOthers)) {
      if (!isAsked(found.distinction)) tests.push([found]);
    }
  }
  for (const [key, figure] of new Map([...these, ...others].flatMap((run) => [...run.figures]))) {
    const valuesOf = (runs: readonly Run[]) =>
      runs.flatMap((run) => run.figures.get(key)?.value ?? []);
    const [values, otherValues] = [valuesOf(these), valuesOf(others)];
    if (figure.statistic === "value" && areIdentifiers(otherValues)) continue;
    if (Math.min(values.length, otherValues.length) < MIN_OTHERS) not_compared.few_others++;
    else tests.push([shifted(figure, values, otherValues)]);
  }
  return { ...ranked(tests), not_compared };
}

/**
 * Numbers in the state of which most runs have one of their own: ids, times or counters. Many of them increase from run to run, so that
 * the newest run would always be the odd one.
 */
function areIdentifiers(values: number[]): boolean {
  return new Set(values).size > values.length / 2;
}

/** How many of each group have each value of the attribute, of those values that can be significant at all. */
function shares(attribute: Attribute, these: Run[], others: Run[]): Found[] {
  const own = countsOf(attribute, these);
  const elsewhere = countsOf(attribute, others);
  // By how many have a value: most values of a path with a value of its own in each run have the same.
  const leasts = new Map<number, number>();
  const example = new Map(
    [...these, ...others].flatMap((run) => [...(run.attributes.get(attribute) ?? [])]),
  );
  return [...example].flatMap(([value, held]) => {
    const one = { had: own.get(value) ?? 0, of: these.length };
    const other = { had: elsewhere.get(value) ?? 0, of: others.length };
    // The margins alone decide this, so leaving these out does not favour what is left.
    const had = one.had + other.had;
    const least = leasts.get(had) ?? leastFisher(one, other);
    leasts.set(had, least);
    if (least > SIGNIFICANT) return [];
    const difference = one.had / one.of - other.had / other.of;
    const distinction: Distinction = {
      ...named(attribute, value, held),
      change: difference < 0 ? "less" : "more",
      these: one,
      others: other,
      p: fisher(one, other),
      adjusted: 1,
    };
    return [{ distinction, strength: Math.abs(difference) }];
  });
}

function shifted({ name, ...figure }: Figure, values: number[], others: number[]): Found {
  const [median, otherMedian] = [medianOf(values), medianOf(others)];
  const [least, most] = [Math.min(...others), Math.max(...others)];
  const distance = Math.abs(median - otherMedian);
  const distinction: Distinction = {
    kind: figure.statistic === "value" ? "state_value" : "figure",
    name,
    value: null,
    label: null,
    change: median < otherMedian ? "lower" : "higher",
    these: { had: values.length, of: values.length },
    others: { had: others.length, of: others.length },
    figure: { ...figure, value: median, least, most, median: otherMedian },
    p: mannWhitney(values, others),
    adjusted: 1,
  };
  return { distinction, strength: distance === 0 ? 0 : distance / (distance + most - least) };
}

function named(
  attribute: Attribute,
  value: string,
  { label }: Held,
): Pick<Distinction, "kind" | "name" | "value" | "label"> {
  const [kind, path] = attribute.startsWith("state_value ")
    ? (["state_value", attribute.slice("state_value ".length)] as const)
    : ([attribute as DistinctionKind, undefined] as const); // as: other attributes are kinds
  const isName = MAY_LACK.includes(kind) || kind === "exception";
  return {
    kind,
    name: path ?? (isName ? value : ""),
    value: isName ? null : value,
    label: label ?? null,
  };
}

function countsOf(attribute: Attribute, runs: readonly Run[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const value of run.attributes.get(attribute)?.keys() ?? [])
      counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** The candidates that stand out, corrected for the number of tests. A test may have several: its smallest value counts. */
function ranked(tests: Found[][]): Pick<Comparison, "items" | "tested"> {
  const tested = tests.filter((found) => found.length > 0);
  const smallest = tested.map((found) =>
    Math.min(...found.map(({ distinction }) => distinction.p)),
  );
  const corrected = adjusted(smallest);
  const all = tested.flatMap((found, index) =>
    found.map(({ distinction, strength }) => {
      const factor = (corrected[index] ?? 1) / (smallest[index] ?? 1);
      return {
        strength,
        distinction: { ...distinction, adjusted: Math.min(1, distinction.p * factor) },
      };
    }),
  );
  // With few others nothing is below the level; then what none of them has is still worth a row.
  const items = all
    .filter(({ distinction: { p, others } }) => p <= Math.max(SIGNIFICANT, leastOf(others)))
    .sort(
      (a, b) =>
        a.distinction.p - b.distinction.p ||
        // What is missing from a run that failed is mostly what it did not get to.
        Number(a.distinction.change === "less") - Number(b.distinction.change === "less") ||
        Number(b.strength >= CLEAR) - Number(a.strength >= CLEAR) ||
        DISTINCTION_KINDS.indexOf(a.distinction.kind) -
          DISTINCTION_KINDS.indexOf(b.distinction.kind) ||
        b.strength - a.strength,
    );
  return {
    items: withoutRepeats(items.map(({ distinction }) => distinction)),
    tested: tested.length,
  };
}

/** From this strength on, those that are equally unlikely are in the order of DISTINCTION_KINDS: what was changed before what it led to. */
const CLEAR = 0.5;

/** The smallest probability that one run among these others can have. */
function leastOf({ of }: Share): number {
  return 1 / (of + 1);
}

/**
 * One row for one series or path: of its statistics and values the first; and none for a path whose value has a row, or for what is less
 * often because another value is there more often.
 */
function withoutRepeats(items: Distinction[]): Distinction[] {
  const seen = new Map<string, Distinction["change"]>();
  const paths = new Set(items.filter(({ kind }) => kind === "state_value").map(({ name }) => name));
  return items.filter(({ kind, name, change, value, figure }) => {
    if (kind === "state_path" && paths.has(name)) return false;
    const isOneValued = value !== null || figure !== undefined;
    if (!isOneValued) return true;
    const subject = JSON.stringify([kind, name, figure?.tags ?? []]);
    const first = seen.get(subject);
    if (first === undefined) seen.set(subject, change);
    return first === undefined || (first === "more" && change === "more");
  });
}

function medianOf(values: number[]): number {
  const inOrder = [...values].sort((a, b) => a - b);
  const middle = inOrder.length / 2;
  const [low = NaN, high = NaN] = [inOrder[Math.ceil(middle) - 1], inOrder[Math.floor(middle)]];
  return low + (high - low) / 2;
}
