/**
 * Turns log calls into ops and hands them to a sink (a lane, or the queue of direct mode), with the losses that went
 * with them. Nothing here throws: whatever happens, the program goes on.
 */
import type { MetricType } from "../../src/core/vocabulary.ts";
import type { Loss } from "./plain.ts";
import { MAX_REMEMBERED, MAX_TOLD_PATHS } from "./limits.ts";
import * as ops from "./ops.ts";

/** What kind of op it is: a full queue gives up metrics first. */
export type Kind =
  | "start"
  | "state"
  | "event"
  | "exception"
  | "metric"
  | "heartbeat"
  | "dropped"
  | "end";

export type Sink = {
  /** Takes one op: `text` is its JSON after the time. Uses up one sequence, whether it can be written or not. Never throws. */
  write(kind: Kind, at: number, text: string): void;
};

export type LogOptions = ops.EventOptions & {
  /** When it happened, in epoch milliseconds, if not now. */
  at?: number | undefined;
};

export type Clock = () => number;

/** What this session recorded, and what of it was lost here. */
export type Stats = { records: number; dropped: { [cause: string]: number } };

export class Recorder {
  readonly #sink: Sink;
  readonly #clock: Clock;
  /** Written by another process's session: no start, no end of ours. */
  readonly #joined: boolean;
  readonly #told = new Set<string>();
  readonly #dropped = new Map<string, number>();
  /** Per metric, its op's text up to the number: what a frame loop calls most. */
  readonly #gauges = new Map<string, string>();
  readonly #counters = new Map<string, string>();
  #records = 0;
  #ended = false;

  constructor(sink: Sink, clock: Clock = Date.now, joined = false) {
    this.#sink = sink;
    this.#clock = clock;
    this.#joined = joined;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  start(start: ops.Start): void {
    if (this.#joined) return;
    this.#record("start", (losses) => ops.startOp(start, losses));
  }

  state(patch: unknown): void {
    this.#record("state", (losses) => ops.stateOp(patch, losses));
  }

  log(name: unknown, options: LogOptions = {}, thrown?: ops.ExceptionFields): void {
    const kind = thrown === undefined ? "event" : "exception";
    this.#record(kind, (losses) => ops.eventOp(name, options, losses, thrown), options.at);
  }

  measure(
    type: MetricType,
    name: unknown,
    measure: ops.Measure,
    options: ops.MetricOptions = {},
  ): void {
    this.#record("metric", (losses) => ops.metricOp(type, name, measure, options, losses));
  }

  gauge(name: string, value: unknown, options?: ops.MetricOptions): void {
    if (options === undefined && this.#quick(this.#gauges, "gauge", name, value)) return;
    this.measure("gauge", name, { value }, options);
  }

  counter(name: string, delta: unknown, options?: ops.MetricOptions): void {
    if (options === undefined && this.#quick(this.#counters, "counter", name, delta)) return;
    this.measure("counter", name, { delta }, options);
  }

  beat(timeoutMs?: number): void {
    this.#record("heartbeat", () => ops.heartbeatOp(timeoutMs));
  }

  pause(): void {
    this.#record("heartbeat", () => ops.plainOp("pause"));
  }

  resume(): void {
    this.#record("heartbeat", () => ops.plainOp("resume"));
  }

  finish(end: { exit_code?: number | undefined; signal?: string | undefined } = {}): void {
    if (!this.#joined) this.#record("end", () => ops.endOp(end));
    this.#ended = true;
  }

  /** The program is going down by an exception that nobody caught. */
  crash(reason: string, exitCode?: number): void {
    if (!this.#joined) this.#record("end", () => ops.crashOp(reason, exitCode));
    this.#ended = true;
  }

  stats(): Stats {
    return { records: this.#records, dropped: Object.fromEntries(this.#dropped) };
  }

  /** The number and the remembered text before it; says no when it takes more than that. */
  #quick(
    heads: Map<string, string>,
    type: "gauge" | "counter",
    name: string,
    value: unknown,
  ): boolean {
    if (this.#ended || typeof value !== "number" || !Number.isFinite(value)) return false;
    try {
      let head = heads.get(name);
      if (head === undefined) {
        if (heads.size >= MAX_REMEMBERED || !ops.isPlainName(name)) return false;
        head = ops.metricHead(type, name);
        heads.set(name, head);
      }
      this.#write("metric", this.#clock(), `${head}${value}}`);
    } catch {
      this.#count("internal"); // as in #record
    }
    return true;
  }

  #record(kind: Kind, write: (losses: Loss[]) => string | undefined, givenAt?: number): void {
    if (this.#ended) return;
    try {
      const at = givenAt !== undefined && givenAt >= 0 ? Math.floor(givenAt) : this.#clock();
      const losses: Loss[] = [];
      const text = write(losses);
      if (text !== undefined) this.#write(kind, at, text);
      for (const loss of losses) this.#tell(loss, at);
    } catch {
      this.#count("internal"); // a fault of ours; the program must not notice
    }
  }

  #write(kind: Kind, at: number, text: string): void {
    this.#records++;
    this.#sink.write(kind, at, text);
  }

  /** What is merely written differently is told once per path; what is missing, each time. */
  #tell(loss: Loss, at: number): void {
    this.#count(loss.cause);
    const isRepeatable = loss.cause === "not_finite" || loss.detail.endsWith(" bytes");
    if (!isRepeatable) {
      if (this.#told.has(loss.detail) || this.#told.size >= MAX_TOLD_PATHS) return;
      this.#told.add(loss.detail);
    }
    this.#write("dropped", at, ops.droppedOp(loss.cause, 1, loss.detail));
  }

  #count(cause: string): void {
    this.#dropped.set(cause, (this.#dropped.get(cause) ?? 0) + 1);
  }
}
