/**
 * The packed reporters in runners of the npm registry: Jest, Playwright, vitest 2 and 4 (3 reports as 4 does), with real suites of public
 * packages. What the runner itself counted is compared with what the server counts. In CI, or with DATACAT_TEST_REGISTRY=1; where the registry
 * is out of reach, each test is skipped by its name.
 */
import { execFile, spawn } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, type TestContext } from "vitest";
import { merge } from "../../../../src/core/state/merge.ts";
import type { EventRow } from "../../../../src/core/answers/events.ts";
import { pack, toolPath, type Packed } from "../packed.ts";
import { startWorld, type World } from "../world.ts";
import { countsOf, recorded } from "./run.ts";
import { JEST, JEST_ENDS, PLAYWRIGHT, PLAYWRIGHT_ENDS, VITEST, VITEST_ENDS } from "./suites.ts";
import type { Line } from "../lanes.ts";

const PACKAGES = [
  "vitest2@npm:vitest@2.1.9",
  "vitest4@npm:vitest@4.1.12",
  "jest@30.5.2",
  "@playwright/test@1.65.1",
  // Their tarballs have their tests in them.
  "zod@4.6.7",
  "@tanstack/query-core@5.20.5",
  "process-warning@5.1.1",
  "@fastify/error@4.3.0",
  "hash.js@1.1.7",
];
const isWanted = process.env["CI"] === "true" || process.env["DATACAT_TEST_REGISTRY"] === "1";
/** Half a minute on two cores, more beside other suites; after it, the registry counts as out of reach. */
const INSTALL_MS = 180_000;

let packed: Packed;
let world: World;
let missing = isWanted ? "" : "the registry is used in CI only";

beforeAll(async () => {
  if (!isWanted) return;
  packed = pack();
  packed.write("package.json", `{"private":true,"type":"module"}`);
  const flags = [
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--prefer-offline",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
  ];
  const args = ["install", ...flags, "--legacy-peer-deps", packed.tarball, ...PACKAGES];
  const options = {
    cwd: packed.folder,
    env: { ...process.env, PATH: toolPath },
    timeout: INSTALL_MS,
  };
  const installing = promisify(execFile)("npm", args, options).catch(() => {
    missing = "the npm registry is out of reach";
  });
  [world] = await Promise.all([startWorld(), installing]);
}, INSTALL_MS + 60_000);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  packed?.[Symbol.dispose]();
});

type Ran = { code: number | null; output: string; id: string };

/** A project of its own beside the installed packages, whose runner is run by Node. */
function makeFolder(name: string, files: { [path: string]: string }): string {
  const folder = join(packed.folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function run(
  context: TestContext,
  folder: () => string,
  args: (folder: string) => string[],
): Promise<Ran> {
  if (missing !== "") context.skip(missing);
  const cwd = folder();
  const env = { ...world.env, PATH: toolPath, NO_COLOR: "1", DATACAT_LINK: "always" };
  const child = spawn(process.execPath, args(cwd), { cwd, env });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) =>
    child.on("close", (code) =>
      resolve({ code, output, id: /^datacat: \S+\/sessions\/(\S+)$/m.exec(output)?.[1] ?? "" }),
    ),
  );
}

const installed = (path: string) => join(packed.folder, "node_modules", path);

/** What the server holds of a session, in the shape of the records of a lane. */
async function fromServer({ id, output }: Ran) {
  expect(id, output).not.toBe("");
  const { tests, exit_code, ledger, verdict } = await world.summary(id);
  expect(ledger.dropped).toEqual({});
  expect(verdict.evidence.map(({ kind }) => kind)).not.toContain("tests_differ");
  const state = {};
  for (const { patch } of await world.history(id)) merge(state, patch);
  const events: EventRow[] = [];
  let path: string | null = `/api/sessions/${id}/events?limit=1000&order=asc`;
  while (path !== null) {
    const page: { items: EventRow[]; next: string | null } = await world.get(path);
    events.push(...page.items);
    path =
      page.next === null
        ? null
        : `/api/sessions/${id}/events?limit=1000&order=asc&cursor=${page.next}`;
  }
  const run = recorded([...(events as unknown as Line[]), { op: "state", patch: state }]); // as: an event is one in both
  return { tests, exitCode: exit_code, events, run };
}

