/**
 * A Bloom filter (Bloom, 1970) over the runs of three characters in a text. Its answer is "certainly not" or "possibly", so that
 * full-text search opens only segments that may match. Two hashes over eight bits per run give about 5 % false positives.
 */
import { BLOOM_BITS_PER_RUN, MAX_BLOOM_BYTES } from "../limits.ts";

/** The filter of `texts` (lower case), as a string with one character per six bits. */
export function bloomOf(texts: Iterable<string>): string {
  const runs = new Set<number>();
  for (const text of texts) for (const run of runsOf(text)) runs.add(run);
  const size = Math.min(MAX_BLOOM_BYTES * 8, Math.max(64, runs.size * BLOOM_BITS_PER_RUN));
  const digits = new Uint8Array(Math.ceil(size / 6));
  for (const run of runs) {
    for (const bit of bitsOf(run, digits.length * 6))
      digits[Math.floor(bit / 6)] = (digits[Math.floor(bit / 6)] ?? 0) | (1 << (bit % 6));
  }
  return Array.from(digits, (digit) => String.fromCharCode(FIRST_DIGIT + digit)).join("");
}

/** False if no text of the filter contains `part` (lower case). Always true for a part of fewer than three characters. */
export function mayContain(bloom: string, part: string): boolean {
  for (const run of runsOf(part)) {
    for (const bit of bitsOf(run, bloom.length * 6)) {
      if (!((bloom.charCodeAt(Math.floor(bit / 6)) - FIRST_DIGIT) & (1 << (bit % 6)))) return false;
    }
  }
  return true;
}

/** The code of "0". The 64 characters from it on are printable; a backslash among them takes two bytes in JSON. */
const FIRST_DIGIT = 48;

function* runsOf(text: string): Generator<number> {
  for (let i = 0; i + 2 < text.length; i++) {
    yield (
      (Math.imul(text.charCodeAt(i), 0x9e3779b1) ^
        Math.imul(text.charCodeAt(i + 1), 0x85ebca6b) ^
        Math.imul(text.charCodeAt(i + 2), 0xc2b2ae35)) >>>
        0
    );
  }
}

function bitsOf(run: number, size: number): [number, number] {
  return [run % size, (Math.imul(run ^ (run >>> 15), 0x2c1b3c6d) >>> 0) % size];
}
