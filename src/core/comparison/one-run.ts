/**
 * One run against others: if it were a run like the others, each of them all would be as likely to be the odd one. So the probability of
 * an attribute is the share of runs, this one included, whose rarest value is as rare as its value. A path in which every run has a value
 * of its own, such as a process id, therefore does not stand out. Of n others, none can be less likely than 1 / (n + 1).
 */
import { type Comparison, type Distinction, named } from "./distinctions.ts";
import { clarityOf, type Found, ranked } from "./ranking.ts";
import {
  areIdentifiers,
  type Attribute,
  countsOf,
  type Figure,
  type Held,
  MAY_LACK,
  medianOf,
  type Run,
} from "./run.ts";
import { MIN_OTHERS } from "../limits.ts";

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
  const median = medianOf(others);
  const outside = Math.max(0, value - most, least - value);
  const distinction: Distinction = {
    kind: figure.statistic === "value" ? "state_value" : "figure",
    name,
    value: null,
    label: null,
    change: value < middle ? "lower" : "higher",
    these: { had: 1, of: 1 },
    others: { had: asFar - 1, of: others.length },
    figure: { ...figure, value, least, most, median },
    p: asFar / (others.length + 1),
    adjusted: 1,
  };
  return { distinction, strength: clarityOf(outside, { least, most, median }) };
}
