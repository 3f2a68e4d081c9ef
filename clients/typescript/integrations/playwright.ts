/**
 * A Playwright reporter (@playwright/test 1.40 and newer): records each run as a session, and each test with its result, attempts, steps and
 * errors. In playwright.config.ts: `reporter: [["list"], ["@datacat/client/playwright", { product: "my tests" }]]`.
 */
import { existsSync } from "node:fs";
import { extname, isAbsolute, relative, sep } from "node:path";
import type { TestFact } from "../encode/test-fact.ts";
import { countResult, noCounts } from "./tests/counts.ts";
import { firstLine, plain } from "./tests/failure.ts";
import { Outputs } from "./tests/output.ts";
import { type ReporterOptions, TestRun } from "./tests/run.ts";

type Config = { rootDir: string; workers: number; version: string };
type Location = { file: string; line: number };
type Annotation = { type: string; description?: string };
type TestCase = {
  id: string;
  title: string;
  location: Location;
  expectedStatus: string;
  annotations: Annotation[];
  repeatEachIndex: number;
  results: Result[];
  outcome(): "skipped" | "expected" | "unexpected" | "flaky";
  /** The root, project, file, suites and the name. */
  titlePath(): string[];
};
type Suite = { allTests(): TestCase[] };
type Attachment = { name: string; contentType: string; path?: string; body?: Buffer };
type Result = {
  retry: number;
  parallelIndex: number;
  workerIndex: number;
  startTime: Date;
  duration: number;
  status: "passed" | "failed" | "timedOut" | "skipped" | "interrupted";
  error?: TestError;
  errors: TestError[];
  attachments: Attachment[];
  annotations?: Annotation[];
};
type Step = {
  title: string;
  category: string;
  startTime: Date;
  duration: number;
  error?: object;
  location?: Location;
  titlePath(): string[];
};
/** The message begins with the error's class; `value` is the text of what was thrown without being an error. */
type TestError = {
  message?: string;
  stack?: string;
  value?: string;
  location?: Location;
  cause?: TestError;
};

export default class DatacatReporter {
  readonly #options: ReporterOptions;
  readonly #outputs = new Outputs();
  #run: TestRun | undefined;
  #suite: Suite | undefined;
  #root = process.cwd();
  #errors = 0;

  constructor(options: ReporterOptions = {}) {
    this.#options = options;
  }

  /** Playwright prints a list of its own unless a reporter does. */
  printsToStdio(): boolean {
    return false;
  }

  onBegin(config: Config, suite: Suite): void {
    this.#suite = suite;
    this.#root = config.rootDir;
    this.#begin(config).plan(suite.allTests().length);
  }

  onTestBegin(test: TestCase, { retry, startTime, workerIndex }: Result): void {
    const worker = String(workerIndex);
    const attempt = retry > 0 ? retry + 1 : undefined;
    this.#run?.start({ ...idOf(test), attempt, worker }, startTime.getTime());
  }

