/**
 * What distinguishes one run from good ones (one-run.ts), or a group of runs from the others (two-groups.ts): each with its counts and with
 * how unlikely it is by chance.
 */
import { type Attribute, type DistinctionKind, type Figure, type Held, MAY_LACK } from "./run.ts";
import type { Share } from "./significance.ts";

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

export function named(
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
