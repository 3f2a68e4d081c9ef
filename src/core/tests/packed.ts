/**
 * The last result and the duration of each test of a run, packed for the catalog: twelve characters a test (eight for its key, one for the result,
 * three for the duration), in parts of some 500 to 1,000 tests. The part of a test follows from its key.
 */
import { MAX_TEST_PARTS, MIN_PART_TESTS } from "./limits.ts";
import { TESTS_SHOWN, type TestShown } from "./vocabulary.ts";

type PackedTest = { result: TestShown; duration_ms: number | null };

/** How many parts a run of so many tests has: a power of two. */
export function partsOf(tests: number): number {
  let parts = 1;
  while (parts < MAX_TEST_PARTS && tests >= parts * 2 * MIN_PART_TESTS) parts *= 2;
  return parts;
}

/** Every number of parts that a run may have. */
export const PART_COUNTS: readonly number[] = Array.from(
  { length: Math.log2(MAX_TEST_PARTS) + 1 },
  (_, power) => 2 ** power,
);

export function partOf(key: string, parts: number): number {
  return Number.parseInt(key.slice(0, 6), 16) % parts;
}

type Shown = PackedTest & { key: string };

/** One text for each part. */
export function packTests(tests: Iterable<Shown>, parts: number): string[] {
  const packed = Array.from({ length: parts }, (): string[] => []);
  for (const test of tests) packed[partOf(test.key, parts)]?.push(packTest(test));
  return packed.map((part) => part.join(""));
}

export function readPacked(packed: string): Map<string, PackedTest> {
  const tests = new Map<string, PackedTest>();
  for (let at = 0; at + LENGTH <= packed.length; at += LENGTH)
    tests.set(keyAt(packed, at), testAt(packed, at));
  return tests;
}

/** One test of a part; undefined if it did not run. */
export function findPacked(packed: string, key: string): PackedTest | undefined {
  const wanted = packKey(key);
  for (let at = packed.indexOf(wanted); at >= 0; at = packed.indexOf(wanted, at + 1))
    if (at % LENGTH === 0) return testAt(packed, at);
  return undefined;
}

const LENGTH = 12;
/** The code of "0": the 64 characters from it on are printable. */
const FIRST_DIGIT = 48;
/** A duration is stored by its logarithm, with a relative error of less than 0.01 %. */
const STEPS = 11_000;
const MOST = 64 ** 3 - 1;

function packTest({ key, result, duration_ms }: Shown): string {
  const code = duration_ms === null ? 0 : 1 + Math.round(Math.log1p(duration_ms) * STEPS);
  return packKey(key) + digits(TESTS_SHOWN.indexOf(result), 1) + digits(Math.min(code, MOST), 3);
}

function packKey(key: string): string {
  let packed = "";
  for (let i = 0; i < key.length; i += 3)
    packed += digits(Number.parseInt(key.slice(i, i + 3), 16), 2);
  return packed;
}

function digits(value: number, count: number): string {
  let text = "";
  for (let rest = value, i = 0; i < count; i++, rest = Math.floor(rest / 64))
    text = String.fromCharCode(FIRST_DIGIT + (rest % 64)) + text;
  return text;
}

function number(packed: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 64 + packed.charCodeAt(i) - FIRST_DIGIT;
  return value;
}

function keyAt(packed: string, at: number): string {
  let key = "";
  for (let i = 0; i < 8; i += 2)
    key += number(packed, at + i, 2)
      .toString(16)
      .padStart(3, "0");
  return key;
}

function testAt(packed: string, at: number): PackedTest {
  const code = number(packed, at + 9, 3);
  return {
    result: TESTS_SHOWN[number(packed, at + 8, 1)] ?? "passed",
    duration_ms: code === 0 ? null : Math.expm1((code - 1) / STEPS),
  };
}
