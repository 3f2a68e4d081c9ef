/** The names of tests, as their runners print them. */
import { expect, test } from "vitest";
import { testName } from "../../../src/core/tests/id.ts";

test.for([
  [["a.py", "TestA", "test_b"], "", "a.py::TestA::test_b"],
  [["a.py", "test_b", "[1-x]"], "", "a.py::test_b[1-x]"],
  [["a.py", "test_b", "[1-x]", "(i=2)"], "", "a.py::test_b[1-x] (i=2)"],
  [["a.py", "test_b", "[step] (i=1)"], "", "a.py::test_b [step] (i=1)"],
  [["./shop", "TestA", "b"], "go 1.26", "TestA/b"],
  [["a.test.ts", "cart", "[empty]"], "", "a.test.ts › cart › [empty]"],
] as const)("%j of %j is %s", ([id, runner, name]) => expect(testName({ id }, runner)).toBe(name));
