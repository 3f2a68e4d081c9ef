/**
 * A vitest reporter (vitest 2 to 5): records each run as a session, and each test with its result, duration, attempts and errors.
 * In vitest.config.ts: `reporters: ["default", ["@datacat/client/vitest", { product: "my tests" }]]`.
 */
import { relative, sep } from "node:path";
import type { TestFact } from "../encode/test-fact.ts";
import { countResult, noCounts } from "./tests/counts.ts";
import { firstLine } from "./tests/failure.ts";
import { Outputs } from "./tests/output.ts";
import { type ReporterOptions, TestRun } from "./tests/run.ts";

/** What all versions of vitest hold of a test, a suite or a file. */
type Task = {
  id: string;
  type: string;
  name: string;
  mode: string;
  fails?: boolean;
  suite?: Task;
  file?: File;
  tasks?: Task[];
  meta?: { typecheck?: boolean; benchmark?: boolean };
  result?: {
    state?: string;
    errors?: unknown[];
    duration?: number;
    startTime?: number;
    retryCount?: number;
    note?: string;
    hooks?: { beforeAll?: string; afterAll?: string };
    /** Since vitest 5. */
    attempts?: Attempt[];
    /** Up to vitest 4. */
    benchmark?: { hz?: number; mean?: number; sampleCount?: number; samples?: unknown[] };
  };
};
type File = Task & { filepath: string; projectName?: string; workerId?: number };
type Attempt = {
  state: string;
  errors?: unknown[];
  duration: number;
  startTime: number;
  repeatIndex: number;
};
/** Since vitest 3, an entity holds its task; the name of the property is the same in all versions. */
type Entity = { task: Task };
type Log = { content: string; taskId?: string };
type Vitest = {
  version?: string;
  config: { root: string; watch?: boolean; maxWorkers?: number | string };
  state: { idMap: Map<string, Task>; getFiles(): Task[]; getUnhandledErrors(): unknown[] };
};
/** Since vitest 5. Times are in milliseconds. */
type Benchmark = {
  tasks: {
    name: string;
    latency: { mean: number; samplesCount?: number };
    throughput: { mean: number };
  }[];
};

/** Versions before this have other events. */
const FIRST_MODERN = 3;

export default class DatacatReporter {
  readonly #options: ReporterOptions;
  #vitest: Vitest | undefined;
  #run: TestRun | undefined;
  #outputs = new Outputs();
  /** By task: its id, which has a number if names repeat. */
  #ids = new Map<string, TestFact>();
  #started = new Set<string>();
  #ended = new Set<string>();
  #planned = 0;

  constructor(options: ReporterOptions = {}) {
    this.#options = options;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(): void {
    this.#begin();
  }

  onTestModuleCollected(module: Entity): void {
    this.#collect(module.task);
  }

  onTestCaseReady(test: Entity): void {
    this.#start(test.task);
  }

  onTestCaseResult(test: Entity): void {
    this.#end(test.task);
  }

  onTestSuiteResult(suite: Entity): void {
    this.#endSuite(suite.task);
  }

  onTestModuleEnd(module: Entity): void {
    this.#endSuite(module.task);
  }

  onTestCaseBenchmark(test: Entity, { tasks }: Benchmark): void {
    for (const { name, latency, throughput } of tasks) {
      const own = this.#fact(test.task);
      this.#benchmark({ ...own, id: [...own.id, name] }, latency.mean, throughput.mean);
    }
  }

  onUserConsoleLog({ taskId, content }: Log): void {
    if (taskId !== undefined) this.#outputs.add(taskId, content);
  }

