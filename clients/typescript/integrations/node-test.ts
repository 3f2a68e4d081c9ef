/**
 * A reporter of node:test: records each run as a session, and each test with its result, duration and error.
 * `node --test --test-reporter=@datacat/client/node-test` prints what node prints without it. Beside another reporter, each needs its
 * `--test-reporter-destination`, and this one prints nothing. Options are the `DATACAT_…` variables.
 */
import { relative, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import type { TestFact } from "../encode/test-fact.ts";
import { countResult, noCounts } from "./tests/counts.ts";
import { Outputs } from "./tests/output.ts";
import { TestRun } from "./tests/run.ts";

type TestError = {
  failureType?: string;
  cause?: unknown;
  message?: string;
  exitCode?: number | null;
  signal?: string | null;
};
/** As much of an event of node:test as is needed. Times are in milliseconds. */
type Data = {
  name: string;
  nesting: number;
  type?: string;
  file?: string;
  line?: number;
  column?: number;
  message?: string;
  skip?: string | boolean;
  todo?: string | boolean;
  expectFailure?: unknown;
  details?: {
    duration_ms?: number;
    type?: string;
    error?: TestError;
    /** With --test-rerun-failures, from 0. */
    attempt?: number;
    passed_on_attempt?: number;
  };
};
type TestEvent = { type: string; data: Data };

export default async function* datacat(
  source: AsyncIterable<TestEvent>,
): AsyncGenerator<string, void> {
  const recorder = new Recorder(process.cwd());
  const recorded = recorder.record(source);
  if (isAlone()) yield* printed(recorded);
  else for await (const _ of recorded); // another reporter prints
}

/** Whether node runs no other reporter: then nothing would be printed. */
function isAlone(): boolean {
  const flags = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return flags.filter((flag) => /^--test-reporter(=|$)/.test(flag)).length === 1;
}

/** What node prints by default: since 23 `spec`, before it only on a terminal. */
async function* printed(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const { spec, tap } = await import("node:test/reporters");
  const isSpec = Number.parseInt(process.versions.node, 10) >= 23 || process.stdout.isTTY;
  const source = Readable.from(events);
  // As: node's own types of events, which it passes on.
  if (isSpec) yield* source.pipe(new spec() as NodeJS.ReadWriteStream & AsyncIterable<string>);
  else yield* tap(source as unknown as Parameters<typeof tap>[0]) as AsyncIterable<string>;
}

/** A test or suite that was started. */
type Open = { key: string; nesting: number; id: string[] };

class Recorder {
  readonly #root: string;
  readonly #outputs = new Outputs();
  readonly #run: TestRun;
  /** By file, the names of the tests and suites that are being reported, outermost first. */
  readonly #paths = new Map<string, string[]>();
  /** By file, what was started and has not ended. */
  readonly #open = new Map<string, Open[]>();
  /** `test` or `suite`, of what waits to be started. */
  readonly #types = new Map<string, string>();
  /** By path, how many tests of the same name were started. */
  readonly #starts = new Map<string, number>();
  readonly #counts = noCounts();

  constructor(root: string) {
    this.#root = root;
    // Without isolation the tests run in this process: their errors are theirs.
    const options = { captureExceptions: false };
    this.#run = new TestRun("node:test", { name: `node:test ${process.version}`, root }, options);
  }

  async *record(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent, void> {
    for await (const event of source) {
      this.#take(event);
      yield event;
    }
    this.#run.finish(this.#counts);
  }

  #take({ type, data }: TestEvent): void {
    switch (type) {
      case "test:enqueue":
        // Node 24 gives wrong types with the event that follows it, and versions before 22.14 none.
        this.#types.set(`${data.file} ${keyOf(data)}`, data.type ?? "");
        return;
      case "test:dequeue":
        return this.#start(data);
      case "test:start":
        this.#pathOf(data);
        return;
      case "test:pass":
      case "test:fail":
        return this.#end(data, type === "test:pass");
      case "test:stdout":
      case "test:stderr":
        return this.#print(data, data.message ?? "");
      case "test:diagnostic":
        if (data.file === undefined) return; // a count of the whole run
        // Of an error after the end of its test, because of which the file fails.
        if (data.nesting === 0) this.#print(data, `${data.message}\n`);
        this.#run.session.logEvent("diagnostic", {
          message: data.message,
          group: this.#fileOf(data),
        });
        return;
      default: // coverage, plans, and what newer versions add
    }
  }

  #print({ file = "" }: Data, text: string): void {
    this.#outputs.add(resolve(this.#root, file), text);
  }

  #fileOf({ file }: Data): string {
    return file === undefined ? "(no file)" : relative(this.#root, file).replaceAll(sep, "/");
  }

  /** A file stands for its tests: it is reported by its path if it has none, or failed as such. */
  #isFile({ name, nesting, file }: Data): boolean {
    return nesting === 0 && file !== undefined && resolve(this.#root, name) === file;
  }

  /** The path without the file. Results come in the order of the source, each after those within it. */
  #pathOf(data: Data): string[] {
    const path = (this.#paths.get(data.file ?? "") ?? []).slice(0, data.nesting);
    this.#paths.set(data.file ?? "", [...path, data.name]);
    return path;
  }

  /** Starts come as they happen. One of several parents that run at once is not named, so then the start is not recorded. */
  #start(data: Data): void {
    const type = this.#types.get(`${data.file} ${keyOf(data)}`);
    this.#types.delete(`${data.file} ${keyOf(data)}`);
    if (this.#isFile(data)) return;
    const file = data.file ?? "";
    const open = (this.#open.get(file) ?? []).filter(({ nesting }) => nesting <= data.nesting);
    const parents = open.filter(({ nesting }) => nesting === data.nesting - 1);
    this.#open.set(file, open);
    const [parent] = parents;
    const before = data.nesting === 0 ? [this.#fileOf(data)] : parent?.id;
    if (before === undefined || parents.length > 1) return;
    const id = [...before, data.name];
    open.push({ key: keyOf(data), nesting: data.nesting, id });
    if (type !== "test") return;
    const number = (this.#starts.get(id.join("\u0000")) ?? 0) + 1;
    this.#starts.set(id.join("\u0000"), number);
    this.#run.start({ id: number === 1 ? id : [...id, `#${number}`] });
  }

  #end(data: Data, isPassed: boolean): void {
    const path = this.#pathOf(data);
    this.#close(data);
    const { details = {}, todo } = data;
    const error = details.error;
    const isFile = this.#isFile(data);
    const file = this.#fileOf(data);
    const isSuite = details.type === "suite";
    // A suite fails with its tests. It is recorded if it failed by itself, as by a hook.
    if (isSuite && (isPassed || error?.failureType === "subtestsFailed" || isSet(todo))) return;

    const result = isSuite ? "error" : resultOf(data, isPassed);
    const id = isFile ? [file] : [file, ...path, data.name];
    const isFailed = result === "failed" || result === "error";
    const output =
      isFile && isFailed ? this.#outputs.take(resolve(this.#root, data.file ?? "")) : undefined;
    const test: TestFact = {
      id: isSuite ? id : this.#run.distinct(id),
      result,
      attempt: details.attempt === undefined ? undefined : details.attempt + 1,
      duration_ms: details.duration_ms,
      phase: isFailed && isFile ? "collect" : undefined,
      reason: reasonOf(data),
      output,
      kind: isSuite ? "suite" : undefined,
    };
    const cause = isFile ? fileError(error, output) : causeOf(error);
    const isClean = error === undefined || result === "skipped";
    this.#run.end(test, { errors: isClean ? [] : [cause] });
    countResult(this.#counts, result);
  }

  #close(data: Data): void {
    const file = data.file ?? "";
    const key = keyOf(data);
    const open = this.#open.get(file) ?? [];
    const at = open.findIndex((each) => each.key === key);
    if (at >= 0) open.splice(at, 1);
  }
}

function keyOf({ name, nesting, line, column }: Data): string {
  return `${nesting} ${line}:${column} ${name}`;
}

function isSet(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false;
}

function resultOf(data: Data, isPassed: boolean): TestFact["result"] {
  if (isSet(data.skip)) return "skipped";
  // Node counts it neither as passed nor as failed.
  if (isSet(data.todo)) return isPassed ? "skipped" : "expected_failure";
  if (!isPassed) return "failed";
  return data.expectFailure === undefined || data.expectFailure === false
    ? "passed"
    : "expected_failure";
}

function reasonOf({ skip, todo }: Data): string | undefined {
  const [reason] = [skip, todo].filter((each) => typeof each === "string" && each !== "");
  return typeof reason === "string" ? reason : isSet(todo) ? "todo" : undefined;
}

/** What the test threw: node reports an error of its own, whose cause it is. */
function causeOf({ cause, message, failureType = "" }: TestError = {}): unknown {
  if (typeof cause === "object" && cause !== null) return cause;
  const text = typeof cause === "string" ? cause : (message ?? "");
  return { name: WITHOUT_ERROR.has(failureType) ? failureType : "thrown value", message: text };
}

/** Why a file failed as such: the error that it printed, else how its process ended. */
function fileError({ exitCode, signal }: TestError = {}, output = ""): object {
  const text = output.slice(output.search(/^(?:Uncaught )?[A-Z]\w*Error\b.*$|^Error: /m));
  const [heading = ""] = text.split("\n", 1);
  const [, name, message] = /^(?:Uncaught )?(\w+)[^:]*: (.*)$/.exec(heading) ?? [];
  if (name !== undefined && message !== undefined) return { name, message, stack: text };
  const how = signal ? `signal ${signal}` : `exit code ${exitCode ?? "unknown"}`;
  return { name: "file failed", message: `its process ended with ${how}` };
}

/** Failures of which the cause is a sentence of node's. */
const WITHOUT_ERROR = new Set([
  "subtestsFailed",
  "cancelledByParent",
  "parentAlreadyFinished",
  "testAborted",
  "testTimeoutFailure",
  "multipleCallbackInvocations",
  "expectedFailure",
]);
