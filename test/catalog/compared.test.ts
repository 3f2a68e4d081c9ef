/** Metrics of ten thousand sessions: exact figures of all that pass, and what is read of only some. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { compareMetrics } from "../../src/catalog/compared.ts";
import {
  MAX_COMPARED_SESSIONS,
  MAX_DISTRIBUTED_SESSIONS,
  SCAN_SESSIONS,
} from "../../src/catalog/limits.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { recentMetrics } from "../../src/catalog/recent.ts";
import { LEFT_OUT_BITS } from "../../src/catalog/search/filter.ts";
import { ungrouped } from "../../src/core/comparison/grouping.ts";
import { overTime, quantilesOverTime } from "../../src/core/comparison/over-time.ts";
import { statistics } from "../../src/core/comparison/statistics.ts";
import { ANY_VALUE } from "../../src/core/state/values.ts";
import { RollupBuilder } from "../../src/core/metrics/rollup.ts";
import { fill } from "./many.ts";
import { metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;
const COUNT = SCAN_SESSIONS + 300;
const HOUR = 3_600_000;
const byFirst = ([a = 0]: number[], [b = 0]: number[]) => a - b;
const BY_STATE = "state.level" as const;

beforeAll(async () => {
  await fill(db, COUNT, NOON - HOUR);
}, 120_000);

test("statistics are those of all sessions up to the limit, by any value of them", async () => {
  const compared = await compareMetrics(db, {}, { names: ["fps"], by: BY_STATE });
  expect(compared).toMatchObject({ sessions: SCAN_SESSIONS, partial: true, unsure: 0 });
  expect(compared.next).not.toBeNull();
  expect(compared.searched_to).toBeGreaterThan(0);
  const items = compared.metrics[0]?.items ?? [];
  const rows = statistics(items, BY_STATE);
  expect(rows.map(({ group, sessions }) => [Number(group), sessions]).toSorted(byFirst)).toEqual(
    Array.from({ length: 10 }, (_, level) => [level, SCAN_SESSIONS / 10]),
  );
  // Quantiles are of those whose distributions were read.
  const [all] = statistics(items);
  expect(all?.quantiles_sessions ?? MAX_DISTRIBUTED_SESSIONS).toBe(MAX_DISTRIBUTED_SESSIONS);
  const rest = await compareMetrics(db, {}, { names: ["fps"], cursor: compared.next ?? "" });
  expect([rest.sessions, rest.next]).toEqual([COUNT - SCAN_SESSIONS, null]);
  const ids = new Set(
    [...items, ...(rest.metrics[0]?.items ?? [])].map(({ session }) => session.id),
  );
  expect(ids.size).toBe(COUNT);
});

test("a filter and several metrics are of the same sessions", async () => {
  const found = await compareMetrics(db, { version: "1.0" }, { names: ["fps", "rare", "none"] });
  expect(found).toMatchObject({ partial: false, next: null, sessions: COUNT / 50 });
  expect(found.metrics.map(({ name, items }) => [name, items.length])).toEqual([
    ["fps", COUNT / 50],
    ["rare", Math.ceil(COUNT / 5_000)],
    ["none", 0],
  ]);
});

describe("sessions of which more is read", () => {
  /** Sessions of an hour, which are in many steps of a chart. */
  const LONG = MAX_COMPARED_SESSIONS + 20;

  beforeAll(async () => {
    const values = Array.from({ length: 61 }, (_, n) => n);
    const all = Array.from({ length: LONG }, (_, n) => {
      const at = NOON + n * 1_000;
      const builder = new RollupBuilder({ type: "gauge" });
      builder.add({
        at: Float64Array.from(values, (minute) => at + minute * 60_000),
        fields: [Float64Array.from(values)],
      });
      return publication(`long-${n}`, {
        session: { product: "long", created_at: at, status: "ended", ended_at: at + HOUR },
        metrics: [
          metric("load", {
            points: 61,
            count: 61,
            sum: 1_830,
            min: 0,
            max: 60,
            first_at: at,
            last_at: at + HOUR,
            distribution: JSON.stringify(builder.distribution().pack()),
            rollup: JSON.stringify(builder.rollup),
            quantile_steps: JSON.stringify(builder.quantileSteps()),
          }),
        ],
      });
    });
    for (let from = 0; from < all.length; from += 40)
      await publish(db, ...all.slice(from, from + 40));
  }, 120_000);

  test("over time, the newest that need it are drawn, and the others counted", async () => {
    const query = { axis: "elapsed" as const };
    const { metrics } = await compareMetrics(
      db,
      { product: "long" },
      { names: ["load"], overTime: query },
    );
    const items = metrics[0]?.items ?? [];
    const time = overTime(items, query);
    expect(time.undrawn).toBe(LONG - MAX_COMPARED_SESSIONS);
    const steps = time.groups[0]?.steps ?? [];
    expect(steps.reduce((sum, { count }) => sum + count, 0)).toBe(61 * MAX_COMPARED_SESSIONS);
    expect(statistics(items)[0]).toMatchObject({
      sessions: LONG,
      points: 61 * LONG,
      p50: expect.closeTo(30, 0),
    });
    expect(items.filter(({ rollup }) => rollup).map(({ session }) => session.id)).toContain(
      `long-${LONG - 1}`,
    );
  });

  test("without a chart no rollup is read, and quantiles over time only if they are asked for", async () => {
    const asked = { names: ["load"] };
    const filter = { product: "long" };
    const without = await compareMetrics(db, filter, asked);
    expect(without.metrics[0]?.items.some(({ rollup }) => rollup)).toBe(false);
    const query = { axis: "elapsed" as const };
    const chart = await compareMetrics(db, filter, { ...asked, overTime: query });
    expect(chart.metrics[0]?.items.some(({ quantile_steps }) => quantile_steps)).toBe(false);
    const { metrics } = await compareMetrics(db, filter, {
      ...asked,
      overTime: query,
      quantiles: true,
    });
    const steps = quantilesOverTime(metrics[0]?.items ?? [], query).groups[0]?.steps ?? [];
    expect(steps.length).toBeGreaterThan(5);
  });

  test("before one is chosen, the metrics of the newest sessions come with their course", async () => {
    const recent = await recentMetrics(db, {}, { sessions: 30, limit: 5 });
    expect(recent).toMatchObject({ metrics: 1, sessions: 30 });
    expect(recent.items).toMatchObject([
      { name: "load", type: "gauge", sessions: 30, points: 30 * 61, min: 0, max: 60 },
    ]);
    expect(recent.items[0]?.rollup?.count.length).toBeGreaterThan(5);
    const others = await recentMetrics(db, { product: "editor" }, { sessions: 5_000, limit: 1 });
    expect(others.items.map(({ name }) => name)).toEqual(["fps"]);
    expect(others.metrics).toBe(2);
    expect(await recentMetrics(db, { product: "none" }, { sessions: 3, limit: 1 })).toEqual({
      items: [],
      metrics: 0,
      sessions: 0,
    });
  });
});

