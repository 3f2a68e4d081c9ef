/** Every suite of tests: what it needs, how it is run, and how its counts are read. A new language is a new entry here. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

export type Counts = { passed: number; failed: number; skipped: number };
export type Result = {
  counts: Counts;
  /** Of what failed. Empty: the end of the output is printed instead. */
  details: string;
};

export type Suite = {
  name: string;
  /** What the suite needs and this machine does not have. */
  missing?: string;
  /** CI machines lack it, too: it is then skipped there by its name instead of failing. */
  isOptional?: boolean;
  command: string[];
  folder: string;
  environment?: Record<string, string>;
  /**
   * How many of two cores are left to it. Measured in CPU seconds a second, on a machine that was busy: clients 0.5, browser 0.8, worker 0.6,
   * end-to-end 0.7, daemon 0.6, faults 0.6, reporters 0.9, core 1.0, Python 0.4. Suites that depend on time have a little more.
   */
  cores: number;
  read(output: string): Result;
  /** Which part of its tests it runs, printed in its line. Absent: all. */
  note?: string;
};

const root = join(import.meta.dirname, "../");

/** Longest first, so that none of them is alone at the end; then those that keep more than one core busy. */
export async function findSuites(): Promise<Suite[]> {
  const results = mkdtempSync(join(tmpdir(), "datacat-test-"));
  return [
    vitest(results, "clients"),
    {
      ...vitest(results, "browser", "test/browser"),
      ...needs(find(...CHROMIUM), "Chromium"),
      cores: 1.1, // its pages are drawn by other processes
    },
    { ...vitest(results, "worker"), cores: 0.9 }, // one workerd runs its files one after the other
    vitest(results, "end-to-end", "test/end-to-end"),
    vitest(results, "daemon"),
    { ...vitest(results, "faults", "test/faults"), cores: 0.5 },
    vitest(results, "reporters"),
    ...missingRuntimes(results),
    ...(await pythonSuites()),
    { ...vitest(results, "core"), cores: 1.5 }, // some of its tests measure CPU time
    go(),
    oldestGo(),
  ];
}

/** Runtimes that are not installed: the clients' tests skip them, and the list of suites names them. */
function missingRuntimes(results: string): Suite[] {
  const names = ["Deno", "Bun"].filter(
    (name) => find(name.toUpperCase(), name.toLowerCase()) === undefined,
  );
  return names.map((name) => ({ ...vitest(results, "clients"), name, missing: name }));
}

/** A vitest project, or the part of "end-to-end" that is in `folder`. */
function vitest(results: string, name: string, folder?: string): Suite {
  const file = join(results, `${name}.json`);
  const which = folder === undefined ? ["--project", name] : ["--project", "end-to-end", folder];
  return {
    name,
    command: [process.execPath, join(root, "node_modules/vitest/vitest.mjs"), "run"].concat(
      ["--config", "test/vitest.config.ts", "--passWithNoTests"].concat(which),
      ["--reporter=dot", "--reporter=json", `--outputFile.json=${file}`],
    ),
    folder: root,
    environment: { NO_COLOR: "1" },
    cores: 1,
    read: () => readVitest(file),
  };
}

/** As much of the JSON reporter's file as is needed. */
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] | null }[];
  }[];
};

function readVitest(file: string): Result {
  if (!existsSync(file)) return { counts: { passed: 0, failed: 1, skipped: 0 }, details: "" };
  const report = JSON.parse(readFileSync(file, "utf8")) as Report; // vitest's own, of the pinned version
  const failures: string[] = [];
  let brokenFiles = 0;
  for (const { name, status, message, assertionResults } of report.testResults) {
    const path = name.replace(root, "");
    const failed = assertionResults.filter((test) => test.status === "failed");
    // A file that could not be loaded has no tests to fail.
    if (status === "failed" && failed.length === 0) {
      brokenFiles += 1;
      failures.push(`${path}\n${message}`);
    }
    for (const test of failed) {
      failures.push(`${path}: ${test.fullName}\n${(test.failureMessages ?? []).join("\n")}`);
    }
  }
  return {
    counts: {
      passed: report.numPassedTests,
      failed: report.numFailedTests + brokenFiles,
      skipped: report.numPendingTests + report.numTodoTests,
    },
    details: failures.join("\n\n"),
  };
}

/**
 * One suite for each Python found. Version 2.7 must be among them, as CPython or Jython, and some 3. The oldest 2 and 3 and the newest 3
 * run every test. A version between them runs what needs one process, the ends of programs and one program with the real server: the code
 * paths of processes and packages differ by operating system and between the oldest and the newest, not from each minor version to the next.
 */
async function pythonSuites(): Promise<Suite[]> {
  const found = await findPythons();
  const versions = [...found.keys()];
  const threes = versions.filter((name) => name.startsWith("Python 3."));
  const between = threes.slice(1, -1);
  const suites = [...found].map(([name, path]) =>
    between.includes(name) ? inOneProcess(python(name, path)) : python(name, path),
  );
  if (!versions.some((name) => name.includes(" 2.7"))) {
    suites.push({ ...python("Python 2.7", ""), missing: "Python 2.7 or Jython" });
  }
  if (!versions.some((name) => name.includes(" 3."))) {
    suites.push({ ...python("Python 3", ""), missing: "Python 3" });
  }
  return suites;
}

