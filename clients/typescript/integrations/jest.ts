/**
 * A Jest reporter (Jest 28 and newer): records each run as a session, and each test with its result, duration, attempts and errors.
 * In jest.config.js: `reporters: ["default", ["@datacat/client/jest", { product: "my tests" }]]`.
 */
import { createRequire } from "node:module";
import { join, relative, sep } from "node:path";
import type { TestFact } from "../encode/test-fact.ts";
import { plain } from "./tests/failure.ts";
import { Outputs } from "./tests/output.ts";
import { type ReporterOptions, TestRun } from "./tests/run.ts";

type GlobalConfig = {
  rootDir: string;
  maxWorkers?: number;
  watch?: boolean;
  watchAll?: boolean;
  testFailureExitCode?: number;
};
type Test = { path: string; context: { config: { displayName?: { name: string } } } };
type Info = { ancestorTitles: string[]; title: string; startedAt?: number | null };
type Assertion = Info & {
  status: string;
  duration?: number | null;
  failureMessages?: string[];
  failureDetails?: unknown[];
  /** Which attempt it is, with `jest.retryTimes`. */
  invocations?: number;
  /** With `test.failing`. */
  failing?: boolean;
};
type FileResult = {
  testResults: Assertion[];
  testExecError?: object | null;
  failureMessage?: string | null;
  console?: { message: string }[] | null;
};
type Results = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  snapshot?: { failure?: boolean };
  runExecError?: unknown;
};

/** What is known of a test while its file runs. */
type Known = { id: string[]; attempts: number; result: TestFact["result"] };

export default class DatacatReporter {
  readonly #config: GlobalConfig;
  readonly #options: ReporterOptions;
  readonly #outputs = new Outputs();
  #run: TestRun | undefined;
  #expectedFailures = 0;
  /** By file and names: several if names repeat, in the order of their results. */
  readonly #tests = new Map<string, Map<string, Known[]>>();
  /** By file, the names of the tests that were started. */
  readonly #started = new Map<string, Set<string>>();

  constructor(config: GlobalConfig, options: ReporterOptions = {}) {
    this.#config = config;
    this.#options = options;
  }

  onRunStart(): void {
    this.#run?.close(Number(process.exitCode ?? 0)); // a run that was cancelled by the next one
    const { rootDir, maxWorkers } = this.#config;
    const runner = { name: `jest ${jestVersion()}`.trim(), root: rootDir, workers: maxWorkers };
    // With one worker the tests run in this process: their errors are theirs.
    this.#run = new TestRun("jest", runner, { captureExceptions: false, ...this.#options });
    this.#expectedFailures = 0;
  }

  onTestCaseStart(test: Test, info: Info): void {
    const key = keyOf(info);
    const started = this.#started.get(test.path) ?? new Set<string>();
    this.#started.set(test.path, started);
    // Another start of the same name is a further attempt, or another test: its result shows which.
    if (started.has(key)) return;
    started.add(key);
    const { id, file } = this.#idOf(test, info);
    this.#run?.start({ id, file }, info.startedAt ?? undefined);
  }

  onTestCaseResult(test: Test, result: Assertion): void {
    this.#end(test, result, this.#knownFor(test, result));
  }

