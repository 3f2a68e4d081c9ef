/** What the catalog has of the metrics that are compared, in the sessions that pass. */
import type { SessionFilter } from "../../catalog/search/filter.ts";
import type { Access } from "../../core/access/authority.ts";
import {
  type SessionMetric,
  type SessionMetrics,
  sessionMetrics,
  unitOf,
} from "../../catalog/metrics.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import type { Env } from "../../env.ts";
import { withMerged } from "../../registry/merges.ts";
import { askHeld } from "../../session/client.ts";
import { isQuantile, type Question } from "./question.ts";

/** One metric in all sessions that pass and have it, the newest session first. */
export type FoundMetric = {
  name: string;
  type: MetricType;
  unit: string;
  items: SessionMetric[];
};

export type Found = {
  /** In the order of the question; without items where no session has it. */
  metrics: FoundMetric[];
  /** The metric of the horizontal axis. */
  x: FoundMetric | undefined;
  /** How many sessions have any of them. */
  sessions: number;
  /** There are older ones that may have it. */
  partial: boolean;
  /** Ids of sessions that may have it in a series that the catalog does not list. */
  unlisted: string[];
};

export async function findMetrics(
  env: Env,
  access: Access,
  question: Question,
  asked: SessionFilter,
): Promise<Found> {
  const { names, axis, x, aggregate } = question;
  const filter = await withMerged(env.REGISTRY, asked);
  const quantile_steps = isQuantile(aggregate);
  const horizontal = axis === "metric" ? x : undefined;
  const wanted = [...names, ...(horizontal === undefined ? [] : [horizontal])];
  const held = askHeld(env, access);
  const found: SessionMetrics[] = await Promise.all(
    wanted.map((name) => sessionMetrics(env.CATALOG, { ...filter, name, quantile_steps }, held)),
  );
  const metrics = found.map(({ items }, i): FoundMetric => ({
    name: wanted[i] ?? "",
    type: items[0]?.type ?? "gauge",
    unit: nameLabel(unitOf(items), ""),
    items,
  }));
  const ids = metrics.flatMap(({ items }) => items.map(({ session }) => session.id));
  return {
    metrics: metrics.slice(0, names.length),
    x: horizontal === undefined ? undefined : metrics.at(-1),
    sessions: new Set(ids).size,
    partial: found.some(({ partial }) => partial),
    unlisted: [...new Set(found.flatMap(({ unlisted }) => unlisted))],
  };
}
