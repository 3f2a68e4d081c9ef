import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { DATACAT } from "../../../daemon/cli/invocation.ts";

test("in a clone the command that hints name runs from any folder", () => {
  expect(execFileSync(`${DATACAT} --version`, { shell: true, cwd: "/" }).toString()).toMatch(
    /^\d+\.\d+\.\d+/,
  );
});
