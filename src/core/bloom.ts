/**
 * Which three-letter runs occur in a text, approximately: says "certainly not" or "perhaps", so that full-text search need not
 * open segments that cannot match. A Bloom filter (Bloom, 1970) with two hashes over eight bits per run: about 5 % false alarms.
 */
const BITS_PER_RUN = 8;
const MAX_BYTES = 4_096;

/** `texts` in lower case. Returned as text, a digit of base 64 per six bits. */
export function bloomOf(texts: Iterable<string>): string {
  const runs = new Set<number>();
  for (const text of texts) for (const run of runsOf(text)) runs.add(run);
  const size = Math.min(MAX_BYTES * 8, Math.max(64, runs.size * BITS_PER_RUN));
  const digits = new Uint8Array(Math.ceil(size / 6));
  for (const run of runs) {
    for (const bit of bitsOf(run, digits.length * 6))
      digits[Math.floor(bit / 6)] = (digits[Math.floor(bit / 6)] ?? 0) | (1 << (bit % 6));
  }
  return Array.from(digits, (digit) => String.fromCharCode(FIRST_DIGIT + digit)).join("");
}

/** Whether a text that contains `needle` (lower case) may be among those of the filter. Short needles always may. */
export function mayContain(bloom: string, needle: string): boolean {
  for (const run of runsOf(needle)) {
    for (const bit of bitsOf(run, bloom.length * 6)) {
      if (!((bloom.charCodeAt(Math.floor(bit / 6)) - FIRST_DIGIT) & (1 << (bit % 6)))) return false;
    }
  }
  return true;
}

/** "0" and the 63 characters after it: printable, though a backslash among them takes two bytes in JSON. */
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
