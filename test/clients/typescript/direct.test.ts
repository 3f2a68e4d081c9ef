/** Direct mode against a server and a network that misbehave: exactly once, in order, bounded, never loud. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { GATHER_MS, QUEUE_OPS } from "../../../clients/typescript/direct/limits.ts";
import { newQueue, type Queue } from "../../../clients/typescript/direct/queue.ts";
import { startSender, type Keeper } from "../../../clients/typescript/direct/sender.ts";
import { Session } from "../../../clients/typescript/session/session.ts";
import { farServer, type Fault, type FarServer } from "./far-server.ts";
import { testHome } from "./lanes.ts";
import { runtimes } from "./runtimes.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;
const node = { command: [process.execPath], isMissing: false };

/** Joined: without a start of its own, unless asked for. */
function connect(far: FarServer, joined = true, keeper?: Keeper) {
  const sender = startSender(newQueue("s1", far.url, { program: "test" }), "the-key", keeper);
  return { sender, session: new Session("s1", far.url, { product: "game" }, sender, joined) };
}

const names = (far: FarServer) => far.ops.map((op) => op["name"] ?? op["op"]);

test("ops arrive in order, with the key; only the first batch names the writer", async () => {
  await using far = await farServer();
  const { sender, session } = connect(far, false);
  session.logEvent("one");
  await sender.flush();
  session.logEvent("two");
  session.end();
  await sender.flush();
  expect(names(far)).toEqual(["start", "one", "two", "end"]);
  expect(far.requests[0]?.headers.authorization).toBe("Bearer the-key");
  expect(far.requests.map((request) => request.batches[0])).toMatchObject([
    { session: "s1", first: 1, last: 2, writer: { program: "test" } },
    { session: "s1", first: 3, last: 4 },
  ]);
  expect(far.requests[1]?.batches[0]?.writer).toBeUndefined();
});

test("start, exceptions and end are sent at once, other ops are gathered", async () => {
  await using far = await farServer();
  const { session } = connect(far, false);
  const atOnce = { timeout: GATHER_MS };
  await expect.poll(() => far.requests.length, atOnce).toBe(1);
  for (let i = 0; i < 50; i++) session.logEvent("usual");
  session.logException(new Error("x"));
  await expect.poll(() => far.ops.length, atOnce).toBe(52);
  expect(far.requests).toHaveLength(2);
});

test.each<Fault>(["no answer", "answer lost", { status: 500 }, { status: 429 }, { status: 401 }])(
  "after %o the same batch is sent again, and counts once",
  async (fault) => {
    await using far = await farServer();
    const { sender, session } = connect(far);
    far.faults.push(fault);
    session.logEvent("one");
    await sender.flush(50);
    session.logEvent("two");
    await expect.poll(() => far.ops.length, { timeout: 10_000 }).toBe(2);
    expect(names(far)).toEqual(["one", "two"]);
    const [first, second] = far.requests.map((request) => request.batches[0]);
    expect([second?.first, second?.last]).toEqual([first?.first, first?.last]);
  },
);

test("losses in an unanswered batch are not reported again by the last request", async () => {
  await using far = await farServer();
  far.faults.push("no answer");
  const queue = newQueue("s1", far.url, { program: "test" });
  const sender = startSender({ ...queue, lost: { queue_full: 3 } });
  await sender.flush(50);
  sender.write("event", Date.now(), `"op":"event","name":"last"}`);
  const body: unknown = JSON.parse(sender.finalBody() ?? "");
  expect(body).toMatchObject({ batches: [{ dropped: { queue_full: 3 }, ops: [] }, { first: 1 }] });
  expect(body).not.toHaveProperty(["batches", 1, "dropped"]);
});

test("Retry-After is honoured", async () => {
  await using far = await farServer();
  const { sender, session } = connect(far);
  far.faults.push({ status: 503, retryAfter: 2 });
  session.logEvent("one");
  await sender.flush(10);
  await expect.poll(() => far.requests.length, { timeout: 10_000 }).toBe(2);
  const [first, second] = far.requests;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_990);
});

