/**
 * The tests of a session one by one, folded from their rows (row.ts): what lists, the tree of suites and the catalog are made of.
 * Entries are replaced, never changed, so a copy of the table costs a reference for each test.
 */
import type { TestItem, TestList, TestReport, TestSuite } from "../answers/tests.ts";
import { fold } from "../text/fold.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "../limits.ts";
import { matcherOf } from "../query/evaluate.ts";
import { testList, type TestPast } from "./fields.ts";
import { testKey, testName } from "./id.ts";
import { MAX_LISTED_SUITES, MAX_TABLE_TESTS, MIN_SLOW_MS } from "./limits.ts";
import { packTests } from "./packed.ts";
import { NEW_RECORD, type Share, shareOf, shownOf, type TestRecord, withEnd } from "./record.ts";
import type { TestRow } from "./row.ts";
import { newTally, type TestTotals } from "./tally.ts";
import type { TestShown } from "./vocabulary.ts";
import type { Query } from "../query/tree.ts";

export type TestsQuery = {
  results?: TestShown[];
  /** Occurs in the name or in the first line, folded (core/text/fold.ts). */
  text?: string;
  /** The first parts of the id. */
  prefix?: string[];
  keys?: string[];
  /** Of core/tests/fields.ts. */
  query?: Query | undefined;
  /** By key, for a query for tests of a product. */
  past?: { [key: string]: TestPast };
  sort?: "name" | "duration";
  cursor?: string;
  limit?: number;
};

type Entry = Omit<TestItem, "result" | "is_bad" | "name"> & {
  record: TestRecord;
  /** Sequences of its first and its last row. */
  first: number;
  last: number;
};

export class TestTable {
  readonly #entries: Map<string, Entry>;
  /** Rows of tests that do not fit. */
  leftOut: number;

  constructor(entries: Map<string, Entry> = new Map(), leftOut = 0) {
    this.#entries = entries;
    this.leftOut = leftOut;
  }

