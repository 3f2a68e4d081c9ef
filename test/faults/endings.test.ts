/**
 * The table of ways to end and to hang in README.md: for each, a real process, and what the server's verdict on what the daemon recorded of
 * it is. All share one daemon, and those of a language run at once.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verdict } from "../../src/core/status/status.ts";
import { newObservations, observe } from "../../src/core/status/observations.ts";
import type { Op } from "../../src/core/wire.ts";
import { until, World } from "../daemon/world.ts";

const root = join(import.meta.dirname, "../..");
const STARTED_MS = 60_000;
const programs = join(import.meta.dirname, "programs");
const isGoMissing = spawnSync("go", ["version"]).status !== 0 && process.env["CI"] !== "true";

let world: World;
const children = new Map<string, ChildProcess>();

type Way = {
  /** endings.py, endings.mjs, workers.mjs, or a program in clients/go/stacks_test.go. Default: the first. */
  language?: "node" | "node worker" | "go";
  /** What it is called with. */
  argument: string;
  /** Sent once the program is ready, or later. */
  signal?: NodeJS.Signals;
  afterMs?: number;
  /** How the process ends for its parent: as it would without Datacat. Undefined: it is killed after its verdict is known. */
  exit?: number | NodeJS.Signals;
  headline: RegExp;
  evidence: RegExp[];
  /** Its event `killed` has the pids of processes whose ends are events; those of others are none. */
  hasKilled?: boolean;
  /** A frame of the first thread of the last sample. */
  frame?: RegExp;
};

type Verdict = Pick<Way, "headline" | "evidence">;

/** How a worker thread ends (programs/workers.mjs), and the verdict on its own session, or on that of the program, which it joined. */
const WORKERS: { [end: string]: { own: Verdict; joined: Verdict } } = {
  returns: {
    own: { headline: /^Ended with exit code 0$/, evidence: [] },
    joined: { headline: /^Ended$/, evidence: [] },
  },
  exits: {
    own: { headline: /^Failed: exit code 3$/, evidence: [/Exit code 3/] },
    joined: { headline: /^Ended$/, evidence: [] },
  },
  "is terminated": {
    own: { headline: /^Ended$/, evidence: [/process ran on/] },
    joined: { headline: /^Ended$/, evidence: [] },
  },
  throws: {
    own: { headline: /^Crashed: RangeError: no such level/, evidence: [/RangeError/] },
    joined: { headline: /^Ended with 1 uncaught exception$/, evidence: [/RangeError/] },
  },
};

