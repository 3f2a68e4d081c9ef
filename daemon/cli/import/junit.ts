/**
 * Reads JUnit XML as its many generators write it: Surefire, Gradle, pytest, Jest, Mocha, PHPUnit, go-junit-report, RSpec, CTest,
 * cargo-nextest. There is no specification; https://github.com/testmoapp/junitxml collects what they have in common. Entities of a
 * document type are not expanded, and depth and sizes are bounded.
 */
import { isAbsolute, relative } from "node:path";
import sax from "sax";
import {
  DIFF_LENGTH,
  FAILURE_LENGTH,
  MAX_ATTEMPTS,
  MAX_PROPERTIES,
  MAX_TESTS,
  MAX_XML_DEPTH,
  MAX_XML_TOKEN,
  OUTPUT_LENGTH,
  TEXT_LENGTH,
} from "./limits.ts";
import {
  appended,
  type Attempt,
  BadReport,
  type Failure,
  Names,
  type Report,
  tail,
} from "./report.ts";

Object.assign(sax, { MAX_BUFFER_LENGTH: MAX_XML_TOKEN }); // a longer attribute is an error; its types lack this number

type Attributes = { [name: string]: string };

/** A suite that is open. */
type Suite = {
  name: string;
  file: string | undefined;
  /** Epoch milliseconds, or since the beginning of the report. */
  at: number;
  printed: string;
};

/** A test case that is open, and its children. */
type Case = {
  attributes: Attributes;
  durationMs: number | undefined;
  failures: Found[];
  skipped: { type: string | undefined; reason: string | undefined; text: string } | undefined;
  output: string;
};

/** A failure, an error, or one of another attempt. */
type Found = Failure & { element: string; output: string; durationMs: number | undefined };

const FAILURES = new Set(
  "failure error rerunFailure rerunError flakyFailure flakyError".split(" "),
);

