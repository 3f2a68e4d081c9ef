/** Reports of test runners: files written for these tests after the formats of their generators. */
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readReport } from "../../../../daemon/cli/import/read.ts";
import { opsOf } from "../../../../daemon/cli/import/record.ts";
import { BadReport } from "../../../../daemon/cli/import/report.ts";
import type { Event } from "../../../../src/core/wire.ts";

const REPORTS = "test/fixtures/reports";
const CONTEXT = { name: "app", product: "app", version: undefined, ci: undefined, tags: [] };

/** The ops of a report, as if it was imported in /ci/app. */
function imported(...paths: string[]) {
  const { ops, counts } = opsOf(
    paths.map((path) => readReport(path, "/ci/app")),
    CONTEXT,
  );
  const [start] = ops;
  const events = ops.filter((op) => op.op === "event");
  const tests = events.filter(({ name }) => name === "test");
  const not = (result: string) => tests.filter((event) => event.test?.result === result);
  return { ops, counts, start, events, tests, not };
}

const named = (events: Event[], name: string) =>
  events.filter((event) => event.test?.id.at(-1) === name);

function written(name: string, text: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "datacat-report-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test.each([
  ["surefire.xml", "Maven Surefire", { passed: 2, failed: 2, errors: 1, skipped: 1 }],
  ["gradle.xml", "JUnit XML", { passed: 1, failed: 1 }],
  ["pytest.xml", "pytest", { passed: 1, failed: 1, errors: 2, skipped: 1, expected_failures: 1 }],
  ["jest.xml", "jest", { passed: 1, failed: 1, skipped: 1 }],
  ["go-junit-report.xml", "go test go1.25.1", { passed: 2, failed: 1, skipped: 1 }],
  ["phpunit.xml", "PHPUnit", { passed: 1, failed: 1, errors: 1, skipped: 1 }],
  ["ctest.xml", "JUnit XML", { passed: 1, failed: 1, skipped: 2 }],
  ["mocha.xml", "mocha", { passed: 1, failed: 1, skipped: 1 }],
  ["rspec.xml", "RSpec", { passed: 1, failed: 1, skipped: 1 }],
  ["nextest.xml", "cargo nextest", { passed: 2, failed: 1 }],
  ["node-test.tap", "TAP", { passed: 1, failed: 1, skipped: 1, expected_failures: 1 }],
  [
    "perl.tap",
    "TAP",
    { passed: 2, failed: 1, skipped: 1, expected_failures: 1, unexpected_passes: 1 },
  ],
  ["bail.tap", "TAP", { passed: 1, errors: 1 }],
  ["planless.tap", "TAP", { passed: 2, errors: 1 }],
])("%s: its runner and its counts", (file, runner, expected) => {
  const { counts, start, ops, tests } = imported(join(REPORTS, file));
  expect(counts).toEqual(expected);
  expect(start).toMatchObject({ op: "start", state: { tests: { runner, root: "app" } } });
  expect(ops.at(-2)).toMatchObject({ op: "state", patch: { tests: { counts: expected } } });
  const ids = tests.map(({ test: { id, attempt } = { id: [] } }) => JSON.stringify([id, attempt]));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ops.every(({ at }, i) => i === 0 || at >= (ops[i - 1]?.at ?? 0))).toBe(true);
});

