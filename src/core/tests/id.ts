/** The identity of tests: their key and their name. */
import { hash } from "../hash.ts";
import { MAX_TEST_NAME_LENGTH } from "./limits.ts";

/** 12 hex digits (48 bits), the same for one id in all runs: among 100,000 tests two are equal once in 50,000 runs. */
export function testKey(id: readonly string[]): string {
  return hash(JSON.stringify(id)).slice(-12);
}

type Named = { id: readonly string[]; file?: number };

/** The part of the id that is the file, in Go the package. */
export function fileOf({ id, file = 0 }: Named): string {
  return id[file] ?? id[0] ?? "";
}

/** pytest's parameters follow the name without a gap, and what names a subtest follows after a blank. */
function gapBefore(part: string, index: number, separator: string): string {
  if (index === 0) return "";
  if (separator !== "::" || !/^[[(]/.test(part)) return separator;
  return part.startsWith("[") && part.endsWith("]") ? "" : " ";
}

/** As its runner prints it: `tests/test_a.py::TestA::test_b[1]` of pytest, `TestA/b` of Go, else the parts with " › " between them. */
export function testName(test: Named, runner = ""): string {
  const { id, file = 0 } = test;
  const [separator, parts] = fileOf(test).endsWith(".py")
    ? ["::", id.slice(file)]
    : runner.startsWith("go") && id.length > file + 1
      ? ["/", id.slice(file + 1)]
      : [" › ", id];
  const name = parts.map((part, index) => gapBefore(part, index, separator) + part).join("");
  return name.length > MAX_TEST_NAME_LENGTH ? `${name.slice(0, MAX_TEST_NAME_LENGTH)}…` : name;
}