/** In test/faults/README.md. */
const WAYS: { [way: string]: Way } = {
  "a segmentation fault": {
    argument: "segfault",
    exit: "SIGSEGV",
    headline: /^Crashed: Segmentation fault in segfault \(endings\.py:\d+\)$/,
    evidence: [/^Segmentation fault$/, /inside string_at/, /SIGSEGV/],
    frame: /in string_at$/,
  },
  "an abort": {
    argument: "abort",
    exit: "SIGABRT",
    headline: /^Crashed: Aborted in abort \(endings\.py:\d+\)$/,
    evidence: [/^Aborted$/, /SIGABRT/],
    frame: /in abort$/,
  },
  "SIGTERM, by its default action": {
    argument: "signal",
    signal: "SIGTERM",
    exit: "SIGTERM",
    headline: /^Ended by SIGTERM$/,
    evidence: [/It was in wait_for_signal/, /SIGTERM/],
    frame: /in wait_for_signal$/,
  },
  "SIGHUP, by its default action": {
    argument: "signal",
    signal: "SIGHUP",
    exit: "SIGHUP",
    headline: /^Ended by SIGHUP$/,
    evidence: [/SIGHUP/],
  },
  "SIGXCPU, by its default action": {
    argument: "signal",
    signal: "SIGXCPU",
    exit: "SIGXCPU",
    headline: /^Crashed: SIGXCPU in wait_for_signal \(endings\.py:\d+\)$/,
    evidence: [/SIGXCPU: it exceeded its limit of processor time/],
  },
  "SIGTERM, with a handler of its own": {
    argument: "handler",
    signal: "SIGTERM",
    exit: 7,
    headline: /^Ended$/,
    evidence: [/ended the session/],
  },
  SIGKILL: {
    argument: "signal",
    signal: "SIGKILL",
    // The daemon has seen its memory by then.
    afterMs: 3_000,
    exit: "SIGKILL",
    // The system reports the signal only while the process waits for its parent to read its exit code.
    headline: /^Crashed: (?:the process is gone|SIGKILL)$/,
    evidence: [/no fatal error, as after SIGKILL|^Signal SIGKILL: /, /memory/, /The machine/],
  },
  "a spin": {
    argument: "spin",
    headline: /^Hung in a loop in spin \(endings\.py/,
    evidence: [/In 3 samples .* spin/, /CPU/],
    frame: /in spin\n/,
  },
  "a spin that does not release the interpreter": {
    argument: "spin-gil",
    headline: /^Hung in a loop in spin_with_the_interpreter \(endings\.py:\d+\)$/,
    evidence: [/In 3 samples .* the same place: spin_with_the_interpreter .* inside match/, /CPU/],
  },
  "a lock that is never released": {
    argument: "lock",
    headline: /^Hung in wait_for_lock \(endings\.py:\d+\)$/,
    evidence: [/In 3 samples .* same place: .* at lock\.acquire\(\)/, /blocked/],
    frame: /in wait_for_lock\n\s+lock\.acquire\(\)/,
  },
  "a read that gets nothing": {
    argument: "read",
    headline: /^Hung in read_from_pipe \(endings\.py:\d+\)$/,
    evidence: [/at os\.read\(reading, 1\)/, /blocked/],
  },
  "a hang that ends": {
    argument: "recover",
    exit: 0,
    headline: /^Ended$/,
    evidence: [/Recovered from a hang/, /In 3 samples .* same place: hang_then_recover/],
  },
  "an immediate exit": {
    argument: "exit",
    exit: 3,
    headline: /^Crashed: the process is gone$/,
    evidence: [/an immediate exit \(os\._exit/],
  },
  "a forked child's segmentation fault": {
    argument: "child",
    exit: 0,
    headline: /^Ended with 1 uncaught exception$/,
    evidence: [/the last one Segmentation fault/],
  },
  "forked children that are killed, and others that end": {
    argument: "children",
    exit: 0,
    headline: /^Ended$/,
    evidence: [],
    hasKilled: true,
  },
  "Node: forked processes that are killed, and others that end": {
    language: "node",
    argument: "children",
    exit: 0,
    headline: /^Ended with exit code 0$/,
    evidence: [],
    hasKilled: true,
  },
  "a fork while stacks are watched": {
    argument: "fork",
    exit: 0,
    headline: /^Ended with exit code 0$/,
    evidence: [],
  },
  "Node: a loop": {
    language: "node",
    argument: "spin",
    headline: /^Hung (?:in a loop )?in spin \(endings\.mjs:\d+\)$/,
    evidence: [/^In [23] samples .* spin \(endings\.mjs/],
    frame: /^at spin \(/,
  },
  "Node: a wait": {
    language: "node",
    argument: "wait",
    headline: /^Hung in wait \(endings\.mjs:\d+\)$/,
    evidence: [/^In [23] samples .* same place: wait \(endings\.mjs/, /blocked/],
    frame: /^at wait \(/,
  },
  "Node: a command that it waited for": {
    language: "node",
    argument: "recover",
    exit: 0,
    headline: /^Ended with exit code 0$/,
    evidence: [/Recovered from a hang/, /execute \(endings\.mjs:\d+\)/],
  },
  ...Object.fromEntries(
    (["own", "joined"] as const).flatMap((whose) =>
      Object.entries(WORKERS).map(([end, expected]) => [
        `Node: a worker thread that ${end}, ${whose === "own" ? "in a session of its own" : "in the session of its program"}`,
        { language: "node worker", argument: `${whose} ${end}`, exit: 0, ...expected[whose] },
      ]),
    ),
  ),
  "Node: a heap out of memory": {
    language: "node",
    argument: "heap",
    exit: "SIGABRT",
    headline: /^Crashed: JavaScript heap out of memory$/,
    evidence: [/^JavaScript heap out of memory/, /SIGABRT/],
  },
  "Go: a nil dereference": {
    language: "go",
    argument: "nil dereference",
    exit: 2,
    headline: /^Crashed: panic in .* \(stacks_test\.go:\d+\)$/,
    evidence: [/invalid memory address or nil pointer dereference/, /SIGSEGV/],
    frame: /stacks_test\.go:/,
  },
  "Go: concurrent map writes": {
    language: "go",
    argument: "concurrent map writes",
    exit: 2,
    headline: /^Crashed: fatal error: concurrent map access in .* \(stacks_test\.go:\d+\)$/,
    evidence: [],
  },
  "Go: a stack overflow": {
    language: "go",
    argument: "stack overflow",
    exit: 2,
    headline: /^Crashed: fatal error: stack overflow in .*recurse \(stacks_test\.go:\d+\)$/,
    evidence: [],
  },
  "Go: all goroutines asleep": {
    language: "go",
    argument: "asleep",
    exit: 2,
    headline:
      /^Crashed: fatal error: all goroutines are asleep - deadlock! in .*waitForever \(stacks_test\.go:\d+\)$/,
    evidence: [],
    frame: /waitForever/,
  },
  "Go: a loop": {
    language: "go",
    argument: "spin",
    headline: /^Hung (?:in a loop )?in .*spin/,
    evidence: [/^In [23] samples .*spin/],
  },
  "Go: a mutex that is never unlocked": {
    language: "go",
    argument: "mutex",
    headline: /^Hung in .* \(stacks_test\.go:\d+\)$/,
    evidence: [/^In [23] samples .* same place: .*stacks_test\.go/, /blocked/],
  },
};

/** The program of a way, with its arguments. */
function commandOf({ language, argument }: Way): [string, ...string[]] {
  if (language === "go") return [join(world.home.folder, "go-programs"), argument];
  const [whose = "", ...end] = argument.split(" ");
  if (language === "node worker")
    return [process.execPath, join(programs, "workers.mjs"), whose, end.join(" ")];
  if (language === "node")
    return [process.execPath, "--max-old-space-size=60", join(programs, "endings.mjs"), argument];
  return ["python3", join(programs, "endings.py"), argument];
}

const GO_HANGS = ["spin", "mutex"];

beforeAll(async () => {
  world = await World.make();
  await world.daemon();
});

afterAll(async () => {
  for (const child of children.values()) child.kill("SIGKILL");
  await world[Symbol.asyncDispose]();
});

/** Starts the programs of one language, if they are not started yet. */
function start(language: Way["language"]): void {
  const mine = Object.entries(WAYS).filter(([, way]) => way.language === language);
  if (mine.some(([way]) => children.has(way))) return;
  if (language === "go")
    execFileSync("go", ["test", "-c", "-o", join(world.home.folder, "go-programs"), "."], {
      cwd: join(root, "clients/go"),
      env: { ...process.env, CGO_ENABLED: "0" }, // with cgo the runtime finds no deadlock
    });
  for (const [way, each] of mine) {
    const [program, ...args] = commandOf(each);
    const child = spawn(program, args, {
      cwd: world.home.folder,
      env: {
        ...process.env,
        ...world.env,
        DATACAT_TEST_PROGRAM: GO_HANGS.includes(each.argument) ? "hangs" : each.argument,
        DATACAT_TEST_HANG: "60s",
        DATACAT_SESSION: undefined,
        DATACAT_DAEMON: "off",
        DATACAT_VERSION: way,
        PYTHONPATH: join(root, "clients/python"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.set(way, child);
    const { signal, afterMs = 0 } = each;
    if (signal)
      void once(child.stdout, "data").then(() => setTimeout(() => child.kill(signal), afterMs));
  }
}

const ways = Object.entries(WAYS).filter(([, { language }]) => language !== "go" || !isGoMissing);

test.each(ways)("%s", async (way, expected) => {
  start(expected.language);
  const child = children.get(way);
  const session = await found(way);
  await until(() => judged(session).headline).toMatch(expected.headline);
  const texts = () => judged(session).evidence.map(({ text }) => text);
  for (const pattern of expected.evidence)
    await until(texts).toContainEqual(expect.stringMatching(pattern));
  if (expected.frame) {
    const last = world.server.ops(session, "stacks").at(-1);
    expect(last?.threads[0]?.frames).toContainEqual(expect.stringMatching(expected.frame));
  }
  if (expected.hasKilled) {
    const data = (name: string) =>
      world.server
        .ops(session, "event")
        .filter((op) => op.name === name)
        .map((op) => op.data);
    const killed = data("killed").flatMap((each) => each?.["pids"]);
    await until(() => data("process_gone").map((each) => each?.["pid"])).toEqual(killed);
  }
  if (expected.exit !== undefined) {
    await until(() => child?.exitCode ?? child?.signalCode).toBe(expected.exit);
    if (expected.language === undefined) expect(String(child?.stderr?.read() ?? "")).toBe("");
  }
  child?.kill("SIGKILL"); // a loop takes a core from the next
});

/** The session whose version is the way. */
async function found(way: string): Promise<string> {
  const ids = () =>
    [...world.server.sessions.keys()].filter(
      (id) => world.server.ops(id, "start")[0]?.version === way,
    );
  // A busy machine takes long to start so many interpreters.
  await expect.poll(ids, { timeout: STARTED_MS }).toHaveLength(1);
  return ids()[0] ?? "";
}

function judged(session: string) {
  const { ops } = world.server.session(session);
  const [first] = ops;
  const known = newObservations(first?.at ?? 0, Date.now());
  for (const [index, op] of ops.entries()) observe(known, op as Op, index + 1);
  return verdict(known, Date.now());
}
