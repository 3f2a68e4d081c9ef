/** Runs a test runner in a folder of its own, with the reporter under test, and reads what that recorded. */
import { spawn, type SpawnOptions } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Line, readLanes } from "../lanes.ts";

export const root = new URL("../../../..", import.meta.url).pathname;
/** Node's conditions by which a reporter is loaded from its source. */
export const reporter = (name: string) => join(root, `clients/typescript/integrations/${name}.ts`);

export type Ran = { code: number | null; signal: string | null; output: string; stdout: string };

export type Project = {
  folder: string;
  write(files: { [path: string]: string }): void;
  /** Runs Node with these arguments to its end, without a daemon and without a network. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ran>;
  /** Starts it; `ended` resolves with its end. */
  start(
    args: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): { kill(): void; output(): string; ended: Promise<Ran> };
  /** The records of the sessions so far, in the order of their starts. */
  sessions(): Line[][];
} & Disposable;

export function makeProject(files: { [path: string]: string }): Project {
  const folder = mkdtempSync(join(tmpdir(), "datacat-project-"));
  const home = join(folder, "home");
  const project: Project = {
    folder,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    },
    run: (args, env) => project.start(args, env).ended,
    start(args, env) {
      // Of this run itself: nothing of the vitest, the CI or the daemon around it.
      const own = Object.fromEntries(
        Object.entries(process.env).filter(
          ([name]) => !/^(VITEST|DATACAT_|GITHUB_|CI$|NODE_|FORCE_COLOR|TEST)/.test(name),
        ),
      );
      const options: SpawnOptions = {
        cwd: folder,
        detached: true, // a group, which is killed with its workers
        env: {
          ...own,
          NO_COLOR: "1",
          DATACAT_HOME: home,
          DATACAT_DAEMON: "off",
          ...env,
        },
      };
      const child = spawn(process.execPath, args, options);
      let [stdout, output] = ["", ""];
      child.stdout?.on("data", (text: Buffer) => {
        stdout += text.toString();
        output += text.toString();
      });
      child.stderr?.on("data", (text: Buffer) => (output += text.toString()));
      const ended = new Promise<Ran>((resolve) =>
        child.on("close", (code, signal) => resolve({ code, signal, output, stdout })),
      );
      const kill = () => void (child.pid && process.kill(-child.pid, "SIGKILL"));
      return { kill, output: () => output, ended };
    },
    sessions: () => readLanes({ lanes: join(home, "lanes") }).map(({ records }) => records),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
  project.write(files);
  return project;
}

export type Recorded = {
  /** Each end of a test: its id without the file, its result, and what else is not the usual. */
  ends: string[];
  starts: string[];
  counts: { [result: string]: number };
  exitCode: number | undefined;
  tests: Line[];
  state: Line;
};

/** A session's tests, as short texts. */
export function recorded(records: readonly Line[]): Recorded {
  const tests = records.filter(({ name }) => name === "test");
  const patches = records.filter(({ op }) => op === "state").map(({ patch }) => patch as Line);
  const ends = tests.map(({ test, exception_type: type, exception_msg: message, causes = [] }) => {
    const { id, result, attempt, kind, phase, reason } = test as Line;
    const causeTexts = (causes as Line[]).map(
      (cause) =>
        `${cause["kind"] ?? "cause"} ${cause["exception_type"]}: ${firstLine(cause["exception_msg"])}`,
    );
    const thrown = type && [`${type}: ${firstLine(message)}`, ...causeTexts].join(" + ");
    const about = [kind, phase, attempt && `attempt ${attempt}`, reason && `(${reason})`, thrown];
    return [(id as string[]).join(" > "), result, ...about].filter(Boolean).join(" | ");
  });
  const starts = records
    .filter(({ name }) => name === "test_started")
    .map(({ test }) => ((test as Line)["id"] as string[]).join(" > "));
  const counts = patches.map(({ tests }) => tests?.counts).findLast(Boolean) ?? {};
  const exitCode = records.find(({ op }) => op === "end")?.["exit_code"];
  return { ends, starts, counts, exitCode, tests, state: Object.assign({}, ...patches) };
}

function firstLine(text: unknown): string {
  return String(text).split("\n", 1)[0] ?? "";
}

/**
 * The counts that follow from the events alone, as the server computes them: of each test the result of its last attempt. They have to be
 * the runner's own.
 */
export function countsOf({ tests }: Recorded): { [result: string]: number } {
  const last = new Map<string, string>();
  const counts = {
    passed: 0,
    failed: 0,
    errors: 0,
    skipped: 0,
    expected_failures: 0,
    unexpected_passes: 0,
  };
  for (const { test } of tests as { test: Line }[]) {
    if (test["kind"] === "benchmark") continue;
    if (test["result"] === "error") counts.errors++;
    else last.set((test["id"] as string[]).join("\u0000"), test["result"]);
  }
  for (const result of last.values()) {
    if (result === "expected_failure") counts.expected_failures++;
    else counts[result as "passed"]++;
  }
  return counts;
}
