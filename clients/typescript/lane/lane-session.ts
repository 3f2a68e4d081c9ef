/** A session on a lane file, with a fast path for gauges and counters without options: only their number is encoded at each call. */
import { MAX_CACHED } from "../limits.ts";
import { isPlainName, metricPrefix, type MetricOptions } from "../encode/ops.ts";
import { Session } from "../session/session.ts";

export class LaneSession extends Session {
  /** By name, the op's text up to the number. */
  readonly #gauges = new Map<string, string>();
  readonly #counters = new Map<string, string>();

  override gauge(name: string, value: number | bigint, options?: MetricOptions): void {
    const prefix =
      options === undefined ? this.#prefix(this.#gauges, "gauge", name, value) : undefined;
    if (prefix === undefined) super.gauge(name, value, options);
    else this.append("metric", this.clock(), `${prefix}${value}}`);
  }

  override counter(name: string, delta: number | bigint = 1, options?: MetricOptions): void {
    const prefix =
      options === undefined ? this.#prefix(this.#counters, "counter", name, delta) : undefined;
    if (prefix === undefined) super.counter(name, delta, options);
    else this.append("metric", this.clock(), `${prefix}${delta}}`);
  }

  /** The cached text up to the number; undefined if the slow path is needed. */
  #prefix(
    prefixes: Map<string, string>,
    type: "gauge" | "counter",
    name: string,
    value: unknown,
  ): string | undefined {
    if (this.hasEnded || typeof value !== "number" || !Number.isFinite(value)) return undefined;
    let prefix = prefixes.get(name);
    if (prefix === undefined && isPlainName(name)) {
      prefix = metricPrefix(type, name);
      if (prefixes.size < MAX_CACHED) prefixes.set(name, prefix);
    }
    return prefix;
  }
}
