/** What a report of tests contains, whatever its format. */
import type { TestKind, TestPhase, TestResult } from "../../../src/core/tests/vocabulary.ts";

export type Attempt = {
  result: TestResult;
  phase?: TestPhase | undefined;
  durationMs?: number | undefined;
  reason?: string | undefined;
  output?: string | undefined;
  diff?: { expected?: string; actual?: string; text?: string } | undefined;
  failure?: Failure | undefined;
};

export type Failure = {
  type?: string | undefined;
  message?: string | undefined;
  text: string;
  file?: string | undefined;
  line?: number | undefined;
};

export type ReportedTest = {
  id: string[];
  kind?: TestKind | undefined;
  /** When its first attempt began: epoch milliseconds if the report has times, else milliseconds since its beginning. */
  at: number;
  attempts: Attempt[];
};

export type Report = {
  runner: string;
  /** Whether the times of its tests are epoch milliseconds. */
  hasTimes: boolean;
  tests: ReportedTest[];
  /** How long the tests took, one after the other. */
  durationMs: number;
  properties: Map<string, string>;
  /** What suites printed outside of their tests. */
  outputs: { suite: string; text: string }[];
  hostname?: string | undefined;
};

/** A file that is no report, or a damaged one. `line` is the one where it was noticed. */
export class BadReport extends Error {
  readonly line: number | undefined;
  /** A whole document of another kind, which a folder may contain. */
  readonly isOther: boolean;

  constructor(message: string, line?: number, isOther = false) {
    super(message);
    this.name = "BadReport";
    this.line = line;
    this.isOther = isOther;
  }
}

/** Makes each id of a report different: of a test that occurs twice the second one gets ` #2`. */
export class Names {
  readonly #seen = new Map<string, number>();

  unique(id: string[]): string[] {
    const key = JSON.stringify(id);
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    return times === 1 ? id : [...id.slice(0, -1), `${id.at(-1) ?? ""} #${times}`];
  }
}

/** A text that only the last `length` characters are wanted of, with more: it is cut when it is twice as long, so a piece costs its own length. */
export function appended(text: string, more: string, length: number): string {
  return text.length + more.length > 2 * length ? tail(text + more, length) : text + more;
}

/** The last `length` characters. */
export function tail(text: string, length: number): string {
  return text.length > length ? text.slice(-length) : text;
}