  onTestEnd(test: TestCase, result: Result): void {
    const { retry, duration, startTime, workerIndex, errors, error } = result;
    const outcome = resultOf(test, result);
    const output = this.#outputs.take(test.id);
    const thrown = errors.length > 0 ? errors : error === undefined ? [] : [error];
    this.#run?.end(
      {
        ...idOf(test),
        result: outcome,
        attempt: retry > 0 ? retry + 1 : undefined,
        duration_ms: Math.max(0, duration),
        worker: String(workerIndex),
        reason: reasonOf(test, result),
        output: outcome === "passed" || outcome === "skipped" ? undefined : output,
      },
      {
        errors: outcome === "failed" || outcome === "expected_failure" ? thrown.map(errorOf) : [],
        at: startTime.getTime() + Math.max(0, duration),
      },
    );
    if (outcome === "failed") this.#attach(test, result);
  }

  onStepEnd(test: TestCase, result: Result, step: Step): void {
    if (step.category !== "test.step") return;
    const { id } = idOf(test);
    const event = {
      group: "test.step",
      message: step.title,
      category: step.error === undefined ? "info" : "error",
      data: {
        test: id.join(" > "),
        step: step.titlePath().slice(-16),
        duration_ms: Math.max(0, step.duration),
        attempt: result.retry + 1,
      },
      at: step.startTime.getTime() + Math.max(0, step.duration),
    };
    this.#run?.session.logEvent("step", event);
  }

  onStdOut(chunk: string | Buffer, test?: TestCase): void {
    if (test !== undefined) this.#outputs.add(test.id, chunk.toString());
  }

  onStdErr(chunk: string | Buffer, test?: TestCase): void {
    this.onStdOut(chunk, test);
  }

  /** An error outside of all tests: a file that cannot be loaded, a global setup, a worker. */
  onError(error: TestError): void {
    const run = this.#run ?? this.#begin();
    this.#errors++;
    const { file = "" } = error.location ?? {};
    const isFile = isAbsolute(file) && existsSync(file); // else it is a place without a file, such as <anonymous>
    const path = isFile ? relative(this.#root, file).replaceAll(sep, "/") : "(no file)";
    const line = firstLine(error.message ?? error.value ?? "").replaceAll(this.#root + sep, "");
    run.end(
      { id: run.distinct([path, line]), kind: "suite", result: "error", phase: "collect" },
      { errors: [errorOf(error)], handled: false },
    );
  }

  onEnd(): void {
    const counts = noCounts();
    counts.errors = this.#errors;
    for (const test of this.#suite?.allTests() ?? []) {
      const last = test.results.at(-1);
      if (last !== undefined) countResult(counts, resultOf(test, last)); // else it did not run
    }
    this.#run?.finish(counts);
  }

  #begin(config?: Config): TestRun {
    if (this.#run !== undefined) return this.#run;
    const name = `playwright ${config?.version ?? ""}`.trim();
    const runner = { name, root: this.#root, workers: config?.workers };
    this.#run = new TestRun("playwright", runner, this.#options);
    return this.#run;
  }

  /** Screenshots, traces and other files of a test that failed, named after it. */
  #attach({ title }: TestCase, { attachments, retry }: Result): void {
    for (const { name, contentType: type, path, body } of attachments) {
      const content = path ?? body;
      if (content === undefined) continue;
      const extension = extname(name) === "" ? extname(path ?? "") : "";
      const attempt = retry > 0 ? ` (attempt ${retry + 1})` : "";
      this.#run?.session.attach(`${title}${attempt}: ${name}${extension}`, content, { type });
    }
  }
}

/** The path without the root, and without a project that has no name. */
function idOf(test: TestCase): { id: string[]; file: number | undefined } {
  const [, project = "", ...rest] = test.titlePath();
  const repeat = test.repeatEachIndex > 0 ? [`repeat ${test.repeatEachIndex + 1}`] : [];
  const id = [...(project === "" ? [] : [project]), ...rest.map(toSlashes), ...repeat];
  return { id, file: project === "" ? undefined : 1 };
}

function toSlashes(title: string, index: number): string {
  return index === 0 ? title.replaceAll(sep, "/") : title;
}

function resultOf({ expectedStatus }: TestCase, { status }: Result): TestFact["result"] {
  if (status === "skipped" || status === "interrupted") return "skipped";
  if (status !== expectedStatus) return "failed";
  return status === "passed" ? "passed" : "expected_failure";
}

function reasonOf(test: TestCase, { status, annotations }: Result): string | undefined {
  if (status === "interrupted") return "interrupted";
  if (status === "skipped" && test.expectedStatus !== "skipped") return "did not run";
  if (status === "passed" && test.expectedStatus === "failed")
    return "expected to fail, but passed";
  const all = annotations ?? test.annotations;
  const wanted = status === "skipped" ? ["skip", "fixme"] : ["fail"];
  return all.find(({ type, description }) => wanted.includes(type) && description)?.description;
}

function errorOf({ message, stack, value, cause }: TestError): object {
  if (message === undefined) return { name: "thrown value", message: value ?? "" };
  const all = plain(message);
  const [, name, text] = /^([A-Z]\w*): ([^]*)$/.exec(all) ?? [];
  const isTimeout = name === undefined && all.startsWith("Test timeout");
  return {
    name: name ?? (isTimeout ? "TimeoutError" : "Error"),
    message: text ?? all,
    // The stack repeats the message, whose lines may look like frames.
    stack: stack === undefined ? undefined : plain(stack).replace(all, ""),
    cause: cause === undefined ? undefined : errorOf(cause),
  };
}
