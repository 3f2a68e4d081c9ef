/** Private keys that arrive line by line, as in a command's output: each line of the block becomes a mark. */
import { MAX_KEY_LINES } from "./limits.ts";
import { markOf } from "./text.ts";

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY/;
/** Base64, a header of an encrypted key, or nothing. */
const INSIDE = /^[A-Za-z0-9+/=:,. \t-]{0,120}$/;

export class KeyLines {
  /** How many more lines may belong to the key; 0 outside of one. */
  #left = 0;

  /** The line as it may be recorded. A line that begins or ends a key keeps what stands around it. */
  next(line: string): string {
    const begin = line.search(BEGIN);
    const end = line.search(END);
    if (begin >= 0 && end < begin) {
      this.#left = MAX_KEY_LINES;
      return line.slice(0, begin) + markOf("private-key");
    }
    if (this.#left === 0) return line;
    if (end >= 0) {
      this.#left = 0;
      return (
        markOf("private-key") + line.slice(end).replace(/^-----END [A-Z0-9 ]{0,60}(?:-----)?/, "")
      );
    }
    this.#left = INSIDE.test(line) ? this.#left - 1 : 0;
    return this.#left > 0 ? markOf("private-key") : line;
  }
}
