/** The last lines of a stream, bounded, and the start of an error that has more lines than that. */
import { plainText } from "../../../../src/core/text/recorded-text.ts";
import { ERROR_START_LINES, ERROR_LINE_LENGTH, ERROR_TAIL_LINES } from "../../limits.ts";

/** Lines without control sequences, and when each was printed. */
export type Printed = { lines: string[]; times: number[] };

/** The start of the errors that may have thousands of lines. */
const LONG_ERROR =
  /^(?:panic: |fatal error: |SIG[A-Z]+: |Traceback \(|Exception in thread |=+\d+=+ERROR)/;

export class ErrorTail {
  #lines: string[] = [];
  #times: number[] = [];
  #start: Printed = { lines: [], times: [] };

  add(line: string, at: number): void {
    this.#lines.push(line.slice(0, ERROR_LINE_LENGTH));
    this.#times.push(at);
    if (this.#lines.length === 2 * ERROR_TAIL_LINES) this.#trim();
  }

  /** The last lines. */
  get last(): Printed {
    return { lines: this.#lines.map(plainText), times: this.#times };
  }

  /** The start of an error whose end is in `last`. */
  get start(): Printed {
    return this.#start;
  }

  #trim(): void {
    const first = this.#lines.findLastIndex(
      (line, index) => index < ERROR_TAIL_LINES && LONG_ERROR.test(line),
    );
    if (first >= 0) {
      const lines = this.#lines.slice(first, first + ERROR_START_LINES).map(plainText);
      this.#start = { lines, times: this.#times.slice(first, first + ERROR_START_LINES) };
    }
    this.#lines = this.#lines.slice(ERROR_TAIL_LINES);
    this.#times = this.#times.slice(ERROR_TAIL_LINES);
  }
}
