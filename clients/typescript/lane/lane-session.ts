/** A session on a lane, with a short cut for what a frame loop calls most: a gauge or counter of which only the number is new. */
import { MAX_REMEMBERED } from "../limits.ts";
import { isPlainName, metricHead, type MetricOptions } from "../encode/ops.ts";
import { Session } from "../session/session.ts";

export class LaneSession extends Session {
  /** Per name, the op's text up to the number. */
  readonly #gauges = new Map<string, string>();
  readonly #counters = new Map<string, string>();

  override gauge(name: string, value: number | bigint, options?: MetricOptions): void {
    const head = options === undefined ? this.#head(this.#gauges, "gauge", name, value) : undefined;
    if (head === undefined) super.gauge(name, value, options);
    else this.append("metric", this.clock(), `${head}${value}}`);
  }

  override counter(name: string, delta: number | bigint = 1, options?: MetricOptions): void {
    const head =
      options === undefined ? this.#head(this.#counters, "counter", name, delta) : undefined;
    if (head === undefined) super.counter(name, delta, options);
    else this.append("metric", this.clock(), `${head}${delta}}`);
  }

  /** Nothing when it takes more than the number and what is remembered. */
  #head(
    heads: Map<string, string>,
    type: "gauge" | "counter",
    name: string,
    value: unknown,
  ): string | undefined {
    if (this.hasEnded || typeof value !== "number" || !Number.isFinite(value)) return undefined;
    let head = heads.get(name);
    if (head === undefined && isPlainName(name)) {
      head = metricHead(type, name);
      if (heads.size < MAX_REMEMBERED) heads.set(name, head);
    }
    return head;
  }
}