export class JunitReader {
  readonly #parser = sax.parser(true, { position: true });
  readonly #folder: string;
  readonly #names = new Names();
  readonly #report: Report = {
    runner: "JUnit XML",
    hasTimes: false,
    tests: [],
    durationMs: 0,
    properties: new Map(),
    outputs: [],
  };
  readonly #elements: string[] = [];
  readonly #suites: Suite[] = [];
  #case: Case | undefined;
  #failure: Found | undefined;

  /** `folder`: absolute paths inside of it are recorded relative to it. */
  constructor(folder: string) {
    this.#folder = folder;
    const parser = this.#parser;
    parser.onerror = (error) => this.#fail(firstLine(error.message));
    parser.onopentag = (tag) => this.#open(tag.name, tag.attributes as Attributes); // without namespaces they are texts
    parser.onclosetag = (name) => this.#close(name);
    parser.ontext = (text) => this.#text(text);
    parser.oncdata = (text) => this.#text(text);
  }

  /** Throws a BadReport. */
  write(text: string): void {
    try {
      this.#parser.write(text);
    } catch (error) {
      if (error instanceof BadReport) throw error;
      // The parser calls methods of its object of attributes, which may have their names.
      throw new BadReport("An attribute has a name that cannot be read", this.#parser.line + 1);
    }
  }

  /** The report, when all of the file was written. Throws a BadReport. */
  end(): Report {
    if (this.#elements.length > 0)
      this.#fail(`The file ends inside of <${this.#elements.at(-1) ?? ""}>`);
    this.#parser.close();
    return this.#report;
  }

  /** Throws through the parser: it would report each further fault of the file, too. */
  #fail(message: string, isOther = false): never {
    throw new BadReport(message, this.#parser.line + 1, isOther);
  }

  #open(name: string, attributes: Attributes): void {
    const parent = this.#elements.at(-1);
    this.#elements.push(name);
    if (this.#elements.length > MAX_XML_DEPTH)
      return this.#fail(`More than ${MAX_XML_DEPTH} elements are within each other`);
    if (parent === undefined && name !== "testsuites" && name !== "testsuite")
      return this.#fail(
        `<${name}> is no JUnit XML: its first element is <testsuites> or <testsuite>`,
        true,
      );
    if (name === "testsuites" || name === "testsuite") this.#openSuite(name, attributes);
    else if (name === "testcase") this.#openCase(attributes);
    else if (name === "property") this.#property(attributes);
    else if (this.#case) this.#openChild(name, attributes, this.#case);
  }

  #openSuite(element: string, attributes: Attributes): void {
    const above = this.#suites.at(-1);
    const stamp = timeOf(attributes["timestamp"]);
    if (stamp !== undefined && !this.#report.hasTimes && this.#report.tests.length === 0)
      this.#report.hasTimes = true;
    const name = attributes["name"] ?? "";
    this.#report.runner = runnerOf(element, name, attributes) ?? this.#report.runner;
    this.#report.hostname ??= attributes["hostname"];
    this.#suites.push({
      name,
      file: attributes["file"] ?? attributes["filepath"] ?? above?.file,
      at: (this.#report.hasTimes ? stamp : undefined) ?? above?.at ?? this.#report.durationMs,
      printed: "",
    });
  }

  #openCase(attributes: Attributes): void {
    if (this.#report.tests.length >= MAX_TESTS)
      return this.#fail(`It has more than ${MAX_TESTS} tests`);
    const durationMs = secondsOf(attributes["time"] ?? attributes["duration"]);
    this.#case = { attributes, durationMs, failures: [], skipped: undefined, output: "" };
  }

  #openChild(name: string, attributes: Attributes, test: Case): void {
    const { message, type } = attributes;
    if (FAILURES.has(name)) {
      const durationMs = secondsOf(attributes["time"]);
      this.#failure = { element: name, type, message, text: "", output: "", durationMs };
      if (test.failures.length < MAX_ATTEMPTS) test.failures.push(this.#failure);
    } else if (name === "skipped") test.skipped = { type, reason: message, text: "" };
  }

  #property({ name, value }: Attributes): void {
    const { properties } = this.#report;
    if (name === undefined || this.#case || properties.size >= MAX_PROPERTIES) return;
    if (name.startsWith("surefire.")) this.#report.runner = "Maven Surefire";
    if (name === "go.version") this.#report.runner = `go test ${value ?? ""}`.trim();
    properties.set(name.slice(0, TEXT_LENGTH), (value ?? "").slice(0, TEXT_LENGTH));
  }

  /** Text of the innermost element that has a meaning. */
  #text(text: string): void {
    const name = this.#elements.at(-1) ?? "";
    const isOutput = name === "system-out" || name === "system-err";
    const failure = this.#failure;
    if (isOutput && failure) failure.output = appended(failure.output, text, OUTPUT_LENGTH);
    else if (isOutput && this.#case)
      this.#case.output = appended(this.#case.output, text, OUTPUT_LENGTH);
    else if (isOutput) {
      const suite = this.#suites.at(-1);
      if (suite) suite.printed = appended(suite.printed, text, OUTPUT_LENGTH);
    } else if (failure && (FAILURES.has(name) || name === "stackTrace")) {
      if (failure.text.length < FAILURE_LENGTH) failure.text += text.slice(0, FAILURE_LENGTH);
    } else if (name === "skipped" && this.#case?.skipped) {
      const { skipped } = this.#case;
      if (skipped.text.length < TEXT_LENGTH) skipped.text += text.slice(0, TEXT_LENGTH);
    }
  }

  #close(name: string): void {
    this.#elements.pop();
    if (FAILURES.has(name)) this.#failure = undefined;
    else if (name === "testcase" && this.#case) this.#closeCase(this.#case);
    else if (name === "testsuites" || name === "testsuite") {
      const suite = this.#suites.pop();
      if (suite?.printed.trim())
        this.#report.outputs.push({ suite: suite.name, text: tail(suite.printed, OUTPUT_LENGTH) });
      const above = this.#suites.at(-1);
      if (suite && above) above.at = Math.max(above.at, suite.at); // the next one begins when this one has ended
    }
  }

  #closeCase(test: Case): void {
    this.#case = undefined;
    const suite = this.#suites.at(-1);
    const own = timeOf(test.attributes["timestamp"]);
    const at = (this.#report.hasTimes ? own : undefined) ?? suite?.at ?? 0;
    const took = test.durationMs ?? 0;
    if (suite) suite.at = at + took;
    this.#report.durationMs += took;
    const isCollection = test.failures[0]?.message === "collection failure"; // of pytest: a file that does not load
    this.#report.tests.push({
      id: this.#names.unique(idOf(test.attributes, this.#suites, this.#folder)),
      kind: isCollection ? "suite" : undefined,
      at,
      attempts: attemptsOf(test, this.#folder),
    });
  }
}

