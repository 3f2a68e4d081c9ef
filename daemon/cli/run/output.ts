/**
 * A command's output as events, one per line. Length and rate are bounded: what is cut or left out is counted, and the last lines before
 * the end are always recorded.
 */
import { StringDecoder } from "node:string_decoder";
import type { Event, Op } from "../../../src/core/wire.ts";
import {
  BURST_LINES,
  LINES_PER_SECOND,
  MAX_LINE_LENGTH,
  PARTIAL_LINE_MS,
  TAIL_LINES,
} from "../limits.ts";

export type StreamName = "stdout" | "stderr";

export class OutputRecorder {
  readonly #record: (op: Op) => void;
  readonly #lines = { stdout: new Lines(), stderr: new Lines() };
  /** Lines above the rate, recorded when it allows them. */
  readonly #held: Event[] = [];
  #tokens = BURST_LINES;
  #refilledAt: number;
  #leftOut = 0;
  #cut = 0;

  constructor(record: (op: Op) => void, now: number) {
    this.#record = record;
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
      const line = this.#lines[stream].takePartial(now - PARTIAL_LINE_MS);
      if (line) this.#accept(stream, line, now);
    }
    this.#release(now);
    this.#announce(now);
  }

  /** The command has ended: records the lines that are still kept back. */
  finish(now: number): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const line = this.#lines[stream].takePartial(now);
      if (line) this.#accept(stream, line, now);
    }
    this.#announce(now);
    for (const event of this.#held.splice(0)) this.#record(event);
  }

  #accept(stream: StreamName, line: Line, now: number): void {
    if (line.cut > 0) this.#cut += 1;
    this.#held.push({
      op: "event",
      at: now,
      name: "output",
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

/** `cut`: how many characters of the line are not in `text`. */
type Line = { text: string; cut: number };

/** One stream's bytes as lines of text, with their colour codes, which the page shows as a terminal does. */
class Lines {
  readonly #decoder = new StringDecoder("utf8");
  #partial: Line = { text: "", cut: 0 };
  #since = 0;

  add(bytes: Buffer, now: number): Line[] {
    const [first = "", ...others] = this.#decoder.write(bytes).split("\n");
    const lines: Line[] = [];
    this.#append(first, now);
    for (const text of others) {
      lines.push(this.#finish());
      this.#append(text, now);
    }
    return lines;
  }

  /** The line without its line break, if it began at `before` or earlier. */
  takePartial(before: number): Line | undefined {
    if (this.#partial.text === "" || this.#since > before) return undefined;
    return this.#finish();
  }

  #append(text: string, now: number): void {
    if (this.#partial.text === "") this.#since = now;
    const whole = this.#partial.text + text;
    // After a carriage return without a line feed the text overwrites the line, as progress bars do.
    const overwritten = whole.lastIndexOf("\r", whole.length - 2) + 1;
    const room = overwritten + MAX_LINE_LENGTH;
    this.#partial = {
      text: whole.slice(overwritten, room),
      cut: (overwritten > 0 ? 0 : this.#partial.cut) + Math.max(0, whole.length - room),
    };
  }

  #finish(): Line {
    const { text, cut } = this.#partial;
    this.#partial = { text: "", cut: 0 };
    return { text: text.replace(/\r$/, ""), cut };
  }
}
