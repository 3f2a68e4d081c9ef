/**
 * Space on the disk that a session takes when it opens, so that its last reports of losses and its `end` can be written on a full disk: a
 * file of empty lines, which is overwritten in place and renamed to a part of the lane (clients/README.md, "Writing").
 */
import { closeSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { RESERVED_BYTES } from "../limits.ts";

const NEWLINE = 0x0a;

export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #isThere = true;

  private constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /** Undefined if there is no space. */
  static make(path: string, headerBytes: number): Reserve | undefined {
    const blank = new Uint8Array(RESERVED_BYTES + headerBytes).fill(NEWLINE);
    const reserve = new Reserve(path, blank.length);
    if (writeWhole(path, "wx", blank)) return reserve;
    reserve.remove();
    return undefined;
  }

  /** Writes a part into the space. Returns whether it fits, and has its name. */
  become(path: string, part: Uint8Array): boolean {
    if (!this.#isThere || part.length > this.#bytes) return false;
    if (!writeWhole(this.#path, "r+", part)) return false;
    try {
      renameSync(this.#path, path);
      this.#isThere = false;
      return true;
    } catch {
      return false;
    }
  }

  remove(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    try {
      unlinkSync(this.#path);
    } catch {
      // the daemon removes it with the lane
    }
  }
}

function writeWhole(path: string, flags: string, bytes: Uint8Array): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, flags, 0o600);
    return writeSync(file, bytes, 0, bytes.length, 0) === bytes.length;
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

export function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
