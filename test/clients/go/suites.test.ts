/**
 * Real suites of public modules, counted by `go test -json` itself and by the server. The modules come from the module proxy; where that is
 * out of reach, each is skipped by its name.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readGo } from "../../suites.ts";
import { GoWorld, isGoMissing } from "./world.ts";

/** Of three authors, with subtests, examples, fuzz tests and benchmarks; without dependencies. */
const MODULES = [
  { path: "github.com/google/uuid", version: "v1.6.0", packages: "./..." },
  { path: "github.com/pkg/errors", version: "v0.9.1", packages: "./..." },
  { path: "golang.org/x/mod", version: "v0.17.0", packages: "./semver ./module ./modfile" },
];
/** A download is a second; a proxy out of reach answers after a minute. */
const DOWNLOAD_MS = 15_000;

describe.skipIf(isGoMissing)("real suites", () => {
  let world: GoWorld;
  beforeAll(async () => {
    world = await GoWorld.make("./cmd/datacat-gotest");
  }, 180_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test.for(MODULES)("$path: the server counts what go test counts", async (module, context) => {
    const source = download(`${module.path}@${module.version}`, world.folder);
    if (source === undefined) return context.skip(`${module.path} cannot be downloaded here`);
    const folder = join(world.folder, module.path.replaceAll("/", "-"));
    cpSync(source, folder, { recursive: true, mode: 0 });
    execFileSync("chmod", ["-R", "u+w", folder]);
    if (!existsSync(join(folder, "go.mod")))
      writeFileSync(join(folder, "go.mod"), `module ${module.path}\n\ngo 1.19\n`);
    const env = { ...world.env, GOFLAGS: "-mod=mod", DATACAT_PRODUCT: module.path };
    const packages = module.packages.split(" ");

    const own = spawnSync("go", ["test", "-json", ...packages], {
      cwd: folder,
      env,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    const { passed, failed, skipped } = readGo(own.stdout).counts;
    const ran = spawnSync(join(world.folder, "datacat-gotest"), packages, {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    expect(ran.status).toBe(own.status);
    const id = /sessions\/([0-9a-f-]{36})/.exec(ran.stderr)?.[1] ?? "";
    const { summary } = await world.recorded(id, "ended");
    expect(summary.tests).toMatchObject({ passed, failed, skipped, running: 0 });
    expect(passed).toBeGreaterThan(10);
    expect(summary.exit_code).toBe(own.status);
    expect(summary.ledger.dropped).toEqual({});
    expect(summary.verdict.evidence.map(({ kind }) => kind)).not.toContain("tests_differ");
  });
});

/** Its folder in the module cache, undefined where it cannot be had. */
function download(module: string, folder: string): string | undefined {
  const place = join(folder, "download");
  mkdirSync(place, { recursive: true });
  const done = spawnSync("go", ["mod", "download", "-json", module], {
    cwd: place,
    env: { ...process.env, GOFLAGS: "-mod=mod" },
    encoding: "utf8",
    timeout: DOWNLOAD_MS,
  });
  if (done.status !== 0) return undefined;
  return (JSON.parse(done.stdout) as { Dir?: string }).Dir; // go's own format
}