test.each([
  [
    "surefire.xml",
    ["com.acme.MergeTest", "deep"],
    {
      exception_type: "org.opentest4j.AssertionFailedError",
      message: "expected: <2> but was: <1>",
      source_file: "MergeTest.java",
      source_line: 31,
      test: { duration_ms: 1_000_500, diff: { expected: "2", actual: "1" } },
    },
  ],
  [
    "gradle.xml",
    ["com.acme.ParserTest", "parses(String)[1]"],
    { exception_type: "java.lang.IllegalStateException", exception_msg: "bad input" },
  ],
  [
    "pytest.xml",
    ["tests.test_merge.TestMerge", "test_deep[1-2]"],
    {
      exception_type: "AssertionError",
      message: "AssertionError: assert 1 == 2",
      source_file: "tests/test_merge.py",
      source_line: 6,
      test: { output: "hello\n", duration_ms: 10 },
    },
  ],
  [
    "jest.xml",
    ["src/merge.test.js", "merge", "is deep"],
    {
      exception_type: "Error",
      message: "Error: expect(received).toBe(expected) // Object.is equality",
      source_line: 9,
    },
  ],
  [
    "go-junit-report.xml",
    ["acme.com/app/merge", "TestMerge/deep"],
    { message: "merge_test.go:12: got 1, want 2", source_file: "merge_test.go", source_line: 12 },
  ],
  [
    "phpunit.xml",
    ["tests/MergeTest.php", "Acme.MergeTest", 'testPairs with data set "b"'],
    {
      exception_type: "PHPUnit\\Framework\\ExpectationFailedException",
      test: { diff: { text: expect.stringContaining("-    0 => 2\n+    0 => 1") as string } },
    },
  ],
  [
    "ctest.xml",
    ["Linux-c++", "merge.deep"],
    { test: { output: expect.stringContaining("merge_test.cc:31") as string } },
  ],
  [
    "mocha.xml",
    ["test/merge.js", "is deep", "merge is deep"],
    { exception_type: "AssertionError", source_file: "test/merge.js", source_line: 9 },
  ],
  [
    "rspec.xml",
    ["spec/merge_spec.rb", "Merge is deep"],
    {
      exception_type: "RSpec::Expectations::ExpectationNotMetError",
      source_file: "./spec/merge_spec.rb",
      source_line: 9,
    },
  ],
  [
    "nextest.xml",
    ["app::merge", "tests::deep"],
    { message: "thread 'tests::deep' panicked at src/lib.rs:31:9: assertion failed" },
  ],
  [
    "node-test.tap",
    ["node-test.tap", "merge", "is deep"],
    {
      exception_type: "AssertionError",
      message: "Expected values to be strictly equal:",
      source_line: 9,
      test: { duration_ms: 1.25, diff: { expected: "2", actual: "1" } },
    },
  ],
  [
    "perl.tap",
    ["perl.tap", "adds # twice"],
    { message: "Failed test 'adds'", source_file: "t/add.t", source_line: 7 },
  ],
  ["bail.tap", ["bail.tap"], { message: "Bail out! MySQL is not running." }],
])("%s: a failure", (file, id, expected) => {
  const { tests } = imported(join(REPORTS, file));
  const event = tests.find(
    ({ test: { id: own, result } = { id: [] } }) =>
      result !== "passed" && JSON.stringify(own) === JSON.stringify(id),
  );
  expect(event ?? tests.map((one) => one.test?.id)).toMatchObject({
    op: "event",
    category: "error",
    handled: true,
    ...expected,
  });
});

test("other attempts of a test are recorded before the one that decides", () => {
  const surefire = imported(join(REPORTS, "surefire.xml")).tests;
  expect(named(surefire, "sometimes").map((event) => event.test)).toMatchObject([
    { result: "failed", output: "try 1\n", duration_ms: 10 },
    { result: "passed", attempt: 2, duration_ms: 30 },
  ]);
  expect(named(surefire, "never").map(({ message, test: one }) => [message, one?.attempt])).toEqual(
    [
      ["one", undefined],
      ["two", 2],
    ],
  );
  const nextest = imported(join(REPORTS, "nextest.xml")).tests;
  expect(named(nextest, "tests::sometimes").map((event) => event.test?.result)).toEqual([
    "failed",
    "passed",
  ]);
});

test("pytest's phases, reasons and files that do not load", () => {
  const { tests } = imported(join(REPORTS, "pytest.xml"));
  expect(named(tests, "test_setup")[0]).toMatchObject({
    message: 'failed on setup with "ValueError: in setup"',
    test: { result: "error", phase: "setup" },
  });
  expect(named(tests, "tests.test_new")[0]).toMatchObject({
    message: "ModuleNotFoundError: No module named 'nothing'",
    exception_type: "ModuleNotFoundError",
    test: { result: "error", phase: "collect", kind: "suite" },
  });
  expect(named(tests, "test_net")[0]?.test?.reason).toBe("no network");
  expect(named(tests, "test_known")[0]?.test?.reason).toBe("known");
});

test("times are those of the report, properties are state, and what a suite printed is an event", () => {
  const { start, tests, events } = imported(join(REPORTS, "gradle.xml"));
  const began = Date.parse("2026-01-02T03:04:05.678Z");
  expect(start?.at).toBe(began);
  expect(tests.map(({ at }) => at)).toEqual([began + 20, began + 50]);
  expect(events.at(-1)).toMatchObject({ name: "suite_output", message: "loading grammar\n" });
  expect(start).toMatchObject({ state: { hostname: "build-7" } });
  expect(imported(join(REPORTS, "rspec.xml")).start).toMatchObject({
    state: { properties: { seed: "1234" } },
  });
  // Without times the report was written when its tests had ended.
  const path = written("a.xml", readFileSync(join(REPORTS, "phpunit.xml")));
  utimesSync(path, 1_767_000_000, 1_767_000_000);
  const ends = imported(path).ops.at(-1)?.at;
  expect(ends).toBe(1_767_000_000_000);
});

