/**
 * The tests of a session, counted event by event: by the result of each test's last attempt, with what failed and what is running. A part of the
 * observations, so it is stored with each batch: its size is bounded (limits.ts). It has the last result of the first MAX_REMEMBERED_TESTS; of
 * further tests each end counts as a test of its own, unless its attempt or its phase shows that it has another one.
 */
import type { Event, JsonObject } from "../wire.ts";
import type { TestFact } from "./fact.ts";
import { testKey } from "./id.ts";
import {
  MAX_NAMED_FAILURES,
  MAX_REMEMBERED_TESTS,
  MAX_REPLACED_RECORDS,
  MAX_RUNNER_LENGTH,
  MAX_RUNNING_TESTS,
  MAX_TEST_TEXT_LENGTH,
} from "./limits.ts";
import {
  NEW_RECORD,
  type TestRecord,
  withEnd,
  shareOf,
  packRecord,
  readRecords,
} from "./record.ts";

export type TestTotals = {
  /** Distinct tests that ended, subtests and type checks too. */
  tests: number;
  subtests: number;
  passed: number;
  failed: number;
  /** Ends with an error: of a call, and each outside of one (collection, setup, teardown, hooks of suites). */
  errors: number;
  skipped: number;
  expected_failures: number;
  unexpected_passes: number;
  /** Passed in the end, after an attempt that failed. */
  flaky: number;
  /** Tests that failed or had an error in the end. */
  not_passed: number;
  /** The same of files and hooks of suites. */
  suites: number;
};

/** A test that failed, or runs: where its event is, and the first line of its failure. */
export type NamedTest = {
  key: string;
  id: string[];
  file?: number;
  at: number;
  seq: number;
  text: string;
  /** The exception's type, and the line that it names: "conftest.py:3". */
  type?: string;
  place?: string;
  phase?: string;
  isSuite?: true;
};

export type TestTally = {
  totals: TestTotals;
  /** Records (record.ts), ten characters each; a later one of the same test replaces an earlier one. */
  records: string;
  failures: NamedTest[];
  running: NamedTest[];
  runner: string;
  planned: number | null;
  /** As the runner counted them at its end. */
  printed: { [what: string]: number } | null;
};

export function newTally(): TestTally {
  const totals = {
    tests: 0,
    subtests: 0,
    passed: 0,
    failed: 0,
    errors: 0,
    skipped: 0,
    expected_failures: 0,
    unexpected_passes: 0,
    flaky: 0,
    not_passed: 0,
    suites: 0,
  };
  return {
    totals,
    records: "",
    failures: [],
    running: [],
    runner: "",
    planned: null,
    printed: null,
  };
}

/** The records of a tally, read from its text once. */
const known = new WeakMap<TestTally, Map<string, TestRecord>>();

function recordsOf(tally: TestTally): Map<string, TestRecord> {
  let records = known.get(tally);
  if (!records) known.set(tally, (records = readRecords(tally.records)));
  return records;
}

/** Counts the start or the end of a test. */
export function noteTest(tally: TestTally, event: Event, fact: TestFact, seq: number): void {
  const key = testKey(fact.id);
  if (fact.result === undefined) {
    if (tally.running.length < MAX_RUNNING_TESTS && !tally.running.some((one) => one.key === key))
      tally.running.push(named(event, fact, seq, key));
    return;
  }
  const running = tally.running.findIndex((one) => one.key === key);
  if (running >= 0) tally.running.splice(running, 1);

  const records = recordsOf(tally);
  const before = records.get(key);
  const isNew = before === undefined && !isLater(records, fact);
  const earlier = before ?? (isNew ? NEW_RECORD : assumed(fact));
  const after = withEnd(earlier, fact, event.category === "error");
  if (isNew && fact.kind === "subtest") tally.totals.subtests++;
  add(tally.totals, earlier, -1);
  add(tally.totals, after, 1);

  if (before || records.size < MAX_REMEMBERED_TESTS) {
    records.set(key, after);
    tally.records += packRecord(key, after);
    if (tally.records.length > (records.size + MAX_REPLACED_RECORDS) * RECORD_LENGTH * 2)
      tally.records = Array.from(records, ([each, record]) => packRecord(each, record)).join("");
  }
  noteFailure(tally, event, fact, seq, key, shareOf(after).isBad);
}

const RECORD_LENGTH = 10;