function python(name: string, path: string): Suite {
  return {
    name,
    command: [path, join(root, "test/clients/python/run_tests.py")],
    folder: root,
    environment: { PYTHONDONTWRITEBYTECODE: "1", JYTHONPATH: join(root, "clients/python") },
    cores: 0.4,
    read: readSummary,
  };
}

function inOneProcess(suite: Suite): Suite {
  return { ...suite, command: [...suite.command, "--one-process"], note: "in one process" };
}

/** The pythons on PATH and pyenv's, of each minor version the newest. Each is run to print its version, because a shim may lead nowhere. */
export async function findPythons(): Promise<Map<string, string>> {
  const wanted = /^(python([23](\.\d+)?)?|jython|pypy\d*(\.\d+)?)(\.exe)?$/;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const pyenv = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  for (const version of listFolder(pyenv)) folders.push(join(pyenv, version, "bin"));
  const candidates = folders.flatMap((folder) =>
    listFolder(folder).flatMap((name) => (wanted.test(name) ? [join(folder, name)] : [])),
  );
  const script =
    "import sys, platform; print(platform.python_implementation() + ' ' + '.'.join(map(str, sys.version_info[:3])))";
  const names = await Promise.all(
    candidates.map((path) => ask(path, ["-c", script]).then((answer) => [answer, path] as const)),
  );
  const found = new Map<string, string>();
  for (const [answer, path] of names) {
    const name = answer?.trim().replace(/^CPython/, "Python");
    if (name && /^\w+ [\d.]+$/.test(name) && !found.has(name)) found.set(name, path);
  }
  // Jython is used for 2.7 only where there is no CPython 2.7.
  const hasOld = [...found.keys()].some((name) => name.startsWith("Python 2.7"));
  for (const name of found.keys()) if (hasOld && name.startsWith("Jython")) found.delete(name);
  const sorted = [...found].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const newest = new Map(sorted.map((entry) => [entry[0].replace(/(\d+\.\d+).*$/, "$1"), entry]));
  return new Map(newest.values());
}

/** `N passed, N failed[, N skipped]` on the last line. */
export function readSummary(output: string): Result {
  const lastLine = output.trimEnd().split("\n").at(-1) ?? "";
  const [, passed, failed, skipped] =
    /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(lastLine) ?? [];
  if (passed === undefined) return { counts: { passed: 0, failed: 1, skipped: 0 }, details: "" };
  const counts = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) };
  return { counts, details: "" };
}

function go(): Suite {
  const compiler = onPath("gcc") ?? onPath("cc") ?? onPath("clang");
  return {
    name: "go",
    ...needs(onPath("go"), "Go"),
    ...(onPath("go") && needs(compiler, "a C compiler, for the race detector")),
    command: ["go", "test", "-race", "-json", "./..."],
    folder: join(root, "clients/go"),
    environment: { CGO_ENABLED: "1" },
    cores: 2,
    read: readGo,
  };
}

/**
 * Compiles everything with the oldest Go of go.mod, and runs the tests of 1.x's programs. Where that Go is missing, the suite "go" still
 * compiles with its language version, but cannot notice a newer function of the standard library.
 */
function oldestGo(): Suite {
  const version = /^go (\S+)$/m.exec(readFileSync(join(root, "clients/go/go.mod"), "utf8"))?.[1];
  const debian = `/usr/lib/go-${version}/bin/go`;
  const found = existsSync(debian) ? debian : onPath(`go${version}`);
  return {
    name: `go ${version}`,
    ...needs(found, `Go ${version}`),
    isOptional: true,
    command: [found ?? "go", "test", "-json", "-run", "1x", "./..."],
    folder: join(root, "clients/go"),
    environment: { GOTOOLCHAIN: "local" },
    cores: 1,
    read: readGo,
  };
}

/** `go test -json`: one event a line. */
export function readGo(output: string): Result {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const printed = new Map<string, string>();
  const failures: string[] = [];
  for (const line of output.split("\n")) {
    if (!line.startsWith("{")) continue;
    const event = JSON.parse(line) as {
      Action: string;
      Package?: string;
      Test?: string;
      Output?: string;
    };
    const test = `${event.Package ?? ""} ${event.Test ?? ""}`;
    if (event.Action === "output")
      printed.set(test, (printed.get(test) ?? "") + (event.Output ?? ""));
    if (event.Action === "fail") failures.push(`${test}\n${printed.get(test) ?? ""}`);
    if (event.Test === undefined) continue; // the package as a whole
    if (event.Action === "pass") counts.passed += 1;
    if (event.Action === "fail") counts.failed += 1;
    if (event.Action === "skip") counts.skipped += 1;
  }
  return { counts, details: failures.join("\n") };
}

function needs(found: string | undefined, what: string): { missing?: string } {
  return found === undefined ? { missing: what } : {};
}

const CHROMIUM = [
  "CHROMIUM",
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
] as const;

/** A program named by a variable, or called one of these names and on the PATH. */
function find(variable: string, ...names: string[]): string | undefined {
  const named = process.env[variable];
  if (named && existsSync(named)) return named;
  return names.map(onPath).find((path) => path !== undefined);
}

function onPath(program: string): string | undefined {
  const names = process.platform === "win32" ? [`${program}.exe`, `${program}.cmd`] : [program];
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function ask(program: string, args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, args, { timeout: 60_000 })).stdout;
  } catch {
    return undefined;
  }
}