  onTestFileResult(test: Test, result: FileResult): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#endFile(run, test, result);
    this.#tests.delete(test.path);
    this.#started.delete(test.path);
  }

  onRunComplete(_contexts: unknown, results: Results): void {
    const run = this.#run;
    if (run === undefined) return;
    const { runExecError } = results;
    if (runExecError)
      run.end({ id: ["(run)"], kind: "suite", result: "error" }, { errors: [runExecError] });
    run.finish({
      passed: results.numPassedTests - this.#expectedFailures,
      failed: results.numFailedTests,
      errors: results.numRuntimeErrorTestSuites + (runExecError ? 1 : 0),
      skipped: results.numPendingTests + results.numTodoTests,
      expected_failures: this.#expectedFailures,
      unexpected_passes: 0,
    });
    const { watch, watchAll, testFailureExitCode = 1 } = this.#config;
    if (!watch && !watchAll) return; // it ends with the process
    const isFailed =
      results.numFailedTests + results.numRuntimeErrorTestSuites > 0 || results.snapshot?.failure;
    run.close(isFailed ? testFailureExitCode : 0);
    this.#run = undefined;
  }

  #idOf(test: Test, { ancestorTitles, title }: Info): { id: string[]; file: number | undefined } {
    const { name: project = "" } = test.context.config.displayName ?? {};
    const file = relative(this.#config.rootDir, test.path).replaceAll(sep, "/");
    const id = project === "" ? [] : [project];
    return {
      id: [...id, file, ...ancestorTitles, ...(title === "" ? [] : [title])],
      file: id.length || undefined,
    };
  }

  /** A further attempt belongs to the test that failed; any other result to a test of its own. */
  #knownFor(test: Test, result: Assertion): Known {
    const tests = this.#tests.get(test.path) ?? new Map<string, Known[]>();
    this.#tests.set(test.path, tests);
    const key = keyOf(result);
    const same = tests.get(key) ?? [];
    tests.set(key, same);
    const { invocations = 1 } = result;
    const again =
      invocations > 1
        ? same.find(({ attempts, result }) => attempts === invocations - 1 && result === "failed")
        : undefined;
    if (again !== undefined) return again;
    const { id } = this.#idOf(test, result);
    const known: Known = {
      id: this.#run?.distinct(id) ?? id,
      attempts: 0,
      result: undefined,
    };
    same.push(known);
    return known;
  }

  #end(test: Test, assertion: Assertion, known: Known): void {
    const { status, failing, duration, startedAt, failureMessages = [], invocations } = assertion;
    const result = resultOf(status, failing);
    known.result = result;
    known.attempts = Math.max(known.attempts, invocations ?? 1);
    const isFailed = result === "failed";
    this.#run?.end(
      {
        id: known.id,
        file: this.#idOf(test, assertion).file,
        result,
        attempt: known.attempts > 1 ? known.attempts : undefined,
        duration_ms: result === "skipped" ? undefined : (duration ?? undefined),
        reason: status === "todo" ? "todo" : undefined,
      },
      {
        errors: isFailed ? failureMessages.map((text, at) => errorOf(text, assertion, at)) : [],
        at: startedAt && duration ? startedAt + duration : undefined,
      },
    );
  }

  /** With what was not reported while the file ran, such as skipped tests, and what changed after a test's end. */
  #endFile(run: TestRun, test: Test, result: FileResult): void {
    const seen = new Map<string, number>();
    for (const assertion of result.testResults) {
      const key = keyOf(assertion);
      const number = seen.get(key) ?? 0;
      seen.set(key, number + 1);
      const known = this.#tests.get(test.path)?.get(key)?.[number];
      const final = resultOf(assertion.status, assertion.failing);
      if (known?.result !== final)
        this.#end(test, assertion, known ?? this.#knownFor(test, assertion));
      if (final === "expected_failure") this.#expectedFailures++;
    }
    const { testExecError, failureMessage } = result;
    for (const { message } of result.console ?? []) this.#outputs.add(test.path, `${message}\n`);
    const output = this.#outputs.take(test.path);
    if (!testExecError) return;
    const { id, file } = this.#idOf(test, { ancestorTitles: [], title: "" });
    const error = errorOfFile(testExecError, failureMessage ?? "");
    run.end(
      { id, file, kind: "suite", result: "error", phase: "collect", output },
      { errors: [error] },
    );
  }
}

function keyOf({ ancestorTitles, title }: Info): string {
  return [...ancestorTitles, title].join("\u0000");
}

function resultOf(status: string, failing: boolean | undefined): TestFact["result"] {
  if (status === "passed") return failing ? "expected_failure" : "passed";
  return status === "failed" ? "failed" : "skipped";
}

/** Jest gives an error as its text, with the stack, and may give what its matcher compared. */
function errorOf(text: string, { failureDetails = [] }: Assertion, at: number): object {
  const detail = Object(failureDetails[at]) as { matcherResult?: unknown; error?: unknown };
  const { matcherResult } = (detail.error ?? detail) as { matcherResult?: unknown };
  return { ...parsed(text), matcherResult };
}

function errorOfFile(error: object, text: string): object {
  const { message, stack } = error as { message?: unknown; stack?: unknown };
  if (typeof message === "string" && message !== "") return error;
  return parsed(typeof stack === "string" && stack !== "" ? stack : text);
}

function parsed(printed: string): { name: string; message: string; stack: string } {
  const all = plain(printed);
  const start = all.search(/^ +at /m);
  const heading = (start < 0 ? all : all.slice(0, start)).trim();
  const [, name, message] = /^([A-Z]\w*): ([^]*)$/.exec(heading) ?? [];
  const text = message ?? heading;
  // Jest's text of what was thrown without being an error.
  if (text.startsWith("thrown: "))
    return { name: "thrown value", message: text.slice(8), stack: all };
  return { name: name ?? "Error", message: text, stack: all };
}

function jestVersion(): string {
  try {
    const { version } = createRequire(join(process.cwd(), "_"))("jest/package.json") as {
      version?: unknown;
    };
    return typeof version === "string" ? version : "";
  } catch {
    return ""; // a runner of another name uses Jest's parts
  }
}
