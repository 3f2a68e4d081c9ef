/** What is mutated, and the tests that have to fail. */
import type { Language } from "./mutants.ts";

export type Target = {
  name: string;
  language: Language;
  /** Globs of source files, from the top folder. */
  files: string[];
  /** Commands that test a file, the quickest first. A mutant is detected when one of them fails. */
  tests(file: string): string[][];
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

export const TARGETS: Target[] = [
  {
    name: "core",
    language: "typescript",
    files: ["src/core/*.ts"],
    tests: vitest("core", "test/core", "src/core"),
    compile: ["tsc", "-p", "src/core", "--noEmit"],
  },
];