test("an op that the server refuses is dropped and counted; the others arrive", async () => {
  await using far = await farServer();
  far.refuses = (op) => op["name"] === "poison";
  const { sender, session } = connect(far);
  for (let i = 0; i < 20; i++) session.logEvent(i === 13 ? "poison" : `e${i}`);
  await sender.flush();
  expect(far.ops).toHaveLength(19);
  expect(far.dropped).toEqual({ refused: 1 });
  expect(sender.losses()).toEqual({ refused: 1 });
});

test("413 makes smaller batches", async () => {
  await using far = await farServer();
  far.faults.push({ status: 413 }, { status: 413 });
  const { sender, session } = connect(far);
  for (let i = 0; i < 8; i++) session.logEvent(`e${i}`);
  await sender.flush();
  expect(far.requests.map((request) => request.batches[0]?.ops.length).slice(0, 3)).toEqual([
    8, 4, 2,
  ]);
  expect(far.ops).toHaveLength(8);
});

test("a server that lost what it once confirmed gets the rest in a new lane", async () => {
  await using far = await farServer();
  const { sender, session } = connect(far);
  session.logEvent("one");
  await sender.flush();
  far.applied.clear();
  session.logEvent("two");
  await sender.flush();
  expect(names(far)).toEqual(["one", "two"]);
  expect(far.applied.size).toBe(1);
  expect([...far.applied.values()]).toEqual([1]);
});

test("a full queue drops the oldest metrics first, reports them, and stays bounded", async () => {
  await using far = await farServer();
  far.faults.push(...Array<Fault>(100).fill({ status: 503 }));
  const { sender, session } = connect(far, false);
  session.logEvent("kept");
  for (let i = 0; i < 3 * QUEUE_OPS; i++) session.gauge("g", i);
  session.logEvent("kept too");
  expect(sender.waiting()).toBeLessThanOrEqual(QUEUE_OPS);
  await sender.flush(10);
  far.faults.length = 0;
  await sender.flush();
  await expect.poll(() => sender.waiting(), { timeout: 10_000 }).toBe(0);
  expect(names(far).filter((name) => name !== "g")).toEqual(["start", "kept", "kept too"]);
  expect(far.ops.length + (far.dropped["queue_full"] ?? 0)).toBe(3 * QUEUE_OPS + 3);
  expect(far.ops.at(-2)).toMatchObject({ name: "g", value: 3 * QUEUE_OPS - 1 });
});

test("what was dropped is reported by the program that sends the rest", async () => {
  await using far = await farServer();
  far.isDown = true;
  const kept: Queue[] = [];
  const keeper = { keep: (queue: Queue) => void kept.push(queue), release() {} };
  const { sender, session } = connect(far, true, keeper);
  for (let i = 0; i < QUEUE_OPS + 50; i++) session.gauge("g", i);
  await sender.flush(10); // and its page goes

  far.isDown = false;
  const [copy] = kept.slice(-1);
  await startSender(copy ?? newQueue("none", "", {})).flush();
  expect(far.dropped["queue_full"]).toBeGreaterThan(50);
  expect(far.ops.length + (far.dropped["queue_full"] ?? 0)).toBe(QUEUE_OPS + 50);
});

