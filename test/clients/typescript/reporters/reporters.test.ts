/** The reporters of vitest and node:test, in the versions of this repository. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canMount, fillDisk } from "../../../small-disk.ts";
import { countsOf, makeProject, type Project, recorded, reporter, root } from "./run.ts";
import { NODE_TEST, NODE_TEST_ENDS, VITEST, VITEST_ENDS } from "./suites.ts";

const VITEST_PROGRAM = join(root, "node_modules/vitest/vitest.mjs");
const nodeTest = ["--test", `--test-reporter=${reporter("node-test")}`];

function vitestProject(files: { [path: string]: string } = VITEST): Project {
  const project = makeProject({ "vitest.config.mjs": VITEST["vitest.config.mjs"], ...files });
  mkdirSync(join(project.folder, "node_modules"));
  symlinkSync(join(root, "node_modules/vitest"), join(project.folder, "node_modules/vitest"));
  return project;
}

function runVitest(project: Project, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const all = { REPORTER: reporter("vitest"), ...env };
  return project.run([VITEST_PROGRAM, "run", ...args], all);
}

const sorted = (texts: readonly string[]) => [...texts].sort();

test("vitest: each test, attempt, hook and late error is recorded, and the counts are vitest's", async () => {
  using project = vitestProject();
  const ran = await runVitest(project);
  expect(ran.code).toBe(1);
  // As vitest prints them.
  const [, failed, passed, expected, skipped, todo] =
    /Tests +(\d+) failed \| (\d+) passed \| (\d+) expected fail \| (\d+) skipped \| (\d+) todo/.exec(
      ran.output,
    ) ?? [];
  const run = recorded(project.sessions()[0] ?? []);
  const ends = run.ends.filter((end) => !end.startsWith("src/broken"));
  expect(sorted(ends)).toEqual(sorted(VITEST_ENDS));
  expect(run.ends).toContainEqual(
    expect.stringMatching(
      /^src\/broken.test.js \| error \| suite \| collect \| Error: Cannot find module/,
    ),
  );
  expect(run.counts).toEqual({
    passed: Number(passed),
    failed: Number(failed),
    errors: 3 + 2, // failed suites, and errors outside of all tests
    skipped: Number(skipped) + Number(todo),
    expected_failures: Number(expected),
    unexpected_passes: 0,
  });
  expect(ran.output).toMatch(/Failed Suites 3/);
  expect(ran.output).toMatch(/Errors +2 errors/);
  expect(countsOf(run)).toEqual(run.counts);
  expect(run.exitCode).toBe(1);
  expect(run.state["tests"]).toMatchObject({ counts: run.counts });
  const rounds = run.tests.find(({ test }) => test.id.at(-1) === "rounds");
  expect(rounds).toMatchObject({
    category: "error",
    group: "src/all.test.js",
    message: "expected 3 to be 2 // Object.is equality",
    handled: true,
    stacktrace: expect.arrayContaining([expect.stringContaining("all.test.js:")]),
    test: {
      output: "printed\n",
      diff: { expected: "2", actual: "3" },
      duration_ms: expect.any(Number),
      worker: expect.any(String),
    },
  });
  const session = project.sessions()[0]?.[0];
  expect(session).toMatchObject({ op: "start", product: "sums", tags: ["vitest"] });
});

test("vitest: what it prints and its exit code are as without the reporter, but for the link at the end", async () => {
  using project = vitestProject();
  const plain = await project.run([VITEST_PROGRAM, "run", "--reporter=default"]);
  // Into one pipe: of two it is not known which text came first.
  const oneStream = `import { spawnSync } from "node:child_process";
    process.exitCode = spawnSync(process.execPath, process.argv.slice(2), { stdio: ["ignore", 1, 1] }).status;`;
  project.write({ "one-stream.mjs": oneStream });
  const ran = await project.run(["one-stream.mjs", VITEST_PROGRAM, "run"], {
    REPORTER: reporter("vitest"),
  });
  expect(ran.code).toBe(plain.code);
  const timeless = (text: string) =>
    text
      .replaceAll(/\d+(\.\d+)?m?s\b|\d\d:\d\d:\d\d|\(.*%.*\)/g, "")
      .split("\n")
      .sort();
  const [link = "", ...others] = ran.output
    .split("\n")
    .filter((line) => line.startsWith("datacat: "));
  expect(others).toEqual([]);
  expect(link).toMatch(/^datacat: http:\/\/localhost:8080\/sessions\/[0-9a-f-]{36}$/);
  expect(timeless(ran.output.replace(`${link}\n`, ""))).toEqual(timeless(plain.output));
  expect(ran.output.trimEnd().endsWith(link)).toBe(true);
});

test("vitest: projects, bail, shards and merged reports keep the counts", async () => {
  using project = vitestProject({
    "vitest.config.mjs": `export default { test: {
      reporters: ["default", process.env.REPORTER],
      projects: [
        { test: { name: "one", include: ["a.test.js"] } },
        { test: { name: "two", include: ["a.test.js", "b.test.js"] } },
      ],
    } };`,
    "a.test.js": `import { test } from "vitest"; test("works", () => {}); test("fails", () => { throw new Error("a"); });`,
    "b.test.js": `import { test } from "vitest"; test("works", () => {});`,
  });
  await runVitest(project);
  const projects = recorded(project.sessions()[0] ?? []);
  expect(sorted(projects.ends)).toEqual([
    "one > a.test.js > fails | failed | Error: a",
    "one > a.test.js > works | passed",
    "two > a.test.js > fails | failed | Error: a",
    "two > a.test.js > works | passed",
    "two > b.test.js > works | passed",
  ]);
  expect(projects.tests[0]).toMatchObject({ group: "a.test.js", test: { file: 1 } });

  for (const shard of ["1/2", "2/2"])
    await runVitest(project, [`--shard=${shard}`, "--reporter=blob", "--project=two"]);
  const merged = await runVitest(project, ["--merge-reports"]);
  const all = recorded(project.sessions().at(-1) ?? []);
  expect(merged.code).toBe(1);
  expect(all.counts).toMatchObject({ passed: 2, failed: 1 });
  expect(countsOf(all)).toEqual(all.counts);

  await runVitest(project, ["--bail=1", "--project=one", "--sequence.seed=1"]);
  const bailed = recorded(project.sessions().at(-1) ?? []);
  expect(countsOf(bailed)).toEqual(bailed.counts);
  expect(bailed.counts["failed"]).toBe(1);
});

test("vitest: type checks and benchmarks are of their own kinds", async () => {
  using project = vitestProject({
    "tsconfig.json": `{"compilerOptions":{"strict":true,"noEmit":true,"skipLibCheck":true,"types":[],"moduleResolution":"bundler","module":"esnext"}}`,
    "vitest.config.mjs": `export default { test: { reporters: ["default", process.env.REPORTER],
      benchmark: { enabled: true }, typecheck: { enabled: true, checker: process.env.TSC } } };`,
    "a.test-d.ts": `import { expectTypeOf, test } from "vitest";
      test("right", () => expectTypeOf(1).toBeNumber());
      test("wrong", () => expectTypeOf("a").toBeNumber());`,
    "b.bench.js": `import { test } from "vitest";
      test("sort: all", async ({ bench }) => { await bench("short", { time: 1, iterations: 5, warmup: false }, () => {}).run(); });`,
  });
  const ran = await runVitest(project, [], { TSC: join(root, "node_modules/.bin/tsc") });
  expect(ran.code).toBe(1);
  const ops = project.sessions()[0] ?? [];
  // The name is the value of a tag, whatever it has in it.
  const figures = ops.filter(({ name }) => name?.startsWith("benchmark"));
  expect(figures).toMatchObject(
    ["benchmark", "benchmark_rate"].map((name) => ({
      name,
      tags: ["benchmark:bench > b.bench.js > sort: all > short"],
    })),
  );
  const run = recorded(ops);
  expect(sorted(run.ends)).toEqual([
    "bench > b.bench.js > sort: all > short | passed | benchmark",
    "bench > b.bench.js > sort: all | passed",
    "typecheck > a.test-d.ts > right | passed | typecheck",
    expect.stringMatching(
      /^typecheck > a.test-d.ts > wrong \| failed \| typecheck \| TypeCheckError/,
    ),
  ]);
  expect(run.counts).toMatchObject({ passed: 2, failed: 1, errors: 0 });
  expect(countsOf(run)).toEqual(run.counts);
});

test("vitest: a worker that is killed is an error of its file, whose other tests did not run", async () => {
  using project = vitestProject({
    "vitest.config.mjs": `export default { test: { pool: "forks", reporters: ["default", process.env.REPORTER] } };`,
    "a.test.js": `import { test } from "vitest";
      test("kills", () => { process.kill(process.pid, "SIGKILL"); return new Promise(() => {}); });
      test("never", () => {});`,
    "b.test.js": `import { test } from "vitest"; test("works", () => {});`,
  });
  const ran = await runVitest(project);
  expect(ran.code).toBe(1);
  const run = recorded(project.sessions()[0] ?? []);
  expect(sorted(run.ends)).toEqual([
    expect.stringMatching(/^a.test.js > Error: .* \| error \| suite \| Error: .*[Ww]orker/),
    "b.test.js > works | passed",
  ]);
  expect(run.counts).toMatchObject({ passed: 1, failed: 0, errors: 1 });
});

test("vitest: a run that is killed names the test in which it was", async () => {
  using project = vitestProject({
    "a.test.js": `import { test } from "vitest"; test("quick", () => {}); test("hangs", () => new Promise(() => {}), 60_000);`,
  });
  const run = project.start([VITEST_PROGRAM, "run"], { REPORTER: reporter("vitest") });
  await expect
    .poll(() => recorded(safely(() => project.sessions()[0]) ?? []).starts, { timeout: 30_000 })
    .toContain("a.test.js > hangs");
  run.kill();
  await run.ended;
  const killed = recorded(project.sessions()[0] ?? []);
  expect(killed.ends).toEqual(["a.test.js > quick | passed"]);
  expect(killed.exitCode).toBeUndefined();
});

test("vitest: in watch mode each run is a session", async () => {
  using project = vitestProject({
    "a.test.js": `import { test } from "vitest"; test("one", () => { throw new Error("bad"); });`,
  });
  const run = project.start([VITEST_PROGRAM, "--watch"], { REPORTER: reporter("vitest") });
  const sessions = () => safely(() => project.sessions()) ?? [];
  await expect.poll(() => recorded(sessions()[0] ?? []).exitCode, { timeout: 30_000 }).toBe(1);
  await expect
    .poll(
      () => {
        // Until the watcher has noticed: it may not be ready for the first change.
        project.write({
          "a.test.js": `import { test } from "vitest"; test("one", () => {}); // ${Date.now()}`,
        });
        return recorded(sessions()[1] ?? []).exitCode;
      },
      { timeout: 30_000, interval: 1_000 },
    )
    .toBe(0);
  run.kill();
  await run.ended;
  expect(recorded(sessions()[1] ?? []).ends).toEqual(["a.test.js > one | passed"]);
});

function safely<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined; // the folder of lanes does not exist yet
  }
}

test("node:test: each test, subtest and file is recorded, the counts and the output are node's", async () => {
  using project = makeProject(NODE_TEST);
  const files = ["a", "b", "c", "d"].map((name) => `${name}.test.mjs`);
  const ran = await project.run([...nodeTest, ...files]);
  expect(ran.code).toBe(1);
  const run = recorded(project.sessions()[0] ?? []);
  expect(run.ends).toEqual(NODE_TEST_ENDS);
  const own = (name: string) => Number(new RegExp(`^ℹ ${name} (\\d+)$`, "m").exec(ran.output)?.[1]);
  const { passed = 0, failed = 0, skipped = 0, expected_failures: expected = 0 } = run.counts;
  expect([passed, failed, skipped + expected]).toEqual([
    own("pass"),
    own("fail") + own("cancelled"),
    own("skipped") + own("todo"),
  ]);
  expect(countsOf(run)).toEqual(run.counts);
  expect(run.exitCode).toBe(1);
  expect(run.starts).toEqual(
    expect.arrayContaining([
      "a.test.mjs > adds",
      "a.test.mjs > parent > bad",
      "a.test.mjs > suite > deep > deeper",
    ]),
  );
  expect(run.tests.find(({ test }) => test.id[1] === "wrong")).toMatchObject({
    test: { diff: { expected: "{ a: 2 }", actual: "{ a: 1 }" } },
  });

  const plain = await project.run(["--test", ...files]);
  const timeless = (text: string) =>
    text.replaceAll(/\d+\.\d+/g, "").replace(/^datacat: .*\n/m, "");
  expect(timeless(ran.output)).toBe(timeless(plain.output));
});

test("node:test: beside another reporter it prints nothing, and a run that is killed names its test", async () => {
  using project = makeProject({
    "a.test.mjs": `import { describe, it } from "node:test"; describe("s", () => { it("quick", () => {}); it("hangs", () => new Promise((r) => setTimeout(r, 60_000))); });`,
  });
  const both = ["--test-reporter=tap", "--test-reporter-destination=stdout"];
  const own = [`--test-reporter=${reporter("node-test")}`, "--test-reporter-destination=stdout"];
  const run = project.start(["--test", ...both, ...own, "a.test.mjs"]);
  await expect
    .poll(() => recorded(safely(() => project.sessions()[0]) ?? []).starts, { timeout: 30_000 })
    .toContain("a.test.mjs > s > hangs");
  run.kill();
  const { stdout } = await run.ended;
  expect(stdout).toMatch(/^TAP version 13/);
  expect(stdout).not.toMatch(/✔/);
  const killed = recorded(project.sessions()[0] ?? []);
  expect(killed.exitCode).toBeUndefined();
});

/** A disk without room at `folder`, if this user may mount one. */
function fullDisk(folder: string): { folder: string } & Disposable {
  mkdirSync(folder, { mode: 0o700 });
  if (!canMount) return { folder, [Symbol.dispose]: () => {} };
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder]);
  fillDisk(folder);
  return { folder, [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", folder]) };
}

test("a server that is away, a home that cannot be written or is full, and a disabled client change neither exit code nor output", async () => {
  using project = makeProject({
    "a.test.mjs": `import { test } from "node:test"; test("works", () => {}); test("fails", () => { throw new Error("no"); });`,
  });
  const plain = await project.run(["--test", "a.test.mjs"]);
  const timeless = (text: string) =>
    text.replaceAll(/\d+\.\d+/g, "").replace(/^datacat: .*\n/m, "");
  const away = { DATACAT_URL: "http://127.0.0.1:9", DATACAT_LINK: "never" };
  writeFileSync(join(project.folder, "file"), "");
  using disk = fullDisk(join(project.folder, "disk"));
  for (const env of [
    away,
    { ...away, DATACAT_HOME: join(project.folder, "file/home"), TMPDIR: "/dev/null" },
    { DATACAT_DISABLED: "1" },
    ...(canMount ? [{ ...away, DATACAT_HOME: disk.folder, TMPDIR: disk.folder }] : []),
  ]) {
    const ran = await project.run([...nodeTest, "a.test.mjs"], env);
    expect(ran.code).toBe(plain.code);
    expect(timeless(ran.output)).toBe(timeless(plain.output));
  }
});

test("on GitHub Actions a job summary has the counts, the failures and the link, and the run's context is in its state", async () => {
  using project = vitestProject({
    "a.test.js": `import { test } from "vitest";
      test("works", () => {});
      test("has \`ticks\` and <b>", () => { throw new Error("first | line\\nsecond"); });
      let tries = 0;
      test("flaky", { retry: 1 }, () => { if (++tries === 1) throw new Error("once"); });`,
  });
  const summary = join(project.folder, "summary.md");
  const env = {
    GITHUB_ACTIONS: "true",
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_SHA: "3f2a9c1be07d4455a6b7c8d9e0f1a2b3c4d5e6f7",
    GITHUB_REF_NAME: "main",
    GITHUB_REF_TYPE: "branch",
    DATACAT_URL: "https://datacat.example/",
    DATACAT_LINK: "failure",
  };
  const ran = await runVitest(
    project,
    ["--reporter=json", `--reporter=${reporter("vitest")}`],
    env,
  );
  const [records = []] = project.sessions();
  const id = /sessions\/([0-9a-f-]{36})/.exec(ran.output)?.[1] ?? "";
  expect(ran.output).toContain(`datacat: https://datacat.example/sessions/${id}\n`);
  expect(ran.stdout).not.toContain("datacat: "); // what reads the JSON reads nothing else
  expect(readFileSync(summary, "utf8")).toBe(
    [
      `### ❌ ${recorded(records).state["tests"].runner ?? /vitest \S+/.exec(readFileSync(summary, "utf8"))?.[0]}`,
      "",
      `2 passed, 1 failed. [Open in Datacat](https://datacat.example/sessions/${id})`,
      "",
      "- `has 'ticks' and <b>`: `first | line`",
      "",
      "",
    ].join("\n"),
  );
  expect(records[0]).toMatchObject({ op: "start", version: "3f2a9c1be07d" });
  expect(recorded(records).state["ci"]).toMatchObject({ provider: "github", branch: "main" });
});
