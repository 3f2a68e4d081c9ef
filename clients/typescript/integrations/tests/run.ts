/**
 * What the reporters of all test runners share: a run as a session, each test's start and result as an event (clients/README.md, "Tests"),
 * the counts, and at the end the link to the session and GitHub's job summary. Never throws into the runner and never waits.
 */
import { basename } from "node:path";
import { tagTexts } from "../../../../src/core/text/tag.ts";
import type { TestFact } from "../../encode/test-fact.ts";
import { open, type OpenOptions, type Session } from "../../node.ts";
import { readCi } from "../../process/ci.ts";
import type { TestCounts } from "./counts.ts";
import { failureOf } from "./failure.ts";
import { dashboardOf, linkLine, writeJobSummary } from "./link.ts";
import { FAILURES_KEPT } from "./limits.ts";

export type ReporterOptions = OpenOptions & {
  /** When the link to the session is printed on stderr. Default: `DATACAT_LINK`, else `always`. */
  link?: "always" | "failure" | "never" | undefined;
};

type Runner = {
  /** Name and version: "vitest 4.1.0". */
  name: string;
  /** The project's folder, to which the files of tests are relative. */
  root: string;
  workers?: number | undefined;
};

type Ended = {
  /** What was thrown, in order. */
  errors?: readonly unknown[] | undefined;
  /** Epoch milliseconds. Default: now. */
  at?: number | undefined;
  data?: object | undefined;
  /** False: it was thrown outside of all tests. */
  handled?: boolean | undefined;
};

const BAD = new Set(["failed", "error", "unexpected_pass"]);

export class TestRun {
  readonly session: Session;
  readonly #tests: { runner: string; root: string; workers: number | undefined };
  readonly #link: ReporterOptions["link"];
  readonly #url: string;
  readonly #occurrences = new Map<string, number>();
  /** By test: those whose last attempt did not pass. */
  readonly #failures = new Map<string, { name: string; line: string }>();
  #counts: TestCounts | undefined;
  #exitCode: number | undefined;

  /** @param tag The runner's name, by which its sessions are found. */
  constructor(tag: string, runner: Runner, options: ReporterOptions) {
    const { link, ...own } = options;
    const isDisabled = options.disabled ?? process.env["DATACAT_DISABLED"] === "1";
    const { ci, version } = (isDisabled ? undefined : readCi(process.env, runner.root)) ?? {};
    this.#link = link ?? linkOf(process.env["DATACAT_LINK"]);
    this.#tests = { runner: runner.name, root: basename(runner.root), workers: runner.workers };
    this.session = open({
      ...own,
      product: own.product ?? process.env["DATACAT_PRODUCT"] ?? "tests",
      version: own.version ?? process.env["DATACAT_VERSION"] ?? version,
      tags: [tag, ...tagTexts(own.tags)],
    });
    this.#url = dashboardOf(this.session, options);
    if (this.session.hasEnded) return; // recording is disabled or impossible
    this.session.updateState({ tests: this.#tests, ...(ci && { ci }) });
    this.session.onEnd(() => this.#close());
  }

  /** @param count The tests that will run, once it is known. */
  plan(count: number): void {
    this.session.updateState({ tests: { planned: count } });
  }

  /** The id, with a number if the run has another test of the same name in the same place. */
  distinct(id: readonly string[]): string[] {
    const key = id.join("\u0000");
    const number = (this.#occurrences.get(key) ?? 0) + 1;
    this.#occurrences.set(key, number);
    return number === 1 ? [...id] : [...id, `#${number}`];
  }

  start(test: TestFact, at?: number): void {
    this.session.logEvent("test_started", { message: nameOf(test), group: fileOf(test), test, at });
  }

  end(test: TestFact, { errors = [], at, data, handled = true }: Ended = {}): void {
    const isBad = BAD.has(test.result ?? "");
    const failure = failureOf(errors);
    const line = failure?.line ?? test.reason;
    const event = {
      category: isBad ? "error" : "info",
      group: fileOf(test),
      message: line ?? nameOf(test),
      data,
      at,
      test: { ...test, ...(failure?.diff && { diff: failure.diff }) },
    };
    if (failure === undefined) this.session.logEvent("test", event);
    else this.session.logException(failure.thrown, { ...event, name: "test", handled });
    if (test.duration_ms !== undefined && test.kind !== "suite")
      this.session.histogram("test_seconds", test.duration_ms / 1_000, { unit: "s" });
    const key = test.id.join("\u0000");
    if (!isBad) this.#failures.delete(key);
    else if (this.#failures.size < FAILURES_KEPT)
      this.#failures.set(key, { name: nameOf(test), line: line ?? "" });
  }

  /** Records the runner's own counts. The session ends with the process, whose exit code is the runner's. */
  finish(counts: TestCounts): void {
    this.#counts = counts;
    this.session.updateState({ tests: { counts } });
  }

  /** Ends the session before the process does, as in watch mode. */
  close(exitCode: number): void {
    this.#exitCode = exitCode;
    this.session.end({ exitCode });
  }

  #close(): void {
    try {
      const exitCode = this.#exitCode ?? Number(process.exitCode ?? 0);
      const url = `${this.#url}/sessions/${this.session.id}`;
      if (this.#link === "always" || (this.#link === "failure" && exitCode !== 0))
        process.stderr.write(linkLine(url));
      writeJobSummary(process.env["GITHUB_STEP_SUMMARY"], {
        title: this.#tests.runner,
        counts: this.#counts,
        failures: [...this.#failures.values()],
        url,
        exitCode,
      });
    } catch {
      // stderr is closed
    }
  }
}

function linkOf(text: string | undefined): ReporterOptions["link"] {
  return text === "failure" || text === "never" ? text : "always";
}

/** The id without the file: "adds", within "sums". */
function nameOf({ id, file = 0 }: TestFact): string {
  return id.slice(file + 1).join(" > ") || (id[file] ?? "");
}

function fileOf({ id, file = 0 }: TestFact): string | undefined {
  return id[file];
}
