/**
 * The session that a program records into. It encodes calls as ops and passes them to a sink, with the losses of the encoding. No call
 * throws, waits or prints, whatever its arguments are.
 */
import { DEFAULT_HEARTBEAT_TIMEOUT_MS, MAX_TIME } from "../../../src/core/limits.ts";
import { EVENT_EXCEPTION, type MetricType } from "../../../src/core/vocabulary.ts";
import { exceptionFields } from "../encode/exception.ts";
import { startMonitor, type HeartbeatMonitor } from "./heartbeat.ts";
import { MAX_REPORTED_PATHS } from "../limits.ts";
import * as ops from "../encode/ops.ts";
import { add, type Counts, type Kind, type Sink } from "./sink.ts";
import type { Tags } from "../../../src/core/text/tag.ts";
import type { Loss } from "../encode/values.ts";
import { Timer } from "./timer.ts";

export type LogOptions = ops.EventOptions & {
  /** The time of the event in epoch milliseconds. Default: now. */
  at?: number | undefined;
};
export type ExceptionOptions = LogOptions & {
  /** The event's name. Default: `exception`. */
  name?: string | undefined;
  /** False: the exception ended the program, or a part of it. */
  handled?: boolean | undefined;
  /** Exceptions with the same one are one group, whatever their type and stack. Default: computed from both. */
  fingerprint?: string | undefined;
};
export type HistogramOptions = ops.MetricOptions & {
  /** Upper bounds, ascending; values above the last one are counted as well. Default: bounds for seconds, from 1 ms to 60 s. */
  buckets?: readonly number[] | undefined;
};
export type EndOptions = { exitCode?: number | undefined; signal?: string | undefined };

/** Ops that were recorded, ops that were lost, by cause, and ops that wait in memory (direct mode). */
export type Stats = { records: number; dropped: Counts; waiting: number };

