/** What the catalog has of the metrics that are compared, in the sessions that pass. */
import { type Compared, type ComparedMetric, compareMetrics } from "../../catalog/compared.ts";
import type { SessionFilter } from "../../catalog/search/filter.ts";
import type { Access } from "../../core/access/authority.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import type { Env } from "../../env.ts";
import { withMerged } from "../../registry/merges.ts";
import { askHeld } from "../../session/client.ts";
import { isQuantile, type Question, timeAxisOf } from "./question.ts";

export type FoundMetric = ComparedMetric;

/** `x`: the metric of the horizontal axis, if there is one. */
export type Found = Compared & { x: FoundMetric | undefined };

export async function findMetrics(
  env: Env,
  access: Access,
  question: Question,
  asked: SessionFilter,
): Promise<Found> {
  const { names, by, axis, x, aggregate } = question;
  const horizontal = axis === "metric" ? x : undefined;
  const filter = await withMerged(env.REGISTRY, asked);
  const wanted = {
    names: [...names, ...(horizontal === undefined ? [] : [horizontal])],
    by,
    overTime: axis === "metric" ? undefined : { axis: timeAxisOf(question) },
    quantiles: isQuantile(aggregate),
  };
  const compared = await compareMetrics(env.CATALOG, filter, wanted, askHeld(env, access));
  const metrics = compared.metrics.map((metric) => ({
    ...metric,
    unit: nameLabel(metric.unit, ""),
  }));
  return {
    ...compared,
    metrics: metrics.slice(0, names.length),
    x: horizontal === undefined ? undefined : metrics.at(-1),
  };
}