test("a file of every class of a run is one session, and a test that occurs twice is two", () => {
  const twice = written(
    "a.xml",
    '<testsuite name="s"><testcase name="a"/><testcase name="a"/></testsuite>',
  );
  expect(imported(twice).tests.map((event) => event.test?.id)).toEqual([
    ["s", "a"],
    ["s", "a #2"],
  ]);
  const { counts } = imported(join(REPORTS, "surefire.xml"), join(REPORTS, "gradle.xml"));
  expect(counts).toEqual({ passed: 3, failed: 3, errors: 1, skipped: 1 });
});

test("encodings: a byte order mark, UTF-16, Latin-1", () => {
  const xml = '<testsuite name="s"><testcase name="é"/></testsuite>';
  for (const bytes of [
    Buffer.from(`\ufeff${xml}`),
    Buffer.from(`\ufeff${xml}`, "utf16le"),
    Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${xml}`, "latin1"),
  ])
    expect(imported(written("a.xml", bytes)).tests[0]?.test?.id).toEqual(["s", "é"]);
});

test.each([
  ["cut off", '<testsuite name="s">\n<testcase name="a">', 2, "ends inside of <testcase>"],
  ["not closed", "<testsuite>\n\n<testcase></testsuite>", 3, "Unexpected close tag"],
  ["an empty file", "", 1, "begin with <"],
  ["text", "hello", 1, "begin with <"],
  ["HTML", "<html><body/></html>", 1, "<html> is no JUnit XML"],
  [
    "an entity of its own",
    '<!DOCTYPE t [<!ENTITY a "b">]>\n<testsuite name="&a;"/>',
    2,
    "Invalid character entity",
  ],
  [
    "elements within each other",
    `<testsuite>\n${"<testsuite>".repeat(200)}`,
    2,
    "More than 100 elements",
  ],
  ["an unknown encoding", '<?xml version="1.0" encoding="klingon"?><a/>', 1, "klingon"],
])("a damaged file is refused with its line: %s", (_, text, line, message) => {
  const read = () => readReport(written("a.xml", text), "/ci/app");
  expect(read).toThrow(BadReport);
  expect(read).toThrow(message);
  try {
    read();
  } catch (error) {
    expect((error as BadReport).line).toBe(line);
  }
});

test("entities of a document type are not expanded, and its external parts are not read", () => {
  const levels = Array.from(
    { length: 30 },
    (_, i) => `<!ENTITY l${i + 1} "&l${i};&l${i};&l${i};&l${i};">`,
  );
  const bomb = `<?xml version="1.0"?><!DOCTYPE t [<!ENTITY l0 "ha">${levels.join("")}]><testsuite name="&l30;"/>`;
  expect(() => readReport(written("a.xml", bomb), "/")).toThrow("Invalid character entity");
  const file =
    '<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite name="s"><testcase name="a"/></testsuite>';
  expect(imported(written("a.xml", file)).counts).toEqual({ passed: 1 });
});

test("a large output and a large failure are bounded, and time is linear", () => {
  const text = "x y\n".repeat(500_000);
  const xml = `<testsuite name="s"><testcase name="a"><failure message="${"m".repeat(200_000)}">${text}</failure><system-out>${text}last</system-out></testcase></testsuite>`;
  const [event] = imported(written("a.xml", xml)).tests;
  expect(event?.test?.output).toHaveLength(16 * 1024);
  expect(event?.test?.output).toMatch(/last$/);
  expect(JSON.stringify(event).length).toBeLessThan(250_000);
});

test("secrets in a report are redacted", () => {
  const xml =
    '<testsuite name="s"><properties><property name="db.password" value="hunter2"/></properties><testcase name="a"><failure>token=abc123def456ghi789</failure></testcase></testsuite>';
  expect(JSON.stringify(imported(written("a.xml", xml)).ops)).not.toMatch(/hunter2|abc123def456/);
});

test("subtests of any number are read, with the point that sums them up and without one", () => {
  const many = written(
    "many.tap",
    `${"    ok 1 - a\n".repeat(150_000)}    1..150000\nok 1 - all\n1..1\n`,
  );
  expect(readReport(many, "/").report.tests).toHaveLength(150_000);
  const open = written("open.tap", "    ok 1\n1..1\n".repeat(20_000));
  expect(readReport(open, "/").report.tests).toHaveLength(40_001); // each subtest lacks its plan, as does the file
});

test("the first fault of a report ends its reading", () => {
  const reports = {
    "Unencoded <": `<testsuite>\n${"<".repeat(1e6)}`,
    "a name that cannot be read": `<testsuite>\n<testcase hasOwnProperty="1" name="x"/></testsuite>`,
  };
  for (const [why, xml] of Object.entries(reports)) {
    const read = () => readReport(written("a.xml", xml), "/");
    expect(read).toThrow(BadReport);
    expect(read).toThrow(
      expect.objectContaining({ line: 2, message: expect.stringContaining(why) as string }),
    );
  }
});
