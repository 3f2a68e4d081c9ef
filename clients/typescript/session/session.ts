/**
 * A recording: what a program calls. Turns calls into ops and hands them to an sink, with the losses that went with them. No call
 * throws, waits, or prints, whatever it is given: the program goes on.
 */
import { MAX_TIME } from "../../../src/core/limits.ts";
import { EVENT_EXCEPTION, type MetricType } from "../../../src/core/vocabulary.ts";
import { exceptionFields } from "../encode/exception.ts";
import { startMonitor, type HeartbeatMonitor } from "./heartbeat.ts";
import { MAX_REPORTED_PATHS } from "../limits.ts";
import * as ops from "../encode/ops.ts";
import { add, type Counts, type Kind, type Sink } from "./sink.ts";
import type { Loss } from "../encode/values.ts";
import { Timer } from "./timer.ts";

export type LogOptions = ops.EventOptions & {
  /** When it happened, in epoch milliseconds, if not now. */
  at?: number | undefined;
};
export type ExceptionOptions = LogOptions & {
  /** The event's name; `exception` unless said otherwise. */
  name?: string | undefined;
  /** False: it ended the program, or a part of it. */
  handled?: boolean | undefined;
};
export type HistogramOptions = ops.MetricOptions & {
  /** Upper bounds, ascending; what is above the last counts too. Default: good for seconds. */
  buckets?: readonly number[] | undefined;
};
export type EndOptions = { exitCode?: number | undefined; signal?: string | undefined };

/** What was recorded, what of it was lost on the way, and how much waits in memory (direct mode). */
export type Stats = { records: number; dropped: Counts; waiting: number };

export class Session {
  /** The session's id: give it to another process as `DATACAT_SESSION`, and it records into the same session. */
  readonly id: string;
  /** The server it goes to. */
  readonly url: string;
  readonly #sink: Sink;
  /** Another process opened the session: no start, no end of ours. */
  readonly #isJoined: boolean;
  protected readonly clock: () => number;
  readonly #told = new Set<string>();
  readonly #dropped: Counts = {};
  readonly #atEnd: (() => void)[] = [];
  #records = 0;
  /** From then on calls do nothing. */
  hasEnded = false;

  constructor(
    id: string,
    url: string,
    start: ops.Start,
    sink: Sink,
    isJoined: boolean,
    clock = Date.now,
  ) {
    this.id = id;
    this.url = url;
    this.#sink = sink;
    this.#isJoined = isJoined;
    this.clock = clock;
    if (!isJoined) this.#record("start", (losses) => ops.startOp(start, losses));
  }

  /** Environment for a child process that records into this session. */
  get environment(): { DATACAT_SESSION: string; DATACAT_URL: string } {
    return { DATACAT_SESSION: this.id, DATACAT_URL: this.url };
  }

  /** Merges a patch into the session's state: objects merge, null deletes, everything else replaces. */
  updateState(patch: object): void {
    this.#record("state", (losses) => ops.stateOp(patch, losses));
  }

  /** Something happened. */
  logEvent(name: string, options?: LogOptions): void {
    this.log(name, options);
  }

  /** An exception, with its stack and what led to it. Anything can be thrown, so anything can be given. */
  logException(thrown: unknown, options?: ExceptionOptions): void {
    const fields = { ...exceptionFields(thrown), handled: options?.handled };
    this.log(options?.name ?? EVENT_EXCEPTION, options, fields);
  }

  /** A value that goes up and down. */
  gauge(name: string, value: number | bigint, options?: ops.MetricOptions): void {
    this.measure("gauge", name, { value }, options);
  }

  /** Adds to a total. */
  counter(name: string, delta: number | bigint = 1, options?: ops.MetricOptions): void {
    this.measure("counter", name, { value: delta }, options);
  }

  /** One sample of a distribution. */
  histogram(name: string, value: number | bigint, options?: HistogramOptions): void {
    this.measure("histogram", name, { value, buckets: options?.buckets }, options);
  }

