/**
 * What is remembered of one test while its session records: the result of its last attempt, and what its earlier ends were. Packed as ten characters:
 * eight for the key, two for the record.
 */
import type { TestFact } from "./fact.ts";
import type { TestResult, TestShown } from "./vocabulary.ts";

export type TestRecord = {
  /** Of the last end that was no error outside of the call; 0: none (ENDS). */
  code: number;
  /** An earlier end failed. */
  hadFailure: boolean;
  /** Errors of the last attempt outside of the call: bits of ERROR_PHASES. */
  errors: number;
  isSuite: boolean;
  attempt: number;
};

export const NEW_RECORD: TestRecord = {
  code: 0,
  hadFailure: false,
  errors: 0,
  isSuite: false,
  attempt: 0,
};

/** What a test counts in, by the result of its last end that was no error outside of the call. */
type Counted = "passed" | "failed" | "skipped" | "expected_failures" | "unexpected_passes";

type End = { result?: TestResult; counted?: Counted; shown: TestShown };

/** By the code of a record. The last one is an unexpected pass that counts as a failure, since the runner is strict. */
const ENDS: End[] = [
  { shown: "running" },
  { result: "passed", counted: "passed", shown: "passed" },
  { result: "failed", counted: "failed", shown: "failed" },
  { result: "error", shown: "error" },
  { result: "skipped", counted: "skipped", shown: "skipped" },
  { result: "expected_failure", counted: "expected_failures", shown: "expected_failure" },
  { result: "unexpected_pass", counted: "unexpected_passes", shown: "unexpected_pass" },
  { result: "unexpected_pass", counted: "unexpected_passes", shown: "failed" },
];
const PASSED = 1;
const FAILED = 2;
const ERROR = 3;
const STRICT = 7;
const BAD = new Set([FAILED, ERROR, STRICT]);
const ERROR_PHASES: { [phase in string]?: number } = { setup: 1, teardown: 2, collect: 4 };
/** Larger attempts count as this one. */
const MAX_PACKED_ATTEMPT = 15;

/** `isError`: the event is of the category error. */
export function withEnd(record: TestRecord, fact: TestFact, isError: boolean): TestRecord {
  const attempt = Math.min(fact.attempt ?? 1, MAX_PACKED_ATTEMPT);
  const bit = fact.result === "error" ? (ERROR_PHASES[fact.phase ?? "call"] ?? 0) : 0;
  const code =
    fact.result === "unexpected_pass" && isError
      ? STRICT
      : ENDS.findIndex(({ result }) => result !== undefined && result === fact.result);
  const isBad = bit > 0 || BAD.has(code);
  // An end of an earlier attempt, which another lane sent late.
  if (attempt < record.attempt) return { ...record, hadFailure: record.hadFailure || isBad };
  const isNext = attempt > record.attempt && record.attempt > 0;
  const errors = isNext ? 0 : record.errors;
  const isReplaced = isNext || (bit === 0 && record.code > 0);
  return {
    code: bit > 0 ? (isNext ? 0 : record.code) : code,
    hadFailure:
      record.hadFailure || (isReplaced && (BAD.has(record.code) || (isNext && record.errors > 0))),
    errors: errors | bit,
    isSuite: fact.kind === "suite" || fact.kind === "benchmark",
    attempt,
  };
}

export type Share = {
  /** Undefined: nothing but errors. */
  result?: Counted | undefined;
  errors: number;
  isTest: boolean;
  isSuite: boolean;
  isFlaky: boolean;
  /** It failed or had an error in the end. */
  isBad: boolean;
};

/** What a test adds to the totals. */
export function shareOf({ code, hadFailure, errors, isSuite, attempt }: TestRecord): Share {
  const outside = (errors & 1) + ((errors >> 1) & 1) + ((errors >> 2) & 1);
  const isBad = errors > 0 || BAD.has(code);
  if (isSuite)
    return {
      errors: outside + (BAD.has(code) ? 1 : 0),
      isTest: false,
      isSuite: true,
      isFlaky: false,
      isBad,
    };
  return {
    result: ENDS[code]?.counted,
    errors: outside + (code === ERROR ? 1 : 0),
    isTest: attempt > 0,
    isSuite: false,
    isFlaky: hadFailure && code === PASSED && errors === 0,
    isBad,
  };
}

/** What a list shows for a test. */
export function shownOf(record: TestRecord): TestShown {
  const { code, errors, attempt } = record;
  if (attempt === 0) return "running";
  if (shareOf(record).isFlaky) return "flaky";
  if (errors > 0 && code !== FAILED) return "error";
  return ENDS[code]?.shown ?? "running";
}

/** The code of "0": the 64 characters from it on are printable. */
const FIRST_DIGIT = 48;
const KEY_DIGITS = 8;
const RECORD_DIGITS = 10;

export function packRecord(key: string, record: TestRecord): string {
  const { code, hadFailure, errors, isSuite, attempt } = record;
  const flags = code | (hadFailure ? 8 : 0) | (errors << 4) | (isSuite ? 128 : 0) | (attempt << 8);
  let packed = "";
  for (let i = 0; i < key.length; i += 3) {
    const bits = Number.parseInt(key.slice(i, i + 3), 16);
    packed += String.fromCharCode(FIRST_DIGIT + (bits >> 6), FIRST_DIGIT + (bits & 63));
  }
  return packed + String.fromCharCode(FIRST_DIGIT + (flags >> 6), FIRST_DIGIT + (flags & 63));
}

export function readRecords(packed: string): Map<string, TestRecord> {
  const records = new Map<string, TestRecord>();
  const digit = (at: number) => (packed.charCodeAt(at) - FIRST_DIGIT) & 63;
  for (let at = 0; at + RECORD_DIGITS <= packed.length; at += RECORD_DIGITS) {
    let key = "";
    for (let i = 0; i < KEY_DIGITS; i += 2)
      key += ((digit(at + i) << 6) | digit(at + i + 1)).toString(16).padStart(3, "0");
    const flags = (digit(at + KEY_DIGITS) << 6) | digit(at + KEY_DIGITS + 1);
    records.set(key, {
      code: flags & 7,
      hadFailure: (flags & 8) > 0,
      errors: (flags >> 4) & 7,
      isSuite: (flags & 128) > 0,
      attempt: flags >> 8,
    });
  }
  return records;
}
