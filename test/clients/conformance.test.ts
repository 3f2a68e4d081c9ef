/**
 * One script, every client: the calls of the golden files, made in earnest from each language against one server and one
 * daemon. What the server then holds is the same, field by field, as after the same calls from Node.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findPythons } from "../suites.ts";
import { isChromiumMissing, playInChromium } from "./conformance/chromium.ts";
import { fixtureNames, fixturePath } from "./conformance/fixtures.ts";
import { type Recorded, recorded } from "./conformance/recorded.ts";
import { isGoMissing } from "./go/world.ts";
import { runtimes } from "./typescript/runtimes.ts";
import { startWorld, type World } from "./typescript/world.ts";

const root = new URL("../..", import.meta.url).pathname;
/**
 * Not `joined`: it takes a session that another process opened, and is never over by itself (examples and processes are tested with it).
 * Nor `attachments`: in direct mode there is no room for the largest (each client's own tests send some).
 */
const names = fixtureNames.filter((name) => name !== "joined" && name !== "attachments");
const run = promisify(execFile);
/** Behind `--` on every command line: secrets, which no client may record. */
const secrets = [
  "--level",
  "3",
  "--api-key",
  "k1",
  "--token=k2",
  "--cookie=",
  "PASSWORD=k3",
  "--secret",
  "--x",
];
const pythons = [...(await findPythons())];

type Way = "lane" | "direct";

let world: World;
let expected: { [fixture: string]: Recorded };
beforeAll(async () => {
  world = await startWorld();
  expected = await recordings(await playInNode("lane"));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test("the fixtures record something of each kind", () => {
  expect(Object.keys(expected)).toEqual(names);
  const { calls, crash, losses } = expected;
  expect(calls?.args.join(" ")).toBe(
    "--level 3 --api-key [redacted] --token=[redacted] --cookie= PASSWORD=[redacted] --secret --x",
  );
  expect(calls?.ops.length).toBeGreaterThan(5);
  expect(calls?.series.length).toBeGreaterThan(5);
  expect(losses?.altered?.["unserialisable"]).toBeGreaterThan(5);
  expect(crash?.status).toBe("crashed");
});

test("Node without a lane", async () => {
  expectSame(await recordings(await playInNode("direct")), "direct");
});

for (const { name, command, isMissing } of runtimes)
  test.skipIf(isMissing)(name, async () => {
    for (const way of ["lane", "direct"] as const)
      expectSame(await recordings(await playInNode(way, command)), way);
  });

test.skipIf(isChromiumMissing)("Chromium", async () => {
  const inPages = await recordings(await playInChromium(names, world.url));
  const args = expected["calls"]?.args ?? []; // pages have no command line
  for (const each of Object.values(inPages)) each.args.push(...args);
  expectSame(inPages, "direct");
});

/** The client's own tests are, if asked, a program that makes the calls of golden files. */
test.skipIf(isGoMissing)("Go, watched by its race detector", { timeout: 300_000 }, async () => {
  const program = join(world.home, "go-client");
  await run("go", ["test", "-race", "-c", "-o", program, "."], {
    cwd: join(root, "clients/go"),
    env: { ...process.env, GOFLAGS: "", GOPROXY: "off", CGO_ENABLED: "1" },
  });
  for (const way of ["lane", "direct"] as const) {
    const golden = {
      DATACAT_TEST_PROGRAM: "golden",
      DATACAT_TEST_GOLDEN: names.map(fixturePath).join(":"),
      DATACAT_TEST_DIRECT: way === "direct" ? "1" : "",
    };
    const { stdout } = await run(program, ["--", ...secrets], {
      env: { ...world.env, ...golden },
    });
    const ids = stdout.trim().split("\n");
    const lines = names.map((name, index) => `${name} ${ids[index]}`);
    expectSame(await recordings(lines.join("\n")), way);
  }
});

test.runIf(process.env["CI"] === "true")("there is a Python 2.7 and a Python 3", () => {
  expect(pythons.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\w+ 2\.7/),
      expect.stringMatching(/^Python 3\./),
    ]),
  );
});

test.each(pythons)("%s", async (_name, python) => {
  for (const way of ["lane", "direct"] as const)
    expectSame(await recordings(await playInPython(python, way)), way);
});

/** In Node, or in another runtime of the Node client. */
async function playInNode(way: Way, command = [process.execPath]): Promise<string> {
  const [runtime = "", ...options] = command;
  const program = join(root, "test/clients/conformance/play.ts");
  const { stdout } = await run(runtime, [...options, program, way, ...names, "--", ...secrets], {
    env: world.env,
  });
  return stdout;
}

async function playInPython(python: string, way: Way): Promise<string> {
  const program = join(root, "test/clients/conformance/play.py");
  const env = { ...world.env, PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout } = await run(python, [program, way, ...names, "--", ...secrets], { env });
  return stdout;
}

/** What the server has of each session after its end. `output` has a fixture and its session on each line. */
async function recordings(output: string): Promise<{ [fixture: string]: Recorded }> {
  const all: { [fixture: string]: Recorded } = {};
  for (const line of output.trim().split("\n")) {
    const [name = "", id = ""] = line.split(" ");
    await world.summary(id, ({ verdict }) => ["ended", "crashed"].includes(verdict.status));
    all[name] = await recorded(world, id);
  }
  return all;
}

function expectSame(actual: { [fixture: string]: Recorded }, way: Way): void {
  // A daemon takes out of patches what changes nothing; without one the states are the same in other steps.
  const kept = (all: { [fixture: string]: Recorded }) =>
    Object.entries(all).map(([name, { ops, ...rest }]) => ({
      name,
      ...rest,
      ...(way === "lane" && { ops }),
    }));
  expect(kept(actual)).toEqual(kept(expected));
}