function readJson<Shape>(folder: string, name: string): Shape {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as Shape; // the runner's own format
}

/** Of Jest, and of vitest, whose file has the same format. */
type Counted = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
};

async function expectCounted(ran: Ran, folder: string, least: number): Promise<void> {
  const own = readJson<Counted>(folder, "counted.json");
  const { tests, exitCode, run } = await fromServer(ran);
  expect(exitCode).toBe(ran.code);
  expect({
    passed: (tests?.passed ?? 0) + (tests?.expected_failures ?? 0),
    failed: tests?.failed,
    skipped: tests?.skipped,
  }).toEqual({
    passed: own.numPassedTests,
    failed: own.numFailedTests,
    skipped: own.numPendingTests + own.numTodoTests,
  });
  expect(own.numPassedTests).toBeGreaterThanOrEqual(least);
  expect(countsOf(run)).toEqual(run.counts);
}

const sorted = (texts: readonly string[]) => [...texts].sort();
const vitestConfig = (include: string) => `export default { test: {
  include: [${JSON.stringify(include)}],
  reporters: ["default", ["json", { outputFile: "counted.json" }], ["@datacat/client/vitest", { product: "sums" }]],
} };`;

test.for(["vitest2", "vitest4"])("%s records what vitest 5 does", async (name, context) => {
  const ran = await run(
    context,
    () =>
      makeFolder(`a-${name}`, { ...VITEST, "vitest.config.mjs": vitestConfig("src/*.test.js") }),
    () => [installed(`${name}/vitest.mjs`), "run"],
  );
  expect(ran.code).toBe(1);
  await expectCounted(ran, join(packed.folder, `a-${name}`), 14);
  const { run: all } = await fromServer(ran);
  const ends = all.ends.filter((end) => !end.startsWith("src/broken"));
  // Vitest 2 keeps no note of a skip.
  const note = name === "vitest2" ? " | (no database)" : "";
  const wanted = VITEST_ENDS.map((end) => (note === "" ? end : end.replace(note, "")));
  expect(sorted(ends)).toEqual(sorted(wanted));
  expect(all.counts["errors"]).toBe(5);
});

test.for([
  { name: "zod", include: "src/v4/classic/tests/{object,union}.test.ts", least: 100 },
  {
    name: "@tanstack/query-core",
    include: "src/tests/{notifyManager,onlineManager,utils}.test.tsx",
    least: 20,
  },
])(
  "vitest: the server counts the suite of $name as vitest does",
  async ({ name, include, least }, context) => {
    const place = () => join(packed.folder, `suite-${name.replace("/", "-")}`);
    const ran = await run(
      context,
      () => {
        cpSync(installed(name), place(), { recursive: true });
        writeFileSync(join(place(), "vitest.config.mjs"), vitestConfig(include));
        return place();
      },
      () => [installed("vitest4/vitest.mjs"), "run"],
    );
    await expectCounted(ran, place(), least);
  },
);

test("Jest: each test, attempt and hook is recorded, and the counts are Jest's", async (context) => {
  const place = () => makeFolder("jest", JEST);
  const ran = await run(context, place, () => [
    installed("jest/bin/jest.js"),
    "--testMatch",
    "**/*.test.cjs",
    "--json",
    "--outputFile=counted.json",
  ]);
  expect(ran.code).toBe(1);
  await expectCounted(ran, join(packed.folder, "jest"), 7);
  const { run: all, events } = await fromServer(ran);
  expect(sorted(all.ends)).toEqual(sorted(JEST_ENDS));
  expect(all.counts["errors"]).toBe(2);
  const rounds = events.find(
    ({ test }) => test?.id.at(-1) === "rounds" && test.result === "failed",
  );
  expect(rounds?.test?.diff?.text).toContain('-   "a": 2,');
});

