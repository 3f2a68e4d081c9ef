/** Checks the Go client with Go's tools (its own tests are another suite). Nothing is downloaded, as it has no dependencies. */
import { execFile, execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { isGoMissing } from "./world.ts";

const module = new URL("../../../clients/go", import.meta.url).pathname;
const checker = new URL("types/main.go", import.meta.url).pathname;
/** The first compilation of the standard library for another system takes minutes on a busy machine. */
const timeout = 900_000;

describe.skipIf(isGoMissing)("the Go client", () => {
  test("passes go vet", { timeout }, async () => {
    expect(await go(["vet", "./..."], { CGO_ENABLED: "0" })).toBe("");
  });

  describe.each(["windows", "darwin"])("for %s", (system) => {
    test("has the right types everywhere, also in its tests", { timeout }, async () => {
      expect(await go(["run", checker, system])).toMatch(/^\d{3} files, 0 errors\n$/);
    });

    // To vet all would compile net/http and TLS for that system, too, which no file of one system uses.
    test("passes go vet where files are of one system", { timeout }, async () => {
      const args = ["vet", "-gcflags=all=-N -l", ...ofOneSystem()];
      expect(await go(args, { GOOS: system, CGO_ENABLED: "0" })).toBe("");
    });
  });

  test("is formatted by gofmt", async () => {
    const folders = [".", dirname(checker)];
    expect(execFileSync("gofmt", ["-l", ...folders], { cwd: module }).toString()).toBe("");
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

/** Packages with files for one system. "client" is not among them: it needs net/http, and its file has one line. */
function ofOneSystem(): string[] {
  const files = globSync("**/*_{windows,unix,linux,other}.go", { cwd: module });
  const folders = new Set(files.map((file) => `./${dirname(file)}`));
  expect(folders.delete("./client")).toBe(true);
  expect(folders.size).toBeGreaterThan(2);
  return [...folders];
}

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
