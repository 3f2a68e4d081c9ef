/**
 * Turns log calls into ops and hands them to a sink (a lane, or the queue of direct mode), with the losses that went
 * with them. Nothing here throws: whatever happens, the program goes on.
 */
import type { MetricType } from "../../src/core/vocabulary.ts";
import { LAST_DATE, MAX_TOLD_PATHS } from "./limits.ts";
import * as ops from "./ops.ts";
import type { Loss } from "./plain.ts";

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
export type HistogramOptions = ops.MetricOptions & {
  /** Upper bounds, ascending; what is above the last counts too. Default: good for seconds. */
  buckets?: readonly number[] | undefined;
};

export type Clock = () => number;

/** What was recorded, and what of it was lost on the way. */
export type Stats = { records: number; dropped: { [cause: string]: number } };

export class Recorder<Target extends Sink = Sink> {
  protected readonly sink: Target;
  /** Another process opened the session: no start, no end of ours. */
  readonly #isJoined: boolean;
  readonly #told = new Set<string>();
  protected readonly clock: Clock;
  protected readonly recorded: Stats = { records: 0, dropped: {} };
  protected hasEnded = false;

  constructor(sink: Target, isJoined = false, clock: Clock = Date.now) {
    this.sink = sink;
    this.#isJoined = isJoined;
    this.clock = clock;
  }

  /** Merges a patch into the session's state: objects merge, null deletes, everything else replaces. */
  updateState(patch: object): void {
    this.#record("state", (losses) => ops.stateOp(patch, losses));
  }

  /** Something happened. */
  event(name: string, options?: LogOptions): void {
    this.log(name, options);
  }

  /** A value that goes up and down. */
  gauge(name: string, value: number | bigint, options?: ops.MetricOptions): void {
    this.measure("gauge", name, { value }, options);
  }

  /** Adds to a total. */
  counter(name: string, delta: number | bigint = 1, options?: ops.MetricOptions): void {
    this.measure("counter", name, { delta }, options);
  }

  /** One sample of a distribution. */
  histogram(name: string, value: number | bigint, options?: HistogramOptions): void {
    this.measure("histogram", name, { value, buckets: options?.buckets }, options);
  }

  /** The program is alive. The first one arms hang detection: the next is due within `timeoutMs` (60 s, or what was last said). */
  heartbeat(timeoutMs?: number): void {
    this.#record("heartbeat", () => ops.heartbeatOp(timeoutMs));
  }

  /** No heartbeats for a while, on purpose: a dialog, a debugger. */
  pause(): void {
    this.#record("heartbeat", () => ops.plainOp("pause"));
  }

  /** Heartbeats are expected again. */
  resume(): void {
    this.#record("heartbeat", () => ops.plainOp("resume"));
  }

  protected begin(start: ops.Start): void {
    if (!this.#isJoined) this.#record("start", (losses) => ops.startOp(start, losses));
  }

  protected log(name: unknown, options?: LogOptions, thrown?: ops.ExceptionFields): void {
    const kind = thrown === undefined ? "event" : "exception";
    this.#record(kind, (losses) => ops.eventOp(name, options ?? {}, losses, thrown), options?.at);
  }

  protected measure(
    type: MetricType,
    name: unknown,
    measure: ops.Measure,
    options?: ops.MetricOptions,
  ): void {
    this.#record("metric", (losses) => ops.metricOp(type, name, measure, options ?? {}, losses));
  }

  /** `end` or `crash`: nothing follows it. */
  protected finish(text: string): void {
    if (!this.#isJoined) this.#record("end", () => text);
    this.hasEnded = true;
  }

  /** Records an op whose text is known already. */
  protected append(kind: Kind, at: number, text: string): void {
    this.recorded.records++;
    this.sink.write(kind, at, text);
  }

  #record(kind: Kind, write: (losses: Loss[]) => string | undefined, givenAt?: number): void {
    if (this.hasEnded) return;
    try {
      const isGiven = typeof givenAt === "number" && givenAt >= 0 && givenAt <= LAST_DATE;
      const at = isGiven ? Math.floor(givenAt) : this.clock();
      const losses: Loss[] = [];
      const text = write(losses);
      if (text !== undefined) this.append(kind, at, text);
      for (const loss of losses) this.#tell(loss, at);
    } catch {
      this.#count("internal"); // a fault of ours; the program must not notice
    }
  }

  /** What is merely written differently is told once per path; what is missing, each time. */
  #tell(loss: Loss, at: number): void {
    this.#count(loss.cause);
    if (!loss.isMissing) {
      if (this.#told.has(loss.detail) || this.#told.size >= MAX_TOLD_PATHS) return;
      this.#told.add(loss.detail);
    }
    this.append("dropped", at, ops.droppedOp(loss.cause, 1, loss.detail));
  }

  #count(cause: string): void {
    const { dropped } = this.recorded;
    dropped[cause] = (dropped[cause] ?? 0) + 1;
  }
}