/** The attempts of a test case, of which the last one decides. Surefire and nextest report those before it as elements of their own. */
function attemptsOf(test: Case, folder: string): Attempt[] {
  const { file, line } = test.attributes;
  const place = { file: file && ownPath(file, folder), line: wholeNumber(line) };
  const failed = (found: Found): Attempt => {
    const isError = found.element.toLowerCase().endsWith("error");
    const output = tail(found.output || test.output, OUTPUT_LENGTH);
    return {
      result: isError ? "error" : "failed",
      phase: phaseOf(found),
      durationMs: found.durationMs,
      output: output || undefined,
      diff: diffOf(found),
      failure: {
        ...place,
        type: found.type || undefined,
        message: found.message,
        text: found.text,
      },
    };
  };
  const final = test.failures.filter(({ element }) => element === "failure" || element === "error");
  const others = test.failures.filter(
    ({ element }) => element !== "failure" && element !== "error",
  );
  const [first, ...more] = final;
  if (first) {
    // Several failures of one attempt: googletest has one for each assertion.
    for (const { message, text } of more)
      first.text = `${first.text}\n${text || (message ?? "")}`.slice(0, FAILURE_LENGTH);
    const attempts = [first, ...others].map(failed);
    const last = attempts.at(-1);
    if (last) last.durationMs ??= test.durationMs;
    return attempts;
  }
  return [...others.map(failed), lastOf(test)];
}

/** The attempt of a test case without a failure. */
function lastOf(test: Case): Attempt {
  const { durationMs, skipped } = test;
  const output = tail(test.output, OUTPUT_LENGTH);
  if (skipped) {
    const reason = (skipped.reason || skipped.text.trim()).slice(0, TEXT_LENGTH) || undefined;
    const result = skipped.type === "pytest.xfail" ? "expected_failure" : "skipped";
    return { result, durationMs, reason, output: output || undefined };
  }
  const { status, result } = test.attributes;
  const isNotRun = ["notrun", "disabled", "skipped", "suppressed"];
  const isSkipped = [status, result].some((value) => isNotRun.includes(value?.toLowerCase() ?? ""));
  return { result: isSkipped ? "skipped" : "passed", durationMs };
}

/** pytest's reports have the phase only in the message. */
function phaseOf({ message = "" }: Found): Attempt["phase"] {
  if (message === "collection failure") return "collect";
  const [, phase] = /^failed on (setup|teardown) with /.exec(message.slice(0, 100)) ?? [];
  return phase as "setup" | "teardown" | undefined; // what the expression matches
}

