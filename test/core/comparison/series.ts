/** Series of sessions as the catalog has them, from their values. */
import type { ComparedSeries } from "../../../src/core/comparison/comparison.ts";
import { addValues, newMoments } from "../../../src/core/metrics/moments.ts";
import { RollupBuilder } from "../../../src/core/metrics/rollup.ts";

export const NOON = Date.UTC(2026, 10, 23, 12);
export const HOUR = 3_600_000;

type Options = {
  type?: ComparedSeries["type"];
  session?: Partial<ComparedSeries["session"]>;
  everyMs?: number;
};

/** A series with these values, one a second, from the start of its session on, which ends with the last of them. */
export function series(
  id: string,
  startedAt: number,
  values: number[],
  { type = "gauge", session, everyMs = 1_000 }: Options = {},
): ComparedSeries {
  const moments = newMoments();
  addValues(moments, values);
  const builder = new RollupBuilder({ type });
  builder.add({
    at: Float64Array.from(values, (_, i) => startedAt + i * everyMs),
    fields: [Float64Array.from(values)],
  });
  const last_at = startedAt + (values.length - 1) * everyMs;
  const quantiles = builder.quantiles();
  return {
    session: {
      id,
      product: "game",
      version: "1.0",
      status: "ended",
      machine_id: "machine-1",
      hostname: "workshop",
      created_at: startedAt,
      ended_at: last_at,
      ...session,
    },
    type,
    points: values.length,
    count: values.length,
    sum: moments.sum,
    sum_low: moments.low,
    sum_scale: moments.scale,
    deviation: moments.deviation,
    p50: quantiles?.p50 ?? null,
    p95: quantiles?.p95 ?? null,
    p99: quantiles?.p99 ?? null,
    min: Math.min(...values),
    max: Math.max(...values),
    first: values[0] ?? 0,
    last: values.at(-1) ?? 0,
    first_at: startedAt,
    last_at,
    increase: type === "counter" ? (values.at(-1) ?? 0) - (values[0] ?? 0) : 0,
    distribution: builder.distribution().pack(),
    rollup: builder.rollup,
    quantile_steps: builder.quantileSteps(),
  };
}

/** The same series of which only the figures were read. */
export function figuresOf(item: ComparedSeries): ComparedSeries {
  return { ...item, distribution: null, rollup: null, quantile_steps: null };
}