export class Session {
  /** The session's id. Another process with it as `DATACAT_SESSION` records into the same session. */
  readonly id: string;
  /** The server's URL. */
  readonly url: string;
  /** The server's API key, in a page or a Worker: attachments are sent with it. */
  key?: string | undefined;
  readonly #sink: Sink;
  /** Another process opened the session, so this one writes neither `start` nor `end`. */
  readonly #isJoined: boolean;
  protected readonly clock: () => number;
  readonly #reportedPaths = new Set<string>();
  readonly #dropped: Counts = {};
  readonly #endCallbacks: (() => void)[] = [];
  #records = 0;
  /** Whether the session has ended. After that, calls do nothing. */
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
    if (!isJoined) this.record("start", (losses) => ops.startOp(start, losses));
    else if (start.tags) this.addTags(start.tags);
  }

  /** Environment variables for a child process that records into this session. */
  get environment(): { DATACAT_SESSION: string; DATACAT_URL: string } {
    return { DATACAT_SESSION: this.id, DATACAT_URL: this.url };
  }

  /** Adds tags to those that the session was opened with: `{ result: "won" }`. A session has at most 64. */
  addTags(tags: Tags): void {
    this.record("state", (losses) => ops.tagsOp(tags, losses));
  }

  /** Merges a patch into the session's state: objects are merged, null deletes a key, everything else replaces. 512 KiB at most. */
  updateState(patch: object): void {
    this.record("state", (losses) => ops.stateOp(patch, losses));
  }

  /** Records an event. 256 KiB at most: longer strings in it are cut. */
  logEvent(name: string, options?: LogOptions): void {
    this.log(name, options);
  }

  /** Records an exception as an event, with its stack and its causes. `thrown` can be any value, as in JavaScript. */
  logException(thrown: unknown, options?: ExceptionOptions): void {
    const fields = {
      ...exceptionFields(thrown),
      handled: options?.handled,
      fingerprint: options?.fingerprint,
    };
    this.log(options?.name ?? EVENT_EXCEPTION, options, fields);
  }

  /** Records a value that goes up and down. One that is not finite is counted as lost. */
  gauge(name: string, value: number | bigint, options?: ops.MetricOptions): void {
    this.measure("gauge", name, { value }, options);
  }

  /** Adds `delta` (default 1) to a total. */
  counter(name: string, delta: number | bigint = 1, options?: ops.MetricOptions): void {
    this.measure("counter", name, { value: delta }, options);
  }

  /** Records one sample of a distribution. */
  histogram(name: string, value: number | bigint, options?: HistogramOptions): void {
    this.measure("histogram", name, { value, buckets: options?.buckets }, options);
  }

  /** Measures, in seconds, until the timer is stopped: `using timer = session.timer("save")`, or call `stop()`. */
  timer(name: string, options?: ops.MetricOptions): Timer {
    return new Timer((value, count) => this.measure("timer", name, { value, count }, options));
  }

  /** Measures, in seconds, how long a function takes, also an async one. Returns its result, and throws its exception. */
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

  /**
   * Records that the program is alive. The first heartbeat starts the detection of hangs.
   * @param timeoutMs The session counts as hung if no heartbeat follows within this time. Default: the last one passed, else 60,000.
   */
  heartbeat(timeoutMs?: number): void {
    this.record("heartbeat", () => ops.heartbeatOp(timeoutMs));
  }

  /** Sends heartbeats from the event loop until it is stopped. A loop that is blocked for longer than `timeoutMs` counts as hung. */
  startHeartbeatMonitor(timeoutMs = DEFAULT_HEARTBEAT_TIMEOUT_MS): HeartbeatMonitor {
    return startMonitor(this, timeoutMs, (at, frames) =>
      this.record("event", () => ops.stacksOp(frames), at),
    );
  }

  /** Suspends the detection of hangs, for a dialog or a debugger, until `resume` or the next heartbeat. */
  pause(): void {
    this.record("heartbeat", () => ops.plainOp("pause"));
  }

  /** Resumes the detection of hangs. */
  resume(): void {
    this.record("heartbeat", () => ops.plainOp("resume"));
  }

  /** Ends the session. Nothing is recorded after it. A program that exits ends its sessions by itself. */
  end(options?: EndOptions): void {
    this.finish(ops.endOp({ exit_code: options?.exitCode, signal: options?.signal }));
  }

  /** Records an uncaught exception, and ends the session as crashed. `reason` is recorded with the crash. */
  crash(thrown: unknown, exitCode?: number, reason = "uncaught_exception"): void {
    this.logException(thrown, { handled: false });
    this.finish(ops.crashOp(reason, exitCode));
  }

  /** The counts of this process's ops. */
  stats(): Stats {
    return {
      records: this.#records,
      dropped: { ...this.#dropped, ...this.#sink.losses() },
      waiting: this.#sink.waiting(),
    };
  }

  /**
   * Resolves when everything so far is safe: at once with a lane file; in direct mode when the server has it, or after the timeout. Never rejects.
   * @param timeoutMs Default: 5,000.
   */
  flush(timeoutMs?: number): Promise<void> {
    return this.#sink.flush(timeoutMs);
  }

  /** Calls `callback` once, when the session ends. */
  onEnd(callback: () => void): void {
    this.#endCallbacks.push(callback);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  protected log(name: unknown, options?: LogOptions, thrown?: ops.ExceptionFields): void {
    const kind = thrown ? "exception" : "event";
    this.record(kind, (losses) => ops.eventOp(name, options ?? {}, losses, thrown), options?.at);
  }

  protected measure(
    type: MetricType,
    name: unknown,
    measure: ops.Measure,
    options?: ops.MetricOptions,
  ): void {
    this.record("metric", (losses) => ops.metricOp(type, name, measure, options ?? {}, losses));
  }

  /** Records `end` or `crash`, after which nothing follows. */
  protected finish(text: string): void {
    if (!this.#isJoined) this.record("end", () => text);
    this.hasEnded = true;
    for (const callback of this.#endCallbacks.splice(0)) callback();
    this.#sink.close();
  }

  /** Records an op whose text is encoded already. */
  protected append(kind: Kind, at: number, text: string): void {
    this.#records++;
    this.#sink.write(kind, at, text);
  }

  /** Records the op that `write` encodes, and the losses that it adds. An error of the client itself is counted. */
  protected record(
    kind: Kind,
    write: (losses: Loss[], at: number) => string | undefined,
    requestedAt?: number,
  ): void {
    if (this.hasEnded) return;
    try {
      const isValid =
        typeof requestedAt === "number" && requestedAt >= 0 && requestedAt <= MAX_TIME;
      const at = isValid ? Math.floor(requestedAt) : this.clock();
      const losses: Loss[] = [];
      const text = write(losses, at);
      if (text !== undefined) this.append(kind, at, text);
      for (const loss of losses) this.#reportLoss(loss, at);
    } catch {
      add(this.#dropped, "internal"); // an error of this client, which must not reach the program
    }
  }

  /** A value that was recorded as something else is reported once per path; a missing one, each time. */
  #reportLoss({ cause, detail, isMissing }: Loss, at: number): void {
    add(this.#dropped, cause);
    if (!isMissing) {
      if (this.#reportedPaths.has(detail) || this.#reportedPaths.size >= MAX_REPORTED_PATHS) return;
      this.#reportedPaths.add(detail);
    }
    this.append("dropped", at, ops.droppedOp({ cause, count: 1, detail }));
  }
}
