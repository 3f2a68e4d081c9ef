/** A recording: what a program calls. No call throws, waits, or prints, whatever it is given. */
import { EVENT_EXCEPTION } from "../../src/core/vocabulary.ts";
import type { Json } from "../../src/core/wire.ts";
import { exceptionFields } from "./exception.ts";
import { startMonitor, type HeartbeatMonitor } from "./heartbeat.ts";
import { type EventOptions, type MetricOptions } from "./ops.ts";
import type { LogOptions, Recorder, Stats } from "./recorder.ts";
import { Timer } from "./timer.ts";

export type { EventOptions, HeartbeatMonitor, LogOptions, MetricOptions, Stats, Timer };

export type ExceptionOptions = LogOptions & {
  /** The event's name; `exception` unless said otherwise. */
  name?: string | undefined;
  /** False: it ended the program, or a part of it. */
  handled?: boolean | undefined;
};
export type HistogramOptions = MetricOptions & {
  /** Upper bounds, ascending; what is above the last counts too. Default: good for seconds. */
  buckets?: readonly number[] | undefined;
};
export type EndOptions = { exitCode?: number | undefined; signal?: string | undefined };

/** Where a session's ops go, as far as the session itself must know. */
export type Outlet = {
  /** Resolves once everything so far is where it will survive: on disk at once, else at the server or given up. */
  flush(timeoutMs?: number): Promise<void>;
  /** No more ops will come. */
  close(): void;
  /** Ops that wait in memory. */
  waiting(): number;
  /** Ops that it lost, by cause. */
  losses(): { [cause: string]: number };
};

export class Session {
  /** The session's id: give it to another process as `DATACAT_SESSION`, and it records into the same session. */
  readonly id: string;
  /** The server it goes to. */
  readonly url: string;
  readonly #recorder: Recorder;
  readonly #outlet: Outlet;
  readonly #monitors = new Set<HeartbeatMonitor>();
  readonly #onEnd = new Set<() => void>();

  constructor(id: string, url: string, recorder: Recorder, outlet: Outlet) {
    this.id = id;
    this.url = url;
    this.#recorder = recorder;
    this.#outlet = outlet;
  }

  /** Environment for a child process that records into this session. */
  get environment(): { DATACAT_SESSION: string; DATACAT_URL: string } {
    return { DATACAT_SESSION: this.id, DATACAT_URL: this.url };
  }

  get hasEnded(): boolean {
    return this.#recorder.hasEnded;
  }

  /** Merges a patch into the session's state: objects merge, null deletes, everything else replaces. */
  updateState(patch: { [key: string]: Json | undefined } | object): void {
    this.#recorder.state(patch);
  }

  /** Something happened. */
  event(name: string, options?: LogOptions): void {
    this.#recorder.log(name, options);
  }

  /** An exception, with its stack and what led to it. Anything can be thrown, so anything can be given. */
  exception(thrown: unknown, options: ExceptionOptions = {}): void {
    const fields = { ...exceptionFields(thrown), handled: options.handled };
    this.#recorder.log(options.name ?? EVENT_EXCEPTION, options, fields);
  }

  /** A value that goes up and down. */
  gauge(name: string, value: number | bigint, options?: MetricOptions): void {
    this.#recorder.gauge(name, value, options);
  }

  /** Adds to a total. */
  counter(name: string, delta: number | bigint = 1, options?: MetricOptions): void {
    this.#recorder.counter(name, delta, options);
  }

  /** One sample of a distribution. */
  histogram(name: string, value: number | bigint, options: HistogramOptions = {}): void {
    this.#recorder.measure("histogram", name, { value, buckets: options.buckets }, options);
  }

  /** Measures until it is stopped: `using timer = session.timer("save")`, or call `stop()`. */
  timer(name: string, options: MetricOptions = {}): Timer {
    return new Timer((seconds, count) => {
      this.#recorder.measure("timer", name, { value: seconds, count }, options);
    });
  }

  /** Measures a function, also one that waits; its result or exception passes through. */
  time<Result>(name: string, work: () => Result, options: MetricOptions = {}): Result {
    const timer = this.timer(name, options);
    let result: Result;
    try {
      result = work();
    } catch (thrown) {
      timer.stop();
      throw thrown; // the caller's own, not ours
    }
    if (result instanceof Promise) {
      const stop = () => timer.stop();
      result.then(stop, stop);
    } else {
      timer.stop();
    }
    return result;
  }

  /** The program is alive. The first one arms hang detection: the next is due within `timeoutMs` (60 s, or what was last said). */
  heartbeat(timeoutMs?: number): void {
    this.#recorder.beat(timeoutMs);
  }

  /** Heartbeats from the event loop until stopped: when the loop is blocked for longer than `timeoutMs`, the session counts as hung. */
  heartbeatMonitor(timeoutMs = 60_000): HeartbeatMonitor {
    const monitor = startMonitor(this.#recorder, timeoutMs, () => this.#monitors.delete(monitor));
    this.#monitors.add(monitor);
    return monitor;
  }

  /** No heartbeats for a while, on purpose: a dialog, a debugger. */
  pause(): void {
    this.#recorder.pause();
  }

  resume(): void {
    this.#recorder.resume();
  }

  /** The program is done with this session. Nothing is recorded after it. */
  end(options: EndOptions = {}): void {
    this.#recorder.finish({ exit_code: options.exitCode, signal: options.signal });
    this.#close();
  }

  /** The program goes down by an exception that nobody caught. */
  crash(thrown: unknown, reason = "uncaught_exception", exitCode?: number): void {
    this.exception(thrown, { handled: false });
    this.#recorder.crash(reason, exitCode);
    this.#close();
  }

  /** How much was recorded, how much of it was lost on the way, and how much waits in memory (direct mode). */
  stats(): Stats & { waiting: number } {
    const { records, dropped } = this.#recorder.stats();
    return {
      records,
      dropped: { ...dropped, ...this.#outlet.losses() },
      waiting: this.#outlet.waiting(),
    };
  }

  /** Waits until everything so far is safe: at once with a lane, after sending in direct mode. Never rejects. */
  flush(timeoutMs?: number): Promise<void> {
    return this.#outlet.flush(timeoutMs);
  }

  /** Calls back once when the session ends. */
  onEnd(callback: () => void): void {
    this.#onEnd.add(callback);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #close(): void {
    for (const monitor of this.#monitors) monitor.stop();
    for (const callback of this.#onEnd) callback();
    this.#onEnd.clear();
    this.#outlet.close();
  }
}
