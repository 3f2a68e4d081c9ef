/** Groups of runs: Fisher's exact test for each value, Mann–Whitney for figures, and `adjusted` for the number of tests (significance.ts). */
import { type Comparison, type Distinction, named } from "./distinctions.ts";
import { clarityOf, type Found, ranked } from "./ranking.ts";
import {
  areIdentifiers,
  type Attribute,
  countsOf,
  type Figure,
  medianOf,
  type Run,
} from "./run.ts";
import { fisher, leastFisher, mannWhitney } from "./significance.ts";
import { MIN_OTHERS, SIGNIFICANT } from "../limits.ts";

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
  return { distinction, strength: clarityOf(distance, { least, most, median: otherMedian }) };
}
