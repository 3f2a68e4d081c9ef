/** One line of a lane: `<crc> <json>\n` (clients/README.md). Detects damaged lines, and finds the intact records in them. */
import { crc32 } from "node:zlib";
import { MAX_REPAIR_BYTES } from "../limits.ts";

/** Where a line is in a block of bytes. */
export type Span = { from: number; to: number };

/** Eight hex digits and a blank. */
export const PREFIX = 9;
const BLANK = 0x20;
const BRACE = 0x7b;
export const NEWLINE = 0x0a;

/** The line that carries this JSON. */
export function frame(json: string): Buffer {
  const bytes = Buffer.from(json, "utf8");
  const line = Buffer.allocUnsafe(bytes.length + PREFIX + 1);
  line.write(crc32(bytes).toString(16).padStart(8, "0"), 0, "latin1");
  line[8] = BLANK;
  bytes.copy(line, PREFIX);
  line[line.length - 1] = NEWLINE;
  return line;
}

/** JSON with the bytes that every client writes: a lone surrogate is U+FFFD, not an escape. */
export function laneJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes("\\ud") ? JSON.stringify(wellFormed(value)) : text;
}

/** Whether bytes from..to (without the line break) are a record as it was written. */
export function isIntact(bytes: Buffer, from: number, to: number): boolean {
  if (to - from <= PREFIX || bytes[from + 8] !== BLANK) return false;
  let crc = 0;
  for (let i = from; i < from + 8; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return false;
    crc = (crc << 4) | digit;
  }
  return crc >>> 0 === crc32(bytes.subarray(from + PREFIX, to));
}

/** The intact records within a damaged line: damage to a line break merges two lines into one. */
export function salvage(bytes: Buffer, from: number, to: number): Span[] {
  const starts = [from];
  for (let i = from + PREFIX; i < to - PREFIX; i++) {
    if (bytes[i + 8] === BLANK && bytes[i + 9] === BRACE && hexDigit(bytes[i] ?? 0) >= 0) {
      starts.push(i);
    }
  }
  const found: Span[] = [];
  let free = from;
  for (const [index, start] of starts.entries()) {
    if (start < free) continue;
    // A record ends at the line's end, at the damaged line break before the next start, or at that start.
    // Damaged bytes may look like a start, so three are tried.
    const ends = starts.slice(index + 1, index + 4).flatMap((next) => [next - 1, next]);
    const end = [...ends, to].find((candidate) => isIntact(bytes, start, candidate));
    if (end === undefined) continue;
    found.push({ from: start, to: end });
    free = end;
  }
  return found;
}

/** A line with one flipped bit, repaired. CRC-32 differs for every single flip, so there is one result or none. */
export function repair(line: Buffer): Buffer | undefined {
  if (line.length > MAX_REPAIR_BYTES) return undefined;
  const copy = Buffer.from(line);
  for (let i = 0; i < copy.length; i++) {
    const original = copy[i] ?? 0;
    for (let bit = 0; bit < 8; bit++) {
      copy[i] = original ^ (1 << bit);
      if (isIntact(copy, 0, copy.length)) return copy;
    }
    copy[i] = original;
  }
  return undefined;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  return -1;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("utf8");
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [wellFormed(key), wellFormed(item)]),
  );
}
