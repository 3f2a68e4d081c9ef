/** Checks the Go client with Go's tools (its own tests are another suite). Nothing is downloaded, as it has no dependencies. */
import { execFile, execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { isGoMissing } from "./world.ts";

const module = new URL("../../../clients/go", import.meta.url).pathname;
/** The first compilation of the standard library for another system takes minutes. */
const timeout = 900_000;

describe.skipIf(isGoMissing)("the Go client", () => {
  test.each(["linux", "windows", "darwin"])("passes go vet for %s", { timeout }, async (system) => {
    expect(await go(["vet", "./..."], { GOOS: system, CGO_ENABLED: "0" })).toBe("");
  });

  test("is formatted by gofmt", async () => {
    expect(execFileSync("gofmt", ["-l", "."], { cwd: module }).toString()).toBe("");
  });

  test("needs nothing but the standard library", async () => {
    const needed = await go([
      "list",
      "-deps",
      "-f",
      "{{if not .Standard}}{{.ImportPath}}{{end}}",
      "./...",
    ]);
    const foreign = needed
      .split("\n")
      .filter((path) => path !== "" && !path.startsWith("github.com/datacat/"));
    expect(foreign).toEqual([]);
  });
});

/** The output of a go command, also where it fails. */
function go(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = {
    cwd: module,
    env: { ...process.env, GOFLAGS: "", GOPROXY: "off", ...env },
    maxBuffer: 2 ** 26,
  };
  return new Promise((resolve) => {
    execFile("go", args, options, (failed, output, complaints) =>
      resolve(failed ? `FAIL ${failed.message}\n${output}${complaints}` : output + complaints),
    );
  });
}
