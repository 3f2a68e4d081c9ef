/**
 * Turns log calls into ops and hands them to a sink (a lane, or the queue of direct mode), with the losses that went
 * with them. Nothing here throws: whatever happens, the program goes on.
 */
import type { MetricType } from "../../src/core/vocabulary.ts";
import type { Loss } from "./encode.ts";
import { MAX_TOLD_PATHS } from "./limits.ts";
import * as ops from "./ops.ts";

/** What kind of op it is: a full queue gives up metrics first. */
export type Kind = "start" | "state" | "event" | "metric" | "heartbeat" | "dropped" | "end";

export type Sink = {
  /** Takes one op: `text` is its JSON after the time. Uses up one sequence, whether it can be written or not. Never throws. */
  write(kind: Kind, at: number, text: string): void;
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

  log(
    name: unknown,
    options: ops.EventOptions & ops.ExceptionFields & { at?: number | undefined } = {},
  ): void {
    this.#record("event", (losses) => ops.eventOp(name, options, losses), options.at);
  }

  measure(
    type: MetricType,
    name: unknown,
    measure: ops.Measure,
    options: ops.MetricOptions = {},
  ): void {
    this.#record("metric", (losses) => ops.metricOp(type, name, measure, options, losses));
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
    if (!this.#joined) this.#record("end", () => ops.crashOp({ reason, exit_code: exitCode }));
    this.#ended = true;
  }

  stats(): Stats {
    return { records: this.#records, dropped: Object.fromEntries(this.#dropped) };
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