/** What was expected: JUnit's and Hamcrest's message, or PHPUnit's comparison. */
function diffOf({ message = "", text }: Found): Attempt["diff"] {
  const line = message.slice(0, 2 * DIFF_LENGTH);
  const at = line.indexOf("> but was:");
  const start = line.indexOf("expected:");
  const [open, close] = [line.indexOf("<", start), line.lastIndexOf(">")];
  const second = line.indexOf("<", at);
  if (start >= 0 && at > open && open >= 0 && second > 0 && close > second)
    return { expected: line.slice(open + 1, at), actual: line.slice(second + 1, close) };
  const begin = text.indexOf("--- Expected\n+++ Actual\n");
  if (begin < 0) return undefined;
  const end = text.indexOf("\n\n", begin);
  return { text: text.slice(begin, end < 0 ? undefined : end).slice(0, DIFF_LENGTH) };
}

/** File, class, name. Generators that have no file give the class its name, or its path with points. */
function idOf(attributes: Attributes, suites: readonly Suite[], folder: string): string[] {
  const { name = "" } = attributes;
  const suite = suites.at(-1);
  const named = attributes["file"] ?? attributes["filepath"] ?? suite?.file;
  const file = named === undefined ? undefined : ownPath(named, folder);
  const className = attributes["classname"] || attributes["class"] || undefined;
  const parts: string[] = file ? [file] : [];
  if (className !== undefined && className !== name) parts.push(...withoutFile(className, file));
  else if (suite?.name && suite.name !== file) parts.push(suite.name);
  const last = parts.at(-1);
  // Mocha and Jest repeat the suite's name in that of the test.
  const isRepeated = last !== undefined && name.startsWith(`${last} `);
  return [...parts, isRepeated ? name.slice(last.length + 1) : name];
}

/** `tests.test_merge.TestMerge` of the file `tests/test_merge.py` is TestMerge. */
function withoutFile(className: string, file: string | undefined): string[] {
  if (file === undefined) return [className];
  if (className === file) return [];
  const base = file.replace(/\.\w{1,8}$/, "");
  for (const module of [base.replaceAll("/", "."), base.slice(base.lastIndexOf("/") + 1)]) {
    if (className === module) return [];
    if (className.startsWith(`${module}.`)) return [className.slice(module.length + 1)];
  }
  return [className];
}

/** A path relative to the folder, with `/`; undefined for one outside of it, which differs from machine to machine. */
function ownPath(path: string, folder: string): string | undefined {
  const isWindows = /^[A-Za-z]:[\\/]/.test(path);
  const own = isAbsolute(path) ? relative(folder, path) : path.replace(/^\.[\\/]/, "");
  if (isWindows || own.startsWith("..")) return undefined;
  return own.replaceAll("\\", "/");
}

function runnerOf(element: string, name: string, attributes: Attributes): string | undefined {
  if (name === "pytest" || name === "pytest tests") return "pytest";
  if (name === "nextest-run") return "cargo nextest";
  if (name === "rspec" || name.startsWith("rspec")) return "RSpec";
  if (element === "testsuites") {
    const [, tool] = /^(jest|mocha|vitest|cypress) tests$/i.exec(name) ?? [];
    if (tool) return tool.toLowerCase();
  }
  const schema = attributes["xsi:noNamespaceSchemaLocation"] ?? "";
  if (schema.includes("surefire")) return "Maven Surefire";
  return attributes["assertions"] !== undefined && element === "testsuite" ? "PHPUnit" : undefined;
}

/** Seconds as generators print them, some with separators of thousands or a decimal comma, as milliseconds. */
function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 30) return undefined;
  const isComma = /^\d*,\d+$/.test(text) && !/^[1-9]\d{0,2},\d{3}$/.test(text);
  const value = Number(isComma ? text.replace(",", ".") : text.replaceAll(",", ""));
  return Number.isFinite(value) && value >= 0 && text !== ""
    ? Math.round(value * 1e6) / 1000
    : undefined;
}

function timeOf(text: string | undefined): number | undefined {
  const time = text !== undefined && text.length < 50 ? Date.parse(text) : Number.NaN;
  return Number.isFinite(time) && time > 0 ? time : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