test.for([
  { name: "process-warning", match: "**/test/jest.test.js", least: 1 },
  { name: "hash.js", match: "**/test/*-test.js", least: 10 },
])(
  "Jest: the server counts the suite of $name as Jest does",
  async ({ name, match, least }, context) => {
    const place = () => join(packed.folder, `jest-${name}`);
    const config = `module.exports = { testMatch: [${JSON.stringify(match)}], reporters: ["default", "@datacat/client/jest"] };`;
    const ran = await run(
      context,
      () => {
        cpSync(installed(name), place(), { recursive: true });
        writeFileSync(join(place(), "jest.config.cjs"), config);
        return place();
      },
      () => [installed("jest/bin/jest.js"), "--json", "--outputFile=counted.json"],
    );
    expect(ran.code).toBe(0);
    await expectCounted(ran, place(), least);
  },
);

test("Playwright: each test, attempt, step and attachment is recorded, and the counts are Playwright's", async (context) => {
  const ran = await run(
    context,
    () => makeFolder("playwright", PLAYWRIGHT),
    () => [installed("@playwright/test/cli.js"), "test", "a.spec.mjs"],
  );
  expect(ran.code).toBe(1);
  const { stats } = readJson<{ stats: { [outcome: string]: number } }>(
    join(packed.folder, "playwright"),
    "playwright.json",
  );
  const { tests, run: all, events, exitCode } = await fromServer(ran);
  expect(exitCode).toBe(1);
  expect(sorted(all.ends)).toEqual(sorted(PLAYWRIGHT_ENDS));
  expect({
    expected: (tests?.passed ?? 0) + (tests?.expected_failures ?? 0) - (tests?.flaky ?? 0),
    unexpected: tests?.failed,
    flaky: tests?.flaky,
    skipped: tests?.skipped,
  }).toEqual({
    expected: stats["expected"],
    unexpected: stats["unexpected"],
    flaky: stats["flaky"],
    skipped: stats["skipped"],
  });
  const steps = events.filter(({ name }) => name === "step").map(({ message }) => message);
  expect(steps).toEqual(["inner", "first", "inner", "first"]); // in both projects
  const { items: attachments } = await world.get<{ items: { name: string; size: number }[] }>(
    `/api/sessions/${ran.id}/attachments`,
  );
  const shots = attachments.filter(({ name }) => name.endsWith("shot.txt")); // beside Playwright's own
  expect(shots.map(({ name, size }) => `${name} ${size}`).sort()).toEqual([
    "rounds (attempt 2): shot.txt 13",
    "rounds: shot.txt 13",
  ]);
});

test("Playwright: a file that cannot be loaded is an error outside of all tests", async (context) => {
  const ran = await run(
    context,
    () => makeFolder("playwright-broken", { ...PLAYWRIGHT, "e2e/a.spec.mjs": "" }),
    () => [installed("@playwright/test/cli.js"), "test"],
  );
  expect(ran.code).toBe(1);
  const { run: all, tests } = await fromServer(ran);
  expect(all.ends).toContainEqual(
    expect.stringMatching(
      /^\(no file\) > Error: Cannot find module 'nothing.mjs' imported from b.spec.mjs \| error \| suite \| collect \| Error: Cannot find module/,
    ),
  );
  expect(tests).toMatchObject({ tests: 0, errors: all.counts["errors"] });
});

test.for([
  { name: "process-warning", files: "test/!(jest).test.js", least: 10 },
  { name: "@fastify/error", files: "test/*.test.js", least: 20 },
])(
  "node:test: the server counts the suite of $name as node does",
  async ({ name, files, least }, context) => {
    const place = () => join(packed.folder, `node-${name.replace("/", "-")}`);
    const ran = await run(
      context,
      () => {
        cpSync(installed(name), place(), { recursive: true });
        return place();
      },
      (folder) => [
        "--test",
        "--test-reporter=@datacat/client/node-test",
        ...globSync(files, { cwd: folder }),
      ],
    );
    const own = (what: string) =>
      Number(new RegExp(`^ℹ ${what} (\\d+)$`, "m").exec(ran.output)?.[1]);
    const { tests, run: all, exitCode } = await fromServer(ran);
    expect(exitCode).toBe(ran.code);
    expect(tests).toMatchObject({
      passed: own("pass"),
      failed: own("fail") + own("cancelled"),
      skipped: own("skipped") + own("todo"),
    });
    expect(own("pass")).toBeGreaterThanOrEqual(least);
    expect(countsOf(all)).toEqual(all.counts);
  },
);