/** Of a test that is not remembered: whether it had an end before this one. */
function isLater(records: Map<string, TestRecord>, { attempt = 1, phase, result }: TestFact) {
  if (records.size < MAX_REMEMBERED_TESTS) return false;
  return attempt > 1 || (phase === "teardown" && result === "error");
}

/** Runners repeat what failed, and tear down what passed. */
function assumed({ attempt = 1, kind }: TestFact): TestRecord {
  const fact = { id: [], kind, attempt: Math.max(1, attempt - 1) };
  return withEnd(NEW_RECORD, { ...fact, result: attempt > 1 ? "failed" : "passed" }, true);
}

function add(totals: TestTotals, record: TestRecord, sign: 1 | -1): void {
  const share = shareOf(record);
  if (share.result) totals[share.result] += sign;
  totals.errors += sign * share.errors;
  if (share.isTest) totals.tests += sign;
  if (share.isFlaky) totals.flaky += sign;
  if (share.isBad) totals[share.isSuite ? "suites" : "not_passed"] += sign;
}

function noteFailure(
  tally: TestTally,
  event: Event,
  fact: TestFact,
  seq: number,
  key: string,
  isBad: boolean,
): void {
  const index = tally.failures.findIndex((one) => one.key === key);
  if (!isBad) {
    if (index >= 0) tally.failures.splice(index, 1);
    return;
  }
  // A passed end after an error in the setup of the same attempt does not replace the failure.
  if (index >= 0 && fact.result === "passed") return;
  if (index >= 0) tally.failures[index] = named(event, fact, seq, key);
  else if (tally.failures.length < MAX_NAMED_FAILURES)
    tally.failures.push(named(event, fact, seq, key));
}

function named(event: Event, fact: TestFact, seq: number, key: string): NamedTest {
  const { source_file: file, source_line: line } = event;
  return {
    key,
    id: fact.id,
    file: fact.file || undefined,
    at: event.at,
    seq,
    text: failureText(event, fact),
    type: event.exception_type?.slice(0, MAX_TEST_TEXT_LENGTH) || undefined,
    place: file
      ? `${withinRoot(file, fact)}${line === undefined ? "" : `:${line}`}`.slice(
          -MAX_TEST_TEXT_LENGTH,
        )
      : undefined,
    phase: fact.phase,
    isSuite: fact.kind === "suite" || undefined,
  };
}

/** The test's own file as its id names it, without the folder of this machine. */
function withinRoot(path: string, { id, file = 0 }: TestFact): string {
  const known = id[file] ?? "";
  return known !== "" && path.replaceAll("\\", "/").endsWith(`/${known}`) ? known : path;
}

/** The first line that explains the result; "" if there is none. */
export function failureText(
  event: Pick<Event, "message" | "exception_type" | "exception_msg">,
  fact: Pick<TestFact, "reason">,
): string {
  const { exception_type: type, exception_msg: text } = event;
  const thrown = type && text ? `${type}: ${text}` : type;
  for (const candidate of [event.message, thrown, fact.reason]) {
    const line = candidate
      ?.slice(0, MAX_TEST_TEXT_LENGTH * 4)
      .trimStart()
      .split("\n", 1)[0]
      ?.trim();
    if (line) return line.slice(0, MAX_TEST_TEXT_LENGTH);
  }
  return "";
}

/** Notes what the plugin keeps in the state `tests`: its runner, how many tests are planned, and the runner's own counts. */
export function noteTestRun(
  tally: TestTally | undefined,
  patch: JsonObject,
): TestTally | undefined {
  const run = Object.hasOwn(patch, "tests") ? patch["tests"] : undefined;
  if (typeof run !== "object" || run === null || Array.isArray(run)) return tally;
  const { runner, planned, counts } = run;
  // A program's own state may have the same key.
  if (!tally && typeof runner !== "string") return tally;
  const noted = tally ?? newTally();
  if (typeof runner === "string") noted.runner = runner.slice(0, MAX_RUNNER_LENGTH);
  if (isCount(planned)) noted.planned = planned;
  if (typeof counts === "object" && counts !== null && !Array.isArray(counts)) {
    const printed = PRINTED.flatMap((what) => {
      const count = Object.hasOwn(counts, what) ? counts[what] : undefined;
      return isCount(count) ? [[what, count] as const] : [];
    });
    noted.printed = { ...noted.printed, ...Object.fromEntries(printed) };
  }
  return noted;
}

/** The counts of a runner that are compared. */
const PRINTED = ["passed", "failed", "errors", "skipped"] as const;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