  onTestRunEnd(modules: readonly Entity[], unhandled: readonly unknown[], reason: string): void {
    this.#finish(
      modules.map(({ task }) => task),
      unhandled,
      reason === "passed",
    );
  }

  onPathsCollected(): void {
    if (this.#isLegacy()) this.#begin();
  }

  onCollected(files: Task[] = []): void {
    if (this.#isLegacy()) for (const file of files) this.#collect(file);
  }

  onTaskUpdate(packs: [string, ...unknown[]][]): void {
    if (!this.#isLegacy()) return;
    for (const [id] of packs) {
      const task = this.#vitest?.state.idMap.get(id);
      if (task === undefined) continue;
      const state = task.result?.state;
      if (task.type === "suite") {
        if (state !== "run") this.#endSuite(task);
      } else if (state === "run") this.#start(task);
      else this.#end(task);
    }
  }

  onFinished(files?: Task[], unhandled?: unknown[]): void {
    const state = this.#vitest?.state;
    if (!this.#isLegacy() || state === undefined) return;
    this.#finish(files ?? state.getFiles(), unhandled ?? state.getUnhandledErrors());
  }

  #isLegacy(): boolean {
    return Number.parseInt(this.#vitest?.version ?? "", 10) < FIRST_MODERN;
  }

  get #root(): string {
    return this.#vitest?.config.root ?? process.cwd();
  }

  #begin(): void {
    this.#run?.close(Number(process.exitCode ?? 0)); // a run that was cancelled by the next one
    const { version = "", config } = this.#vitest ?? {};
    const workers = Number(config?.maxWorkers) || undefined;
    const runner = { name: `vitest ${version}`.trim(), root: this.#root, workers };
    this.#run = new TestRun("vitest", runner, this.#options);
    this.#outputs = new Outputs();
    this.#ids = new Map();
    this.#started = new Set();
    this.#ended = new Set();
    this.#planned = 0;
  }

  /** Gives each test of a file its id, in the order of the file. */
  #collect(file: Task): void {
    const tests = testsOf(file);
    const isNew = (task: Task) => !this.#ids.has(task.id) && kindOf(task, false) !== "benchmark";
    this.#planned += tests.filter(isNew).length;
    for (const test of tests) this.#fact(test);
    this.#run?.plan(this.#planned);
  }

  #fact(task: Task): TestFact {
    const known = this.#ids.get(task.id);
    if (known !== undefined) return known;
    const file = fileOf(task);
    const isTypecheck = file?.meta?.typecheck === true;
    // A file that is run and checked has the same tests twice.
    const before = [file?.projectName ?? "", isTypecheck ? "typecheck" : ""].filter(Boolean);
    const names: string[] = [];
    for (let each: Task | undefined = task; each && each !== file; each = each.suite)
      if (each.name !== "") names.unshift(each.name);
    const isTest = task.type !== "suite";
    const id = [...before, this.#pathOf(file), ...names];
    const fact: TestFact = {
      id: isTest ? (this.#run?.distinct(id) ?? id) : id,
      file: before.length || undefined,
      kind: isTest ? kindOf(task, isTypecheck) : "suite",
      worker: file?.workerId === undefined ? undefined : String(file.workerId),
    };
    this.#ids.set(task.id, fact);
    return fact;
  }

  #pathOf(file: File | undefined): string {
    return relative(this.#root, file?.filepath ?? "").replaceAll(sep, "/") || "(no file)";
  }

  #start(task: Task): void {
    if (task.type === "suite" || this.#started.has(task.id) || this.#ended.has(task.id)) return;
    if (["skip", "todo"].includes(task.mode)) return;
    this.#started.add(task.id);
    const { id, file, kind, worker } = this.#fact(task);
    this.#run?.start({ id, file, worker, kind }, timeOf(task.result?.startTime));
  }

  #end(task: Task): void {
    const result = resultOf(task);
    if (task.type === "suite" || result === undefined || this.#ended.has(task.id)) return;
    this.#ended.add(task.id);
    const fact = this.#fact(task);
    const output = this.#outputs.take(task.id);
    const attempts = attemptsOf(task, result);
    for (const [index, { result, errors, durationMs, endedAt }] of attempts.entries()) {
      const isLast = index === attempts.length - 1;
      const test: TestFact = {
        id: fact.id,
        file: fact.file,
        result,
        attempt: index === 0 ? undefined : index + 1,
        duration_ms: durationMs,
        worker: fact.worker,
        reason: isLast ? reasonOf(task) : undefined,
        output: isLast && result !== "passed" ? output : undefined,
        kind: fact.kind,
      };
      this.#run?.end(test, { errors, at: endedAt });
    }
    const { benchmark } = task.result ?? {};
    if (benchmark?.mean !== undefined)
      this.#figures(fact, benchmark.mean, benchmark.hz ?? 1_000 / benchmark.mean);
  }

  #benchmark(fact: TestFact, meanMs: number, perSecond: number): void {
    this.#run?.end(
      { ...fact, kind: "benchmark", result: "passed" },
      { data: { mean_ms: meanMs, per_second: perSecond } },
    );
    this.#figures(fact, meanMs, perSecond);
  }

  #figures({ id }: TestFact, meanMs: number, perSecond: number): void {
    if (!Number.isFinite(perSecond)) return;
    const tags = { benchmark: id.join(" > ") };
    this.#run?.session.gauge("benchmark", meanMs, { unit: "ms", tags });
    this.#run?.session.gauge("benchmark_rate", perSecond, { unit: "1/s", tags });
  }

  /** A file that could not be loaded, or a suite with a hook that failed: its tests do not show it. */
  #endSuite(task: Task): void {
    const { errors = [], hooks, duration } = task.result ?? {};
    if (errors.length === 0 || this.#ended.has(task.id)) return;
    this.#ended.add(task.id);
    // A hook that threw stays in the state "run".
    const { beforeAll = "pass", afterAll = "pass" } = hooks ?? {};
    const phase = beforeAll !== "pass" ? "setup" : afterAll !== "pass" ? "teardown" : "collect";
    const fact = this.#fact(task);
    const output = this.#outputs.take(task.id);
    this.#run?.end({ ...fact, result: "error", duration_ms: duration, phase, output }, { errors });
  }

  #finish(files: readonly Task[], unhandled: readonly unknown[], isPassed?: boolean): void {
    const run = this.#run;
    if (run === undefined) return;
    const counts = noCounts();
    counts.errors = unhandled.length;
    for (const file of files) {
      for (const suite of suitesOf(file)) {
        this.#endSuite(suite);
        if (suite.result?.errors?.length) counts.errors++;
      }
      for (const test of testsOf(file)) {
        this.#end(test); // one whose result was not reported, as of merged reports
        if (kindOf(test, false) !== "benchmark") countResult(counts, resultOf(test));
      }
    }
    const unfinished = files.filter((file) => testsOf(file).some((test) => !resultOf(test)));
    for (const error of unhandled) this.#endUnhandled(run, error, unfinished);
    run.finish(counts);
    if (this.#vitest?.config.watch !== true) return; // it ends with the process
    const isFailed = isPassed === false || counts.failed + counts.errors > 0;
    run.close(isFailed ? 1 : 0);
    this.#run = undefined;
  }

  /** An error that no test caught: a rejection, an error after the end of its test, a worker that exited. */
  #endUnhandled(run: TestRun, error: unknown, unfinished: readonly Task[]): void {
    const { message, name, VITEST_TEST_PATH: path } = Object(error) as { [key: string]: unknown };
    // The file of a worker that exited is the one whose tests have no results, if there is one such file.
    const [lost] = unfinished.length === 1 && CRASHED.test(String(message)) ? unfinished : [];
    const own = typeof path === "string" ? path : lost && fileOf(lost)?.filepath;
    const line = firstLine(`${typeof name === "string" ? name : "Error"}: ${String(message)}`);
    const what = line.replaceAll(this.#root + sep, ""); // the same on every machine
    const file =
      own === undefined ? "(unhandled errors)" : relative(this.#root, own).replaceAll(sep, "/");
    const id = run.distinct([file, what]);
    run.end({ id, result: "error", kind: "suite" }, { errors: [error], handled: false });
  }
}