  copy(): TestTable {
    return new TestTable(new Map(this.#entries), this.leftOut);
  }

  get size(): number {
    return this.#entries.size;
  }

  add(row: TestRow): void {
    const key = testKey(row.id);
    const before = this.#entries.get(key);
    if (!before && this.#entries.size >= MAX_TABLE_TESTS) {
      this.leftOut++;
      return;
    }
    this.#entries.set(
      key,
      row.result === undefined ? started(before, row, key) : ended(before, row, key),
    );
  }

  item(key: string, runner = ""): TestItem | undefined {
    const entry = this.#entries.get(key);
    return entry && itemOf(entry, runner);
  }

  /** The sequences between which all rows of a test are. */
  span(key: string): { first: number; last: number } | undefined {
    return this.#entries.get(key);
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  totals(): TestTotals {
    const { totals } = newTally();
    for (const { record, kind } of this.#entries.values()) {
      const share = shareOf(record);
      if (record.attempt === 0) continue;
      if (share.isTest && kind === "subtest") totals.subtests++;
      addShare(totals, share);
    }
    return totals;
  }
}

function addShare(totals: TestTotals, share: Share): void {
  if (share.result) totals[share.result]++;
  totals.errors += share.errors;
  if (share.isTest) totals.tests++;
  if (share.isFlaky) totals.flaky++;
  if (share.isBad) totals[share.isSuite ? "suites" : "not_passed"]++;
}

function newEntry({ id, file, kind, at, seq, worker }: TestRow, key: string): Entry {
  return {
    key,
    id,
    file: file ?? 0,
    kind: kind ?? "test",
    attempts: 0,
    duration_ms: null,
    started_at: null,
    at,
    seq,
    text: "",
    worker: worker ?? "",
    record: NEW_RECORD,
    first: seq,
    last: seq,
  };
}

function started(before: Entry | undefined, row: TestRow, key: string): Entry {
  const { record, ...entry } = before ?? newEntry(row, key);
  const { at, seq, worker } = row;
  // It runs again: its result is that of the next end, and until then the last one.
  return {
    ...entry,
    started_at: at,
    at,
    seq,
    worker: worker ?? entry.worker,
    runs_again: true,
    record,
    last: seq,
  };
}

function ended(before: Entry | undefined, row: TestRow, key: string): Entry {
  const entry = before ?? newEntry(row, key);
  const { at, seq, phase, text = "", duration_ms, worker, kind, file } = row;
  const record = withEnd(entry.record, row, row.isError === true);
  const isNext = record.attempt > entry.record.attempt;
  const { isBad } = shareOf(record);
  // The account of a failure stays when another phase of the same attempt passes.
  const keeps = !isNext && isBad && !row.isError;
  return {
    key,
    id: entry.id,
    file: file ?? entry.file,
    kind: kind ?? entry.kind,
    attempts: Math.max(entry.attempts, row.attempt ?? 1),
    duration_ms: sum(isNext ? null : entry.duration_ms, duration_ms),
    started_at: entry.started_at,
    at,
    seq: keeps ? entry.seq : seq,
    text: keeps ? entry.text : text,
    phase: keeps ? entry.phase : phase,
    worker: worker ?? entry.worker,
    record,
    first: entry.first,
    last: seq,
  };
}

/** Of the phases of one attempt. */
function sum(before: number | null, duration: number | undefined): number | null {
  return duration === undefined ? before : (before ?? 0) + duration;
}

function itemOf({ record, first: _first, last: _last, ...entry }: Entry, runner: string): TestItem {
  return {
    ...entry,
    name: testName(entry, runner),
    result: shownOf(record),
    is_bad: shareOf(record).isBad,
  };
}

/** A page of the tests that match, by name or by duration, the longest first. */
export function listTests(table: TestTable, query: TestsQuery, runner: string): TestList {
  const { results, text, prefix, keys, sort = "name", cursor, limit = DEFAULT_PAGE } = query;
  const part = text === undefined ? undefined : fold(text);
  const passes = query.query && matcherOf(query.query, testList(query.past));
  const matching: Entry[] = [];
  for (const entry of table.entries()) {
    if (results && !results.includes(shownOf(entry.record))) continue;
    if (prefix && !isUnder(entry.id, prefix)) continue;
    if (keys && !keys.includes(entry.key)) continue;
    if (part !== undefined && !fold(`${testName(entry, runner)}\n${entry.text}`).includes(part))
      continue;
    if (passes?.(itemOf(entry, runner)) === false) continue;
    matching.push(entry);
  }
  matching.sort(sort === "duration" ? byDuration : byId);
  const from = Math.min(Math.max(0, Math.trunc(Number(cursor ?? 0)) || 0), matching.length);
  const end = from + limit;
  return {
    items: matching.slice(from, end).map((entry) => itemOf(entry, runner)),
    next: end < matching.length ? String(end) : null,
    matching: matching.length,
    left_out: table.leftOut,
  };
}

/** The tests packed for the catalog (packed.ts). */
export function packedOf(table: TestTable, parts: number): string[] {
  const tests = Array.from(table.entries(), ({ key, record, duration_ms }) => ({
    key,
    result: shownOf(record),
    duration_ms,
  }));
  return packTests(tests, parts);
}

type ReportPart = Exclude<keyof TestReport, "failing_keys">;

/** The first tests of each kind that a report shows, in one pass. */
export function reportOf(table: TestTable, runner: string, limit: number): TestReport {
  const parts: { [part in ReportPart]: Entry[] } = {
    failures: [],
    running: [],
    flaky: [],
    unexpected: [],
    skipped: [],
    slowest: [],
  };
  for (const entry of table.entries()) {
    const part = REPORTED[shownOf(entry.record)];
    if (part) parts[part].push(entry);
    if ((entry.duration_ms ?? 0) >= MIN_SLOW_MS) parts.slowest.push(entry);
  }
  const first = (entries: Entry[], order: typeof byId) => ({
    items: entries
      .sort(order)
      .slice(0, limit)
      .map((entry) => itemOf(entry, runner)),
    matching: entries.length,
  });
  return {
    failures: first(parts.failures, byId),
    running: first(parts.running, byId),
    flaky: first(parts.flaky, byId),
    unexpected: first(parts.unexpected, byId),
    skipped: first(parts.skipped, byId),
    slowest: first(parts.slowest, byDuration),
    failing_keys: parts.failures.slice(0, MAX_PAGE).map(({ key }) => key),
  };
}

/** The part of a report that each result is in. */
const REPORTED: { [shown in TestShown]?: ReportPart } = {
  failed: "failures",
  error: "failures",
  flaky: "flaky",
  running: "running",
  skipped: "skipped",
  expected_failure: "skipped",
  unexpected_pass: "unexpected",
};

function isUnder(id: string[], prefix: string[]): boolean {
  return prefix.every((part, index) => part === id[index]);
}

function byDuration(a: Entry, b: Entry): number {
  return (b.duration_ms ?? -1) - (a.duration_ms ?? -1) || byId(a, b);
}

/** By code units: a comparison by a language's rules takes ten times as long. */
function byId({ id: a }: Entry, { id: b }: Entry): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = "", other = ""] = [a[i], b[i]];
    if (one !== other) return one < other ? -1 : 1;
  }
  return a.length - b.length;
}

/** The next parts of the ids under a prefix, each with the counts of its tests: those with failures first. */
export function suitesOf(
  table: TestTable,
  prefix: string[],
): { items: TestSuite[]; left_out: number } {
  const suites = new Map<string, TestSuite>();
  for (const { id, key, record, duration_ms } of table.entries()) {
    if (id.length <= prefix.length || !isUnder(id, prefix)) continue;
    const part = id[prefix.length] ?? "";
    let suite = suites.get(part);
    if (!suite) {
      const none = { tests: 0, failed: 0, skipped: 0, flaky: 0, running: 0, duration_ms: 0 };
      suites.set(part, (suite = { part, ...none, has_more: false, key: null }));
    }
    if (id.length > prefix.length + 1) suite.has_more = true;
    else suite.key = key;
    suite.tests++;
    const result = shownOf(record);
    if (shareOf(record).isBad) suite.failed++;
    if (result === "skipped") suite.skipped++;
    if (result === "flaky") suite.flaky++;
    if (result === "running") suite.running++;
    suite.duration_ms += duration_ms ?? 0;
  }
  const all = [...suites.values()].sort(
    (a, b) => Number(b.failed > 0) - Number(a.failed > 0) || (a.part < b.part ? -1 : 1),
  );
  const items = all.slice(0, MAX_LISTED_SUITES);
  return { items, left_out: all.length - items.length };
}
