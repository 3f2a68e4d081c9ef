/** A recording: what a program calls. No call throws, waits, or prints, whatever it is given. */
import { EVENT_EXCEPTION } from "../../src/core/vocabulary.ts";
import { exceptionFields } from "./exception.ts";
import { startMonitor, type HeartbeatMonitor } from "./heartbeat.ts";
import { crashOp, endOp, type MetricOptions, type Start } from "./ops.ts";
import { Recorder, type LogOptions, type Sink, type Stats } from "./recorder.ts";
import { Timer } from "./timer.ts";

export type ExceptionOptions = LogOptions & {
  /** The event's name; `exception` unless said otherwise. */
  name?: string | undefined;
  /** False: it ended the program, or a part of it. */
  handled?: boolean | undefined;
};
export type EndOptions = { exitCode?: number | undefined; signal?: string | undefined };

/** Where a session's ops go. */
export type Outlet = Sink & {
  /** Resolves once everything so far is where it will survive: on disk at once, else at the server or given up. */
  flush(timeoutMs?: number): Promise<void>;
  /** No more ops will come. */
  close(): void;
  /** Ops that wait in memory. */
  waiting(): number;
  /** Ops that it lost, by cause. */
  losses(): { [cause: string]: number };
};

export class Session extends Recorder<Outlet> {
  /** The session's id: give it to another process as `DATACAT_SESSION`, and it records into the same session. */
  readonly id: string;
  /** The server it goes to. */
  readonly url: string;
  readonly #atEnd = new Set<() => void>();

  constructor(id: string, url: string, start: Start, outlet: Outlet, isJoined: boolean) {
    super(outlet, isJoined);
    this.id = id;
    this.url = url;
    this.begin(start);
  }

  /** Environment for a child process that records into this session. */
  get environment(): { DATACAT_SESSION: string; DATACAT_URL: string } {
    return { DATACAT_SESSION: this.id, DATACAT_URL: this.url };
  }

  /** An exception, with its stack and what led to it. Anything can be thrown, so anything can be given. */
  exception(thrown: unknown, options?: ExceptionOptions): void {
    const fields = { ...exceptionFields(thrown), handled: options?.handled };
    this.log(options?.name ?? EVENT_EXCEPTION, options, fields);
  }

  /** Measures until it is stopped: `using timer = session.timer("save")`, or call `stop()`. */
  timer(name: string, options?: MetricOptions): Timer {
    return new Timer((value, count) => this.measure("timer", name, { value, count }, options));
  }

  /** Measures a function, also one that waits; its result or exception passes through. */
  time<Result>(name: string, work: () => Result, options?: MetricOptions): Result {
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

  /** Heartbeats from the event loop until stopped: when the loop is blocked for longer than `timeoutMs`, the session counts as hung. */
  heartbeatMonitor(timeoutMs = 60_000): HeartbeatMonitor {
    const monitor = startMonitor(this, timeoutMs, () => this.#atEnd.delete(stop));
    const stop = () => monitor.stop();
    this.#atEnd.add(stop);
    return monitor;
  }

  /** The program is done with this session. Nothing is recorded after it. */
  end(options?: EndOptions): void {
    this.finish(endOp({ exit_code: options?.exitCode, signal: options?.signal }));
    this.#close();
  }

  /** The program goes down by an exception that nobody caught. */
  crash(thrown: unknown, exitCode?: number, reason = "uncaught_exception"): void {
    this.exception(thrown, { handled: false });
    this.finish(crashOp(reason, exitCode));
    this.#close();
  }

  /** How much was recorded, how much of it was lost on the way, and how much waits in memory (direct mode). */
  stats(): Stats & { waiting: number } {
    const { recorded, sink } = this;
    const dropped = { ...recorded.dropped, ...sink.losses() };
    return { ...recorded, dropped, waiting: sink.waiting() };
  }

  /** Waits until everything so far is safe: at once with a lane, after sending in direct mode. Never rejects. */
  flush(timeoutMs?: number): Promise<void> {
    return this.sink.flush(timeoutMs);
  }

  /** Calls back once when the session ends. */
  onEnd(callback: () => void): void {
    this.#atEnd.add(callback);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #close(): void {
    for (const callback of this.#atEnd) callback();
    this.#atEnd.clear();
    this.sink.close();
  }
}
