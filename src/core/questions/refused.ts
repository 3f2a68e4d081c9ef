/** The values of metrics that were refused because they are NaN or infinite. Clients report each as a loss whose detail is "NAME: NaN". */
import type { Chart } from "../answers/metrics.ts";
import type { Segments } from "../segments/segments.ts";

/** Adds to each chart when values of its metric were refused, in at most `buckets` parts of the range. */
export function addRefused(store: Segments, charts: Chart[], buckets: number): void {
  const byName = new Map<string, [at: number, count: number][]>();
  for (const info of store.list()) {
    for (const op of store.open(info)?.reader.others() ?? []) {
      if (op.op !== "dropped" || op.cause !== "not_finite") continue;
      const name = op.detail?.slice(0, op.detail.lastIndexOf(": ")) ?? "";
      const found = byName.get(name);
      if (found) found.push([op.at, op.count]);
      else byName.set(name, [[op.at, op.count]]);
    }
  }
  for (const chart of charts) {
    const found = byName.get(chart.series.name);
    if (found) chart.refused = grouped(found, chart, buckets);
  }
}

function grouped(
  refused: [at: number, count: number][],
  { from, to }: { from: number; to: number },
  buckets: number,
): [at: number, count: number][] {
  const width = (to - from) / buckets || 1;
  const groups = new Map<number, [at: number, count: number]>();
  for (const [at, count] of refused) {
    if (at < from || at > to) continue;
    const index = Math.floor((at - from) / width);
    const group = groups.get(index);
    if (group) group[1] += count;
    else groups.set(index, [at, count]);
  }
  return [...groups.values()].sort((a, b) => a[0] - b[0]);
}
