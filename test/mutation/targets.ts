/** What is mutated, and the tests that have to fail. */
import type { Language } from "./mutants.ts";

export type Target = {
  name: string;
  language: Language;
  /** Globs of source files, from the top folder. */
  files: string[];
  /** Commands that test a file, the quickest first. A mutant is detected when one of them fails. */
  tests(file: string): string[][];
  /** Only these sections of a file, by the names in its `# === Name ===` lines. */
  sections?: string[];
  /** Refuses a mutant that does not compile. */
  compile?: string[];
};

const VITEST = ["vitest", "run", "--config", "test/vitest.config.ts", "--bail", "1"];

/** The file's own test, then all tests of its project. */
function vitest(project: string, folder: string, from: string) {
  return (file: string): string[][] => {
    const own = file.replace(from, folder).replace(/\.ts$/, ".test.ts");
    return [own, folder].map((path) => [...VITEST, "--project", project, path]);
  };
}

/** Commands that test a file of any name. */
const always =
  (...commands: string[][]) =>
  (): string[][] =>
    commands;

export const TARGETS: Target[] = [
  {
    name: "core",
    language: "typescript",
    // Not limits.ts: its numbers are chosen, and tests use them by name.
    files: [
      "src/core/!(limits).ts",
      "src/core/{access,attachments,ci,comparison,events,metrics,segments,session,state,status,text}/*.ts",
      "src/core/secrets/redact.ts",
    ],
    tests: vitest("core", "test/core", "src/core"),
    compile: ["tsc", "-p", "src/core", "--noEmit"],
  },
  {
    name: "daemon",
    language: "typescript",
    files: [
      "daemon/lanes/{budget,cursor,frame,lines}.ts",
      "daemon/send/{aggregate,filter,pace,retry,schedule}.ts",
      "daemon/watch/hang.ts",
    ],
    tests: vitest("daemon", "test/daemon", "daemon"),
    compile: ["tsc", "-p", "daemon", "--noEmit"],
  },
  {
    name: "typescript",
    language: "typescript",
    files: ["clients/typescript/encode/*.ts"],
    tests: always(
      [...VITEST, "--project", "clients", "test/clients/typescript/golden.test.ts"],
      [...VITEST, "--project", "clients", "test/clients/typescript"],
    ),
    compile: ["tsc", "-p", "clients/typescript", "--noEmit"],
  },
  {
    name: "python",
    language: "python",
    files: ["clients/python/datacat.py"],
    // The sections that encode.
    sections: ["Field", "Number", "String", "Value", "Secret", "Cut"],
    tests: always(
      [
        "python3",
        "test/clients/python/run_tests.py",
        "test_golden",
        "test_values",
        "test_redaction",
      ],
      ["python3", "test/clients/python/run_tests.py"],
    ),
  },
  {
    name: "go",
    language: "go",
    files: ["clients/go/internal/encode/*.go", "clients/go/internal/secrets/*.go"],
    tests: always([
      "go",
      "-C",
      "clients/go",
      "test",
      "./internal/encode",
      "./internal/secrets",
      ".",
    ]),
    compile: ["go", "-C", "clients/go", "build", "./..."],
  },
];