  /** Measures until it is stopped: `using timer = session.timer("save")`, or call `stop()`. */
  timer(name: string, options?: ops.MetricOptions): Timer {
    return new Timer((value, count) => this.measure("timer", name, { value, count }, options));
  }

  /** Measures a function, also one that waits; its result or exception passes through. */
  time<Result>(name: string, work: () => Result, options?: ops.MetricOptions): Result {
    const timer = this.timer(name, options);
    let result: Result | undefined;
    try {
      return (result = work());
    } finally {
      const stop = () => timer.stop();
      if (result instanceof Promise) result.then(stop, stop);
      else stop();
    }
  }

  /** The program is alive. The first one arms hang detection: the next is due within `timeoutMs` (60 s, or what was last said). */
  heartbeat(timeoutMs?: number): void {
    this.#record("heartbeat", () => ops.heartbeatOp(timeoutMs));
  }

  /** Heartbeats from the event loop until stopped: when the loop is blocked for longer than `timeoutMs`, the session counts as hung. */
  startHeartbeatMonitor(timeoutMs = 60_000): HeartbeatMonitor {
    return startMonitor(this, timeoutMs);
  }

  /** No heartbeats for a while, on purpose: a dialog, a debugger. */
  pause(): void {
    this.#record("heartbeat", () => ops.plainOp("pause"));
  }

  /** Heartbeats are expected again. */
  resume(): void {
    this.#record("heartbeat", () => ops.plainOp("resume"));
  }

  /** The program is done with this session. Nothing is recorded after it. */
  end(options?: EndOptions): void {
    this.finish(ops.endOp({ exit_code: options?.exitCode, signal: options?.signal }));
  }

  /** The program goes down by an exception that nobody caught. */
  crash(thrown: unknown, exitCode?: number, reason = "uncaught_exception"): void {
    this.logException(thrown, { handled: false });
    this.finish(ops.crashOp(reason, exitCode));
  }

  stats(): Stats {
    return {
      records: this.#records,
      dropped: { ...this.#dropped, ...this.#sink.losses() },
      waiting: this.#sink.waiting(),
    };
  }

  /** Waits until everything so far is safe: at once with a lane, after sending in direct mode. Never rejects. */
  flush(timeoutMs?: number): Promise<void> {
    return this.#sink.flush(timeoutMs);
  }

  /** Calls back once when the session ends. */
  onEnd(callback: () => void): void {
    this.#atEnd.push(callback);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  protected log(name: unknown, options?: LogOptions, thrown?: ops.ExceptionFields): void {
    const kind = thrown ? "exception" : "event";
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
    for (const callback of this.#atEnd.splice(0)) callback();
    this.#sink.close();
  }

  /** Records an op whose text is known already. */
  protected append(kind: Kind, at: number, text: string): void {
    this.#records++;
    this.#sink.write(kind, at, text);
  }

  #record(kind: Kind, write: (losses: Loss[]) => string | undefined, givenAt?: number): void {
    if (this.hasEnded) return;
    try {
      const isGiven = typeof givenAt === "number" && givenAt >= 0 && givenAt <= MAX_TIME;
      const at = isGiven ? Math.floor(givenAt) : this.clock();
      const losses: Loss[] = [];
      const text = write(losses);
      if (text !== undefined) this.append(kind, at, text);
      for (const loss of losses) this.#tell(loss, at);
    } catch {
      add(this.#dropped, "internal"); // a fault of ours; the program must not notice
    }
  }

  /** What is merely written differently is told once per path; what is missing, each time. */
  #tell({ cause, detail, isMissing }: Loss, at: number): void {
    add(this.#dropped, cause);
    if (!isMissing) {
      if (this.#told.has(detail) || this.#told.size >= MAX_REPORTED_PATHS) return;
      this.#told.add(detail);
    }
    this.append("dropped", at, ops.droppedOp(cause, 1, detail));
  }
}