test("of a session whose value is not known the group is not known, and its object decides whether it passes", async () => {
  const at = (n: number) => ({ product: "unsure", created_at: NOON + 10 * HOUR + n });
  await publish(
    db,
    publication("over", {
      session: at(0),
      metrics: [metric("gas")],
      state_values: [{ path: "level", value: ANY_VALUE, first_at: 0, last_at: null }],
    }),
    publication("left-out", {
      session: { ...at(1), left_out: LEFT_OUT_BITS.event_names },
      metrics: [metric("gas")],
    }),
    publication("other", { session: at(2), metrics: [metric("gas", { type: "counter" })] }),
  );
  const all = await compareMetrics(db, { product: "unsure" }, { names: ["gas"], by: BY_STATE });
  expect(ungrouped(all.metrics[0]?.items ?? [], BY_STATE)).toBe(1);
  const gauges = { names: ["gas"], type: "gauge" as const };
  expect((await compareMetrics(db, { product: "unsure" }, gauges)).sessions).toBe(2);

  const filter = { product: "unsure", event: "door" };
  const ofEvent = async (held: boolean | null) =>
    compareMetrics(db, filter, { names: ["gas"] }, async () => held);
  expect(await ofEvent(true)).toMatchObject({ sessions: 1, unsure: 0, partial: false });
  expect(await ofEvent(false)).toMatchObject({ sessions: 0, unsure: 0 });
  expect(await ofEvent(null)).toMatchObject({ sessions: 1, unsure: 1, partial: true });
});
