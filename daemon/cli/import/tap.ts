/**
 * Reads TAP, the Test Anything Protocol, versions 12 to 14 (https://testanything.org): results, subtests, TODO and SKIP, YAML
 * diagnostics, `Bail out!`, and a plan that does not agree with the tests.
 *
 * A test with subtests is their sum. It is recorded by itself only if it failed and none of them did.
 */
import {
  DIFF_LENGTH,
  FAILURE_LENGTH,
  MAX_TAP_LINE,
  MAX_TESTS,
  MAX_YAML_LENGTH,
  MAX_YAML_LINES,
  OUTPUT_LENGTH,
  TEXT_LENGTH,
} from "./limits.ts";
import {
  appended,
  type Attempt,
  BadReport,
  Names,
  type Report,
  type ReportedTest,
  tail,
} from "./report.ts";

/** A document, or a subtest within one. */
type Level = {
  indent: number;
  plan: number | undefined;
  /** Points, of which those with subtests are one. */
  points: number;
  failed: number;
  /** Tests of a subtest that wait for the point that sums them up, and how many of them failed. */
  closed: { failed: number; tests: ReportedTest[] } | undefined;
  tests: ReportedTest[];
};

type Yaml = { indent: number; lines: string[]; count: number; length: number };

export class TapReader {
  readonly #file: string;
  readonly #names = new Names();
  readonly #levels: Level[] = [levelAt(0)];
  #rest = "";
  #number = 0;
  #isTap = false;
  #count = 0;
  #clock = 0;
  #isBailedOut = false;
  #yaml: Yaml | undefined;
  /** The point that a YAML block is about. */
  #last: ReportedTest | undefined;
  /** Lines that are no TAP, since the last point. */
  #printed = "";

