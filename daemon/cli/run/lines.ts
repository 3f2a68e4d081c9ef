/**
 * One stream's bytes as lines of text, as a terminal would show them. Colours stay, which the page draws. A carriage return starts the
 * line again, and other control sequences are removed. Each character is read once, whatever the text.
 */
import { StringDecoder } from "node:string_decoder";
import {
  MAX_CONTROL_STRING,
  MAX_LINE_LENGTH,
  MAX_PARAMETERS,
  PARTIAL_LINE_MS,
  PROGRESS_MS,
} from "../limits.ts";

/** `cut`: how many characters of the line are not in `text`. */
export type Line = { text: string; cut: number };

/** What the next character belongs to (ECMA-48): text, an escape sequence, a control sequence, or a string such as a window title. */
type Mode = "text" | "escape" | "control" | "string";

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROL = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g;

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const COLOUR = /\u001B\[[\d;:]{0,32}m/y;
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const COLOUR_AT_END = /\u001B\[[\d;:]{0,32}m$/;

export class Lines {
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #cut = 0;
  /** When the line began. */
  #since = 0;
  /** The cursor is at the start of the line: what follows overwrites it. */
  #isReturned = false;
  /** The line was overwritten, as progress bars do. It is recorded rarely until it is complete. */
  #isProgress = false;
  #progressMs = PARTIAL_LINE_MS;
  #progress = "";
  #mode: Mode = "text";
  /** The parameters of a control sequence. */
  #parameters = "";
  #stringLength = 0;

  /** The lines that these bytes complete. */
  add(bytes: Buffer, now: number): Line[] {
    return this.#read(this.#decoder.write(bytes), now);
  }

  /** The line without its line break, if it is due: a question at once, a progress bar less and less often. */
  takePartial(now: number): Line | undefined {
    if (this.#text === "") return undefined;
    if (!this.#isProgress)
      return now - this.#since >= PARTIAL_LINE_MS ? this.#complete() : undefined;
    if (now - this.#since < this.#progressMs || this.#text === this.#progress) return undefined;
    this.#since = now;
    this.#progressMs = Math.min(this.#progressMs * 2, PROGRESS_MS);
    this.#progress = this.#text;
    return { text: this.#text, cut: this.#cut };
  }

  /** The stream has ended: the line without its line break, whenever it began. */
  finish(now: number): Line[] {
    const lines = this.#read(this.#decoder.end(), now);
    if (this.#text !== "") this.#completeInto(lines);
    return lines;
  }

  #read(text: string, now: number): Line[] {
    const lines: Line[] = [];
    let at = 0;
    while (at < text.length) {
      if (this.#mode !== "text") {
        at = this.#skip(text, at);
        continue;
      }
      CONTROL.lastIndex = at;
      const next = CONTROL.test(text) ? CONTROL.lastIndex - 1 : text.length;
      if (next > at) this.#put(text.slice(at, next), now);
      at = next + 1;
      if (next === text.length) break;
      const character = text.charAt(next);
      if (character === "\n") this.#completeInto(lines);
      else if (character === "\u001B") at = this.#colour(text, next);
      else this.#control(character);
    }
    return lines;
  }

  #put(text: string, now: number): void {
    if (this.#text === "" && !this.#isProgress) this.#since = now;
    if (this.#isReturned) this.#restart();
    const length = this.#text.length + text.length;
    if (length <= MAX_LINE_LENGTH) this.#text += text;
    else {
      const room = Math.max(0, MAX_LINE_LENGTH - this.#text.length);
      this.#text += text.slice(0, room);
      this.#cut += text.length - room;
    }
  }

  /** Clears the line, because what follows is another version of it. */
  #restart(): void {
    this.#isProgress = true;
    this.#text = "";
    this.#cut = 0;
    this.#isReturned = false;
  }

  #control(character: string): void {
    switch (character) {
      case "\r":
        this.#isReturned = true;
        return;
      case "\b":
        this.#backspace();
        return;
      case "\u009B":
        this.#enterControl();
        return;
      case "\u0090":
      case "\u0098":
      case "\u009D":
      case "\u009E":
      case "\u009F":
        this.#enterString();
    }
  }

  /** An escape: a colour, which most sequences are, or the start of another sequence. Returns where the next character is. */
  #colour(text: string, at: number): number {
    COLOUR.lastIndex = at;
    if (COLOUR.test(text)) {
      this.#putStyle(text.slice(at, COLOUR.lastIndex));
      return COLOUR.lastIndex;
    }
    this.#mode = "escape";
    return at + 1;
  }

  #backspace(): void {
    if (this.#text === "") return;
    this.#isProgress = true; // a spinner
    if (this.#cut > 0) this.#cut -= 1;
    // The end of a colour code is no character.
    else if (!COLOUR_AT_END.test(this.#text.slice(-36)))
      this.#text = this.#text.replace(/[\uD800-\uDBFF]?[^]$/, "");
  }

  #enterControl(): void {
    this.#mode = "control";
    this.#parameters = "";
  }

  #enterString(): void {
    this.#mode = "string";
    this.#stringLength = 0;
  }

  /** Reads one character of a sequence. Returns where the next character is. */
  #skip(text: string, at: number): number {
    const character = text.charAt(at);
    // A line break ends an unfinished sequence, so that the next line is readable; CAN and SUB cancel one.
    if (character === "\n") return this.#toText(at);
    if (this.#mode === "escape" && character < " ") return this.#toText(at);
    if (character === "\u0018" || character === "\u001A") return this.#toText(at + 1);
    if (this.#mode === "escape") {
      if (character === "[") this.#enterControl();
      else if ("]PX^_".includes(character)) this.#enterString();
      else if (character > "/") this.#mode = "text";
      return at + 1;
    }
    if (this.#mode === "control") return this.#skipControl(character, at);
    if (character === "\u001B") this.#mode = "escape"; // of the terminator "ESC \", or of another sequence
    else if (character === "\u0007" || character === "\u009C") this.#mode = "text";
    else if (++this.#stringLength > MAX_CONTROL_STRING) this.#mode = "text";
    return at + 1;
  }

  #skipControl(character: string, at: number): number {
    if (character >= "@" && character <= "~") {
      this.#mode = "text";
      this.#act(character);
    } else if (character < " " || character > "?" || this.#parameters.length >= MAX_PARAMETERS)
      return this.#toText(at); // not a control sequence
    else this.#parameters += character;
    return at + 1;
  }

  #toText(at: number): number {
    this.#mode = "text";
    return at;
  }

  /** Carries out a control sequence, as far as it changes the text of the line. */
  #act(final: string): void {
    const parameters = this.#parameters;
    if (final === "m" && /^[\d;:]*$/.test(parameters)) this.#putStyle(`\u001B[${parameters}m`);
    else if (final === "G" && Number(parameters) <= 1) this.#isReturned = true;
    else if (final === "K" && (this.#isReturned || parameters === "2")) this.#restart();
  }

  #putStyle(code: string): void {
    if (this.#isReturned) this.#restart();
    if (this.#text.length + code.length <= MAX_LINE_LENGTH) this.#text += code;
  }

  /** The line is complete. A progress bar is not recorded again if its last version is, or if it was cleared. */
  #completeInto(lines: Line[]): void {
    const isRecorded = this.#isProgress && this.#text === this.#progress;
    const line = this.#complete();
    if (!isRecorded) lines.push(line);
  }

  #complete(): Line {
    const line = { text: this.#text, cut: this.#cut };
    this.#text = "";
    this.#cut = 0;
    this.#isReturned = false;
    if (!this.#isProgress) return line;
    this.#isProgress = false;
    this.#progress = "";
    this.#progressMs = PARTIAL_LINE_MS;
    return line;
  }
}
