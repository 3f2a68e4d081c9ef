/** What the server has of a session, without what differs between two runs of the same calls: ids, times, sequences, the writer. */
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import type { StateAt } from "../../../src/core/answers/state.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import { merge } from "../../../src/core/state/merge.ts";
import type { Json, JsonObject } from "../../../src/core/wire.ts";

type Op = { op: string; at: number; seq?: number; [key: string]: Json | undefined };
type PointsOp = Op & { name: string; type: string; values: number[]; counts?: number[] };
/** `state` is the state's JSON after a change. Patches are not compared: the daemon removes from them what changes nothing. */
type Change = { op: string; state: string } | object;

export type World = { url: string; get: <Answer>(path: string) => Promise<Answer> };
export type Recorded = Awaited<ReturnType<typeof recorded>>;

export async function recorded({ url, get }: World, id: string) {
  const response = await fetch(`${url}/api/sessions/${id}/export`);
  const [first = "", ...lines] = (await response.text()).trimEnd().split("\n");
  const summary = JSON.parse(first) as Summary; // the export's own shapes
  const all = lines.map((line) => JSON.parse(line) as Op);
  const { state } = await get<StateAt>(`/api/sessions/${id}/state`);
  const series = await get<SeriesSummary[]>(`/api/sessions/${id}/metrics`);

  const { product, version, tags, exit_code, signal, heartbeat_timeout_ms, ever_hung } = summary;
  const { events, exceptions, heartbeats } = summary.counts;
  const ops = all
    .filter(({ op }) => op !== "points" && op !== "heartbeat")
    .map((op) => without(op, ["at", "seq"]) as Op); // less two keys
  return {
    summary: { product, version, tags, exit_code, signal, heartbeat_timeout_ms, ever_hung },
    status: summary.verdict.status,
    args: argumentsOf(summary),
    counts: { events, exceptions, heartbeats },
    dropped: summary.ledger.dropped,
    altered: summary.ledger.altered,
    state,
    ops,
    changes: changesOf(ops),
    series: series.map(comparable),
    points: pointsOf(all),
  };
}

/** The arguments after `--` on the command line. */
function argumentsOf({ lanes }: Summary): string[] {
  const all = lanes[0]?.writer.arguments ?? [];
  return all.slice(all.indexOf("--") + 1);
}

/** Counters and histograms are summed per second, so their number of points depends on when a second ends. */
function comparable(series: SeriesSummary): object {
  const { name, type, unit, tags, metadata, last, sum, min, max, buckets } = series;
  const same = { name, type, unit, tags, metadata };
  if (type === "counter") return { ...same, last };
  // The samples may be added in another order.
  if (type === "histogram") return { ...same, sum: sum.toPrecision(12), min, max, buckets };
  // Deviations of batches are merged, so their last digits depend on where a batch ends.
  const { stddev, ...rest } = series;
  return { ...without(rest, ["id", "first_at", "last_at"]), stddev: stddev?.toPrecision(12) };
}

/** The values of gauges and timers in order, by series. */
function pointsOf(ops: Op[]): { [series: string]: [number, number | undefined][] } {
  const points: { [series: string]: [number, number | undefined][] } = {};
  for (const op of ops) {
    if (op.op !== "points" || (op["type"] !== "gauge" && op["type"] !== "timer")) continue;
    const { type, name, tags, values, counts } = op as PointsOp; // the export's own shape
    const row = (points[JSON.stringify([type, name, tags])] ??= []);
    row.push(...values.map((value, i): [number, number | undefined] => [value, counts?.[i]]));
  }
  return points;
}

function changesOf(ops: Op[]): Change[] {
  const state: JsonObject = {};
  let before = "{}";
  return ops.flatMap((op): Change[] => {
    if (op.op !== "state") return [op];
    merge(state, op["patch"] as JsonObject); // a state op's patch
    const after = JSON.stringify(state);
    if (after === before) return [];
    before = after;
    return [{ op: "state", state: after }];
  });
}

function without(row: object, keys: string[]): object {
  return Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));
}