  /** `file`: the first part of each test's id. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Throws a BadReport. */
  write(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, MAX_TAP_LINE);
    for (const line of lines) this.#line(line);
  }

  /** The report, when all of the file was written. Throws a BadReport. */
  end(): Report {
    if (this.#rest) this.#line(this.#rest);
    if (!this.#isTap) throw new BadReport("It has no line of TAP", this.#number, true);
    if (this.#yaml) this.#closeYaml();
    while (this.#levels.length > 1) this.#closeLevel();
    const [root] = this.#levels;
    if (root && !this.#isBailedOut) this.#checkPlan(root);
    return {
      runner: "TAP",
      hasTimes: false,
      tests: root?.tests ?? [],
      durationMs: this.#clock,
      properties: new Map(),
      outputs: [],
    };
  }

  #line(raw: string): void {
    this.#number += 1;
    const line = raw.slice(0, MAX_TAP_LINE).replace(/\r$/, "");
    const text = line.trimStart();
    const indent = line.length - text.length;
    if (this.#yaml) return this.#yamlLine(line, text, indent);
    if (text === "---" && this.#last) {
      this.#yaml = { indent, lines: [], count: 0, length: 0 };
      return;
    }
    if (text === "" || this.#isBailedOut) return;
    if (text.startsWith("# Subtest")) return; // the point that sums it up has its name
    if (/^TAP version \d+$/.test(text) || text.startsWith("pragma ")) {
      this.#isTap = true;
      return;
    }
    const plan = /^1\.\.(\d{1,9})(?:\s*#(.*)|\s*)$/s.exec(text);
    if (plan) return this.#plan(indent, Number(plan[1]), plan[2]?.trimStart());
    if (text.startsWith("Bail out!")) return this.#bailOut(text.slice("Bail out!".length).trim());
    const point = /^(not )?ok\b/.exec(text);
    if (point) {
      const [, number, rest = ""] =
        /^(\d{1,9}(?!\d))?(.*)$/s.exec(text.slice(point[0].length).trimStart()) ?? [];
      const name = rest.trimStart().replace(/^-/, "").trimStart();
      return this.#point(indent, point[1] === undefined, number, name);
    }
    if (!text.startsWith("#")) this.#printed = appended(this.#printed, `${line}\n`, OUTPUT_LENGTH);
    else if (
      this.#last?.attempts[0]?.failure &&
      this.#last.attempts[0].failure.text.length < FAILURE_LENGTH
    )
      this.#last.attempts[0].failure.text += `${text.slice(1).trimStart()}\n`; // Perl's diagnostics follow the failure
  }

  #plan(indent: number, count: number, comment: string | undefined): void {
    this.#isTap = true;
    const level = this.#levelOf(indent);
    level.plan = count;
    if (count === 0 && indent === 0 && comment !== undefined)
      this.#add(level, [this.#file], {
        result: "skipped",
        reason: withoutDirective(comment, "SKIP"),
      });
  }

  #bailOut(reason: string): void {
    this.#isTap = this.#isBailedOut = true;
    const level = this.#levels[0] ?? levelAt(0);
    const message = `Bail out! ${reason}`.trim().slice(0, TEXT_LENGTH);
    const failure = { text: "", message };
    while (this.#levels.length > 1) this.#closeLevel();
    this.#add(level, [this.#file], { result: "error", phase: "teardown", failure }, "suite");
  }

  #point(indent: number, isOk: boolean, number: string | undefined, rest: string): void {
    this.#isTap = true;
    const level = this.#levelOf(indent);
    const { text, directive, reason } = directiveOf(rest);
    const name = text || `test ${number ?? level.points + 1}`;
    const { closed } = level;
    level.closed = undefined;
    level.points += 1;
    if (closed) {
      for (const test of closed.tests) {
        test.id.splice(1, 0, name);
        level.tests.push(test);
      }
      level.failed += closed.failed;
      this.#last = undefined;
      if (isOk || closed.failed > 0 || directive !== undefined) return;
    }
    const id = [this.#file, name];
    const printed = tail(this.#printed, OUTPUT_LENGTH);
    this.#printed = "";
    const result = resultOf(isOk, directive);
    const attempt: Attempt = {
      result,
      reason: reason || undefined,
      output: result === "passed" ? undefined : printed || undefined,
      failure: result === "failed" ? { text: "", message: undefined } : undefined,
    };
    if (result === "failed") level.failed += 1;
    this.#last = this.#add(level, id, attempt, closed ? "suite" : undefined);
  }

  #add(level: Level, id: string[], attempt: Attempt, kind?: ReportedTest["kind"]): ReportedTest {
    if (++this.#count > MAX_TESTS)
      throw new BadReport(`It has more than ${MAX_TESTS} tests`, this.#number);
    const test: ReportedTest = { id, kind, at: this.#clock, attempts: [attempt] };
    level.tests.push(test);
    return test;
  }

  /** The level of an indentation. A deeper line begins a subtest; one that is less deep ends those within it. */
  #levelOf(indent: number): Level {
    let level = this.#levels.at(-1) ?? levelAt(0);
    while (indent < level.indent && this.#levels.length > 1) {
      this.#closeLevel();
      level = this.#levels.at(-1) ?? level;
    }
    if (indent > level.indent && this.#levels.length < 30) {
      level = levelAt(indent);
      this.#levels.push(level);
    }
    return level;
  }

  #closeLevel(): void {
    const level = this.#levels.pop();
    const above = this.#levels.at(-1);
    if (!level || !above) return;
    this.#checkPlan(level);
    above.closed ??= { failed: 0, tests: [] };
    above.closed.failed += level.failed;
    for (const test of level.tests) above.closed.tests.push(test); // not `...`: there may be more than a call takes
    this.#last = undefined;
  }

  #checkPlan(level: Level): void {
    if (level.closed) {
      // The file ended before the point that sums these up.
      for (const test of level.closed.tests) level.tests.push(test);
      level.failed += level.closed.failed;
      level.closed = undefined;
    }
    if (level.plan === level.points || (level.plan === 0 && level.points === 0)) return;
    const message =
      level.plan === undefined
        ? `No plan: ${level.points} tests ran, and the output may be cut`
        : `Planned ${level.plan} tests, ran ${level.points}`;
    const attempt: Attempt = { result: "error", phase: "teardown", failure: { text: "", message } };
    level.failed += 1;
    this.#add(level, [this.#file, "plan"], attempt, "suite");
  }

  #yamlLine(line: string, text: string, indent: number): void {
    const yaml = this.#yaml;
    if (!yaml) return;
    if (text === "..." && indent <= yaml.indent) return this.#closeYaml();
    yaml.length += line.length;
    if (++yaml.count <= MAX_YAML_LINES && yaml.length <= MAX_YAML_LENGTH)
      yaml.lines.push(line.slice(Math.min(indent, yaml.indent)));
  }

  #closeYaml(): void {
    const attempt = this.#last?.attempts[0];
    const values = readYaml(this.#yaml?.lines ?? []);
    this.#yaml = undefined;
    if (!attempt) return;
    const duration = Number(values.get("duration_ms") ?? Number.NaN);
    if (Number.isFinite(duration) && duration >= 0) {
      attempt.durationMs = duration;
      this.#clock += duration;
    }
    if (!attempt.failure) return;
    const first = (...keys: string[]) =>
      keys.map((key) => values.get(key)).find((value) => value !== undefined);
    const expected = first("expected", "wanted", "want");
    const actual = first("actual", "found", "got");
    if (expected !== undefined && actual !== undefined)
      attempt.diff = {
        expected: expected.slice(0, DIFF_LENGTH),
        actual: actual.slice(0, DIFF_LENGTH),
      };
    else if (values.has("diff"))
      attempt.diff = { text: (values.get("diff") ?? "").slice(0, DIFF_LENGTH) };
    attempt.failure.message =
      first("error", "message")?.slice(0, FAILURE_LENGTH) ?? attempt.failure.message;
    attempt.failure.type = first("name", "type")?.slice(0, 200);
    const stack = (first("stack") ?? "").slice(0, FAILURE_LENGTH).split("\n");
    // Node leaves out the `at` of its frames.
    const hasAt = stack.some((frame) => frame.trimStart().startsWith("at "));
    const frames = hasAt ? stack : stack.map((frame) => frame && `    at ${frame}`);
    attempt.failure.text += frames.join("\n");
    const [, file, lineNumber] =
      /^(.{1,1000}?):(\d{1,9})(?::\d{1,9})?$/.exec(first("location", "at") ?? "") ?? [];
    const line = lineNumber ?? values.get("line");
    if (file ?? values.has("file")) attempt.failure.file = file ?? values.get("file");
    if (line !== undefined && /^\d{1,9}$/.test(line)) attempt.failure.line = Number(line);
  }

  /** Gives tests of the same name different ids. */
  named(report: Report): Report {
    for (const test of report.tests) test.id = this.#names.unique(test.id);
    return report;
  }
}

function levelAt(indent: number): Level {
  return { indent, plan: undefined, points: 0, failed: 0, closed: undefined, tests: [] };
}

/** The description and the directive after `#`, which a backslash escapes. */
function directiveOf(rest: string): { text: string; directive?: "TODO" | "SKIP"; reason?: string } {
  const found = /(?:^|\s)#\s*(todo|skip)\w*\b:?(.*)$/is.exec(rest);
  const isEscaped = found !== null && rest[found.index + found[0].indexOf("#") - 1] === "\\";
  if (!found || isEscaped) return { text: unescaped(rest) };
  return {
    text: unescaped(rest.slice(0, found.index).trimEnd()),
    directive: found[1]?.toUpperCase() === "TODO" ? "TODO" : "SKIP",
    reason: (found[2] ?? "").trim().slice(0, TEXT_LENGTH),
  };
}

function unescaped(text: string): string {
  return text.replace(/\\([#\\])/g, "$1").trim();
}

function resultOf(isOk: boolean, directive: "TODO" | "SKIP" | undefined): Attempt["result"] {
  if (directive === "SKIP") return "skipped";
  if (directive === "TODO") return isOk ? "unexpected_pass" : "expected_failure";
  return isOk ? "passed" : "failed";
}

function withoutDirective(text: string, directive: string): string {
  const isIt = text.slice(0, directive.length).toUpperCase() === directive;
  return (isIt ? text.slice(directive.length).replace(/^\w*:?\s*/, "") : text).slice(
    0,
    TEXT_LENGTH,
  );
}

/** The keys of a YAML block at its outermost level, with their values as text: what producers of TAP write, not all of YAML. */
function readYaml(lines: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  let key: string | undefined;
  let block: string[] = [];
  const close = () => {
    if (key !== undefined && block.length > 0) values.set(key, dedented(block));
    key = undefined;
    block = [];
  };
  for (const line of lines) {
    const [, name, written = ""] = /^([A-Za-z_][\w -]{0,60}):(\s.*)?$/s.exec(line) ?? [];
    const value = written.trimStart();
    if (name === undefined) {
      if (key !== undefined) block.push(line);
      continue;
    }
    close();
    if (/^[|>][+-]?$/.test(value) || value === "") key = name;
    else values.set(name, scalar(value));
  }
  close();
  return values;
}

function dedented(lines: string[]): string {
  const indent = Math.min(
    ...lines
      .filter((line) => line.trim() !== "")
      .map((line) => line.length - line.trimStart().length),
  );
  return lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0)).join("\n");
}

function scalar(value: string): string {
  const quote = value[0];
  if ((quote !== "'" && quote !== '"') || !value.endsWith(quote) || value.length < 2) return value;
  const inner = value.slice(1, -1);
  if (quote === "'") return inner.replaceAll("''", "'");
  return inner.replace(/\\(["\\n])/g, (_, character: string) =>
    character === "n" ? "\n" : character,
  );
}
