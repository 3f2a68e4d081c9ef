/** What the tests of a session add to its verdict: the headline, and the reasons as sentences. */
import type { Evidence } from "../answers/verdict.ts";
import type { TestRun } from "../answers/tests.ts";
import { formatCount, formatNumber } from "../text/format.ts";
import { plainText } from "../text/recorded-text.ts";
import type { End } from "../wire.ts";
import { testName } from "./id.ts";
import { MAX_EVIDENT_FAILURES } from "./limits.ts";
import type { NamedTest, TestTally } from "./tally.ts";

/** Tests, and files or hooks of suites, that did not pass. */
export function failedTests(tally: TestTally | undefined): number {
  return tally ? tally.totals.not_passed + tally.totals.suites : 0;
}

/** The run's counts. */
export function testRunOf(tally: TestTally): TestRun {
  const { totals, runner, planned, running } = tally;
  return { ...totals, runner, planned, not_run: notRun(tally), running: running.length };
}

/** How many planned tests did not run. Subtests are in no plan. */
function notRun({ planned, totals }: TestTally): number {
  return planned === null ? 0 : Math.max(0, planned - (totals.tests - totals.subtests));
}

/** "298 passed, 39 failed, 2 flaky", without what is 0. */
function totalsText({ totals }: Pick<TestTally, "totals">): string {
  const parts = [
    [totals.passed, "passed"],
    [totals.failed, "failed"],
    [totals.errors, totals.errors === 1 ? "error" : "errors"],
    [totals.skipped, "skipped"],
    [totals.expected_failures, "failed as expected"],
    [totals.unexpected_passes, "passed unexpectedly"],
    [totals.flaky, "flaky"],
  ] as const;
  const present = parts.filter(([count]) => count > 0);
  return present.map(([count, what]) => `${formatNumber(count)} ${what}`).join(", ");
}

/** The headline of a run that ended; undefined if its tests do not decide it. */
export function testHeadline(tally: TestTally, end: Omit<End, "op">): string | undefined {
  const { totals, planned, runner } = tally;
  const { exit_code: code = 0, signal } = end;
  const missing = notRun(tally);
  const skippedPlan = missing > 0 ? `, ${formatNumber(missing)} did not run` : "";

  if (failedTests(tally) > 0) {
    if (totals.tests === 0) return `Failed before any test ran: ${earlyFailure(tally)}`;
    const failed =
      totals.not_passed > 0
        ? `${formatNumber(totals.not_passed)} of ${formatCount(totals.tests, "test")} failed`
        : `${formatCount(totals.suites, "error")} outside of ${formatCount(totals.tests, "test")}`;
    const how = signal ? `, ended by ${signal}` : code === 0 ? ", exit code 0" : "";
    // No exit code is known of a session that ended without one.
    return `${failed}${skippedPlan}${end.exit_code === undefined && !signal ? "" : how}`;
  }
  if (signal) {
    const last = lastRunning(tally);
    return last && `Ended by ${signal} in ${testName(last, runner)}`;
  }
  if (missing > 0 && planned !== null) {
    const but = code === 0 ? "" : `: exit code ${code}`;
    return `${formatNumber(missing)} of ${formatNumber(planned)} planned tests did not run${but}`;
  }
  if (totals.tests === 0) return code === 0 ? "No test ran" : `No test ran: exit code ${code}`;
  return code === 0 ? passedText(tally) : `${passedText(tally)}, but exit code ${code}`;
}

function passedText({ totals }: TestTally): string {
  const good = totals.passed + totals.expected_failures + totals.unexpected_passes;
  const skipped = totals.skipped > 0 ? `${formatNumber(totals.skipped)} skipped` : "";
  const flaky = totals.flaky > 0 ? `${formatNumber(totals.flaky)} flaky` : "";
  const passed = good > 0 || !skipped ? `${formatCount(good, "test")} passed` : "";
  return [passed, skipped, flaky].filter(Boolean).join(", ");
}

/** "SyntaxError in conftest.py:3" */
function earlyFailure({ failures, runner }: TestTally): string {
  const [first] = failures;
  if (!first) return "an error";
  const { type, place, text } = first;
  if (type && place) return `${type} in ${place}`;
  return plainText(text || testName(first, runner));
}

