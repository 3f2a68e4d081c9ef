/** Which of the candidates are worth a row, and in which order. */
import type { Comparison, Distinction } from "./distinctions.ts";
import { DISTINCTION_KINDS } from "./run.ts";
import { adjusted, type Share } from "./significance.ts";
import { SIGNIFICANT } from "../limits.ts";

/** A candidate, and how clearly it stands out among those that are as unlikely: from 0 to 1. */
export type Found = { distinction: Distinction; strength: number };

/**
 * How clearly a figure stands out that is this far from those of the others: half if it is as far away as they differ from each
 * other and by a tenth of their median. Without that tenth, any change of a figure that never changed would be the clearest of all.
 */
export function clarityOf(
  distance: number,
  { least, most, median }: { least: number; most: number; median: number },
): number {
  const usual = most - least + Math.abs(median) * USUAL_CHANGE;
  return distance === 0 ? 0 : distance / (distance + usual);
}

const USUAL_CHANGE = 0.1;

/** The candidates that stand out, corrected for the number of tests. A test may have several: its smallest value counts. */
export function ranked(tests: Found[][]): Pick<Comparison, "items" | "tested"> {
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
        chanceOf(a) - chanceOf(b) ||
        // What is missing from a run that failed is mostly what it did not get to.
        Number(a.distinction.change === "less") - Number(b.distinction.change === "less") ||
        Number(b.strength >= CLEAR) - Number(a.strength >= CLEAR) ||
        a.distinction.p - b.distinction.p ||
        DISTINCTION_KINDS.indexOf(a.distinction.kind) -
          DISTINCTION_KINDS.indexOf(b.distinction.kind) ||
        b.strength - a.strength,
    );
  return {
    items: withoutRepeats(items.map(({ distinction }) => distinction)),
    tested: tested.length,
  };
}

function chanceOf({ distinction: { p } }: Found): number {
  return Math.max(p, NO_CHANCE);
}

/** What is less likely than this is no chance: then the clear ones come first. */
const NO_CHANCE = 1e-4;

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
