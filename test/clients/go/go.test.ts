/** The Go client by Go's own tools (its own tests are a suite of their own). Nothing is downloaded: it has no dependencies. */
import { execFile, execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { isGoMissing } from "./world.ts";

const module = new URL("../../../clients/go", import.meta.url).pathname;
/** Compiling the standard library for the race detector, or for another system, takes a while on a machine that never did. */
const timeout = 900_000;

describe.skipIf(isGoMissing)("the Go client", () => {
  test.each(["linux", "windows", "darwin"])("is sound on %s", { timeout }, async (system) => {
    expect(await go(["vet", "./..."], { GOOS: system, CGO_ENABLED: "0" })).toBe("");
  });

  test("is formatted as Go is", async () => {
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

/** What it said, whether it went well or not. */
function go(words: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = {
    cwd: module,
    env: { ...process.env, GOFLAGS: "", GOPROXY: "off", ...env },
    maxBuffer: 2 ** 26,
  };
  return new Promise((resolve) => {
    execFile("go", words, options, (failed, output, complaints) =>
      resolve(failed ? `FAIL ${failed.message}\n${output}${complaints}` : output + complaints),
    );
  });
}