/** The test that started last of those that run: of a test and its subtest, the subtest. */
function lastRunning({ running }: TestTally): NamedTest | undefined {
  return running.at(-1);
}

/** The headline of a run that crashed while a test ran; `cause` is how, without its verb. */
export function crashedIn(tally: TestTally | undefined): string | undefined {
  const last = tally && lastRunning(tally);
  return last && testName(last, tally.runner);
}

/** `isOver`: the session ended or crashed. */
export function testEvidence(
  tally: TestTally | undefined,
  isOver: boolean,
  exitCode?: number,
): Evidence[] {
  if (!tally || isEmpty(tally)) return [];
  const evidence: Evidence[] = [];
  const add = (kind: string, text: string, at?: number) =>
    evidence.push({ kind, text, at, confidence: "certain" });
  const { runner, running, failures, planned } = tally;

  const totals = totalsText(tally) || "No test has ended";
  add("tests", runner ? `${totals} (${plainText(runner)})` : totals);
  const failed = failedTests(tally);
  for (const failure of failures.slice(0, MAX_EVIDENT_FAILURES))
    add("failed_test", failureSentence(failure, runner), failure.at);
  const others = failed - Math.min(failures.length, MAX_EVIDENT_FAILURES);
  if (failed > 0 && others > 0) add("failed_test", `${formatCount(others, "more test")} failed`);
  if (isOver && failed > 0 && exitCode === 0)
    add("exit_code_differs", "The runner ended with exit code 0 although tests failed");
  if (isOver && failed === 0 && exitCode)
    add("exit_code_differs", `The runner ended with exit code ${exitCode} although no test failed`);

  const innermost = running.filter((one) => !running.some((other) => isWithin(other, one)));
  for (const test of innermost.slice(-MAX_EVIDENT_FAILURES)) {
    const when = isOver ? "was running when it ended" : "is running";
    add("running_test", `${testName(test, runner)} ${when}`, test.at);
  }
  const missing = isOver ? notRun(tally) : 0;
  if (missing > 0)
    add(
      "not_run",
      `${formatNumber(missing)} of ${formatNumber(planned ?? 0)} planned tests did not run`,
    );
  const differing = isOver ? differences(tally) : [];
  if (differing.length > 0)
    add(
      "tests_differ",
      `The runner counted ${differing.join(", ")}: some results are missing here`,
    );
  return evidence;
}

function isEmpty({ totals, running, planned }: TestTally): boolean {
  return totals.tests + totals.suites + running.length === 0 && planned === null;
}

function isWithin(inner: NamedTest, outer: NamedTest): boolean {
  return inner.id.length > outer.id.length && outer.id.every((part, i) => part === inner.id[i]);
}

function failureSentence(failure: NamedTest, runner: string): string {
  const { text, phase } = failure;
  const during = phase && phase !== "call" ? ` (${PHASE_LABELS[phase] ?? phase})` : "";
  const name = `${testName(failure, runner)}${during}`;
  return plainText(text ? `${name}: ${text}` : name);
}

const PHASE_LABELS: { [phase: string]: string } = {
  collect: "while it was collected",
  setup: "in its setup",
  teardown: "in its teardown",
};

/** Where the runner's own counts are larger than those recorded: "340 passed (337 recorded)". */
function differences({ totals, printed }: TestTally): string[] {
  return Object.entries(printed ?? {}).flatMap(([what, count]) => {
    const recorded = totals[what as "passed" | "failed" | "errors" | "skipped"]; // as: tally.ts notes only these
    return count === recorded ? [] : [`${count} ${what} (${recorded} recorded)`];
  });
}

/** The headline of a run that goes on: "Running: 120 of 337 tests, 3 failed". */
export function runningHeadline(tally: TestTally | undefined): string {
  if (!tally || tally.totals.tests === 0) return "Running";
  const { totals, planned } = tally;
  const of = planned === null ? "" : ` of ${formatNumber(planned)}`;
  const ran = planned === null ? totals.tests : totals.tests - totals.subtests;
  const failed = failedTests(tally);
  const tests = planned === null ? formatCount(ran, "test") : `${formatNumber(ran)}${of} tests`;
  return `Running: ${tests}${failed > 0 ? `, ${formatNumber(failed)} failed` : ""}`;
}