test("whatever the network does, every op arrives once and in order, or is counted", async () => {
  const fault = fc.constantFrom<Fault>(
    "no answer",
    "answer lost",
    { status: 500 },
    { status: 413 },
    "watched",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 6 }),
      fc.array(fc.nat(30), { maxLength: 5 }),
      async (faults, bursts) => {
        await using far = await farServer();
        far.faults.push(...faults);
        const { sender, session } = connect(far);
        let issued = 0;
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) session.logEvent(`e${issued++}`);
          await sender.flush(1);
        }
        for (let tries = 0; tries < 20 && sender.waiting() > 0; tries++) await sender.flush(100);
        const arrived = far.ops.map((op) => Number(op["name"].slice(1)));
        expect(arrived).toEqual([...new Set(arrived)].toSorted((a, b) => a - b));
        // Only a 413 for an op that was alone makes it go; if it had arrived by a request whose answer was lost, it is
        // counted all the same: too much, never too little.
        const counted = arrived.length + (far.dropped["refused"] ?? 0);
        expect(counted).toBeGreaterThanOrEqual(issued);
        if (!faults.includes("answer lost")) expect(counted).toBe(issued);
        if (
          !faults.some(
            (fault) => typeof fault === "object" && "status" in fault && fault.status === 413,
          )
        )
          expect(arrived.length).toBe(issued);
      },
    ),
    { numRuns: 30 },
  );
});

test.each([
  [`process.exit(3);`, 3, ["start", "hello", "end"]],
  [`throw new TypeError("no sword");`, 1, ["start", "hello", "exception", "crash"]],
  [`Promise.reject(new Error("lost"));`, 1, ["start", "hello", "exception", "crash"]],
  [
    `process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5_000);`,
    null,
    ["start", "hello", "end"],
  ],
])(
  "in direct mode, too, ops recorded just before the end arrive: %s",
  async (code, status, expected) => {
    await using far = await farServer();
    using home = testHome();
    for (const { command, isMissing } of [node, ...runtimes]) {
      if (isMissing) continue;
      far.ops.length = 0;
      const script = join(home.folder, "program.mjs");
      writeFileSync(
        script,
        `import { open } from ${JSON.stringify(client)};
       open({ direct: true, captureSignals: true, url: ${JSON.stringify(far.url)}, key: "k" }).logEvent("hello"); ${code}`,
      );
      const [program = "", ...args] = command;
      const child = spawn(program, [...args, script], { stdio: "ignore" });
      const [exit] = (await once(child, "exit")) as [number | null];
      expect(exit).toBe(status);
      await expect.poll(() => names(far), { timeout: 10_000 }).toEqual(expected);
      expect(far.requests.at(-1)?.headers.authorization).toBe("Bearer k");
    }
  },
);

test("a program that was compiled with its runtime is not started again for the last request", async () => {
  await using far = await farServer();
  using home = testHome();
  const program = join(home.folder, "my-game");
  copyFileSync(process.execPath, program); // as far as it can know
  const script = join(home.folder, "program.mjs");
  writeFileSync(
    script,
    `import { open } from ${JSON.stringify(client)};
     open({ direct: true, url: ${JSON.stringify(far.url)} }).logEvent("hello"); process.exit(3);`,
  );
  const ran = (PATH: string) => spawnSync(program, [script], { env: { PATH } }).status;
  expect(ran("")).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(far.ops).toEqual([]);
  expect(ran(dirname(process.execPath))).toBe(3); // a Node is on the PATH
  await expect.poll(() => names(far), { timeout: 10_000 }).toEqual(["start", "hello", "end"]);
});

test("a program in direct mode that ends has sent everything, and does not wait without a server", async () => {
  await using far = await farServer();
  using home = testHome();
  const script = join(home.folder, "program.mjs");
  writeFileSync(
    script,
    `import { open } from ${JSON.stringify(client)};\nopen({ direct: true }).logEvent("hello");`,
  );
  const { spawn } = await import("node:child_process");
  const program = spawn(process.execPath, [script], { env: { DATACAT_URL: far.url } });
  const code = await new Promise((resolve) => program.on("exit", resolve));
  expect(code).toBe(0);
  expect(names(far)).toEqual(["start", "hello", "end"]);

  const before = Date.now();
  const alone = spawnSync(process.execPath, [script], {
    env: { DATACAT_URL: "http://127.0.0.1:9" },
    encoding: "utf8",
  });
  expect(alone).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect(Date.now() - before).toBeLessThan(10_000);
});
