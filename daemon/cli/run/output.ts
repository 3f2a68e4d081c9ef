/**
 * A command's output as events, one per line. Length and rate are bounded: what is cut or left out is counted, and the last lines before
 * the end are always recorded.
 */
import type { Event, Op } from "../../../src/core/wire.ts";
import { BURST_LINES, LINES_PER_SECOND, MAX_LINE_LENGTH, TAIL_LINES } from "../limits.ts";
import { Redactor } from "../../../src/core/secrets/redact.ts";
import { KeyLines } from "../../../src/core/secrets/key-lines.ts";
import { EVENT_OUTPUT } from "../../../src/core/vocabulary.ts";
import { ErrorTail } from "./errors/tail.ts";
import { type Line, Lines } from "./lines.ts";

export type StreamName = "stdout" | "stderr";

export class OutputRecorder {
  readonly #record: (op: Op) => void;
  readonly #redactor: Redactor;
  readonly #lines = { stdout: new Lines(), stderr: new Lines() };
  readonly #keys = { stdout: new KeyLines(), stderr: new KeyLines() };
  /** The last lines of each stream, in which the error of the command is searched. */
  readonly tails = { stdout: new ErrorTail(), stderr: new ErrorTail() };
  /** Lines above the rate, recorded when it allows them. */
  readonly #held: Event[] = [];
  #tokens = BURST_LINES;
  #refilledAt: number;
  #leftOut = 0;
  #cut = 0;

  constructor(record: (op: Op) => void, now: number, redactor = new Redactor()) {
    this.#record = record;
    this.#redactor = redactor;
    this.#refilledAt = now;
  }

  /** Records the bytes that the command has written. */
  take(stream: StreamName, bytes: Buffer, now: number): void {
    for (const line of this.#lines[stream].add(bytes, now)) this.#accept(stream, line, now);
    this.#release(now);
  }

  /** Call it each second: it records lines without their line break, and how many were left out. */
  tick(now: number): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const line = this.#lines[stream].takePartial(now);
      if (line) this.#accept(stream, line, now);
    }
    this.#release(now);
    this.#announce(now);
  }

  /** The command has ended: records the lines that are still kept back, and those without a line break. */
  finish(now: number): void {
    for (const stream of ["stdout", "stderr"] as const) {
      for (const line of this.#lines[stream].finish(now)) this.#accept(stream, line, now);
    }
    this.#announce(now);
    for (const event of this.#held.splice(0)) this.#record(event);
  }

  #accept(stream: StreamName, { text, cut }: Line, now: number): void {
    const line = { text: this.#redactor.text(this.#keys[stream].next(text)), cut };
    if (line.cut > 0) this.#cut += 1;
    this.tails[stream].add(line.text, now);
    this.#held.push({
      op: "event",
      at: now,
      name: EVENT_OUTPUT,
      category: stream === "stdout" ? "info" : "warning",
      group: stream,
      message: line.cut > 0 ? `${line.text}… (${line.cut} more characters)` : line.text,
    });
    this.#release(now);
    if (this.#held.length > TAIL_LINES) {
      this.#held.shift();
      this.#leftOut += 1;
    }
  }

  /** Records what the rate allows: a bucket that fills at LINES_PER_SECOND and holds BURST_LINES. */
  #release(now: number): void {
    const refill = (Math.max(0, now - this.#refilledAt) / 1000) * LINES_PER_SECOND;
    this.#tokens = Math.min(BURST_LINES, this.#tokens + refill);
    this.#refilledAt = now;
    while (this.#tokens >= 1) {
      const event = this.#held.shift();
      if (!event) return;
      this.#tokens -= 1;
      this.#record(event);
    }
  }

  #announce(at: number): void {
    if (this.#leftOut > 0) {
      const detail = `lines of output above ${LINES_PER_SECOND} per second`;
      this.#record({ op: "dropped", at, cause: "output_rate", count: this.#leftOut, detail });
    }
    if (this.#cut > 0) {
      const detail = `lines of output cut to ${MAX_LINE_LENGTH} characters`;
      this.#record({ op: "dropped", at, cause: "too_large", count: this.#cut, detail });
    }
    this.#leftOut = 0;
    this.#cut = 0;
  }
}