/** Messages of vitest's pools, of versions 2 to 5. */
const CRASHED = /^\[vitest-pool|^Worker (?:exited|terminated)|^Channel closed/;

function testsOf(task: Task): Task[] {
  return task.type === "suite" ? (task.tasks ?? []).flatMap(testsOf) : [task];
}

/** With the file itself, which is a suite, too. */
function suitesOf(task: Task): Task[] {
  return task.type === "suite" ? [task, ...(task.tasks ?? []).flatMap(suitesOf)] : [];
}

function fileOf(task: Task): File | undefined {
  if ("filepath" in task) return task as File; // as: only files have it
  return task.file ?? (task.suite && fileOf(task.suite));
}

function kindOf(task: Task, isTypecheck: boolean): TestFact["kind"] {
  if (task.meta?.benchmark) return "benchmark";
  return isTypecheck ? "typecheck" : undefined;
}

/** Undefined while it has none: it runs, or its worker ended before it. */
function resultOf(task: Task): TestFact["result"] {
  const state = task.result?.state;
  if (task.mode === "skip" || task.mode === "todo" || state === "skip" || state === "todo")
    return "skipped";
  if (state === "fail") return "failed";
  if (state === "pass") return task.fails ? "expected_failure" : "passed";
  return undefined;
}

function reasonOf(task: Task): string | undefined {
  return task.result?.note ?? (task.mode === "todo" ? "todo" : undefined);
}

type Ending = {
  result: TestFact["result"];
  errors: unknown[];
  durationMs: number | undefined;
  endedAt: number | undefined;
};

/**
 * Each attempt of a test that was retried, with its errors. Vitest before 5 has one list of errors: unless each failed attempt has one, they
 * belong to the last one that failed. A test that is repeated (`repeats`) counts once, with all its errors.
 */
function attemptsOf(task: Task, result: TestFact["result"]): Ending[] {
  const { errors = [], duration, startTime, retryCount = 0, attempts = [] } = task.result ?? {};
  const last = { durationMs: duration, endedAt: timeOf(startTime, duration) };
  if (task.fails || attempts.some(({ repeatIndex }) => repeatIndex > 0) || result === "skipped")
    return [{ result, errors, ...last }];
  if (attempts.length > 1)
    return attempts.map((each, index) => ({
      result: index === attempts.length - 1 ? result : each.state === "pass" ? "passed" : "failed",
      errors: each.errors ?? [],
      durationMs: each.duration,
      endedAt: timeOf(each.startTime, each.duration),
    }));
  if (retryCount === 0) return [{ result, errors, ...last }];

  const failed = result === "failed" ? retryCount + 1 : retryCount;
  const endings: Ending[] = [];
  for (let i = 0; i < failed; i++) {
    const own = errors.length === failed ? [errors[i]] : i === failed - 1 ? errors : [];
    const isLast = i === retryCount;
    endings.push({
      result: "failed",
      errors: own,
      durationMs: isLast ? duration : undefined,
      endedAt: last.endedAt,
    });
  }
  if (result !== "failed") endings.push({ result, errors: [], ...last });
  return endings;
}

/** Times before 2001 are no epoch milliseconds: some versions measure type checks from the start of the process. */
const FIRST_TIME = 1e12;

function timeOf(startTime: number | undefined, duration = 0): number | undefined {
  return startTime !== undefined && startTime > FIRST_TIME ? startTime + duration : undefined;
}
