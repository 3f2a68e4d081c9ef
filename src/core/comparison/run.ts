/**
 * What is compared of a session. An attribute has values in each run: the version one, the tags and the path of a state many. Where the
 * list of a run is incomplete, that run is not counted for this attribute, so that nothing is called missing that may have been there.
 */
import type { MetricType } from "../vocabulary.ts";

export const DISTINCTION_KINDS = [
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
export const MAY_LACK: readonly Attribute[] = ["tag", "event", "state_path", "metric"];

/** A kind, or `state_value` with its path. */
export type Attribute = string;

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

/** Times are milliseconds after its start. */
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

/**
 * Numbers in the state of which most runs have one of their own: ids, times or counters. Many of them increase from run to run, so that
 * the newest run would always be the odd one.
 */
export function areIdentifiers(values: number[]): boolean {
  return new Set(values).size > values.length / 2;
}

export function countsOf(attribute: Attribute, runs: readonly Run[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const value of run.attributes.get(attribute)?.keys() ?? [])
      counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

export function medianOf(values: number[]): number {
  const inOrder = [...values].sort((a, b) => a - b);
  const middle = inOrder.length / 2;
  const [low = NaN, high = NaN] = [inOrder[Math.ceil(middle) - 1], inOrder[Math.floor(middle)]];
  return low + (high - low) / 2;
}
