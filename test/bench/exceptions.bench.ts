/**
 * What an exception costs in each client, in processor time, beside an event with a message: npm run bench exceptions. The error is thrown ten
 * calls deep and caught; what that costs by itself is left out. Each round has them in turn; the best round counts.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../../clients/typescript/node.ts";

const ROUNDS = 8;
const CALLS = 300;
const DEPTH = 10;
const home = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const clients = join(import.meta.dirname, "../../clients");
const env = { ...process.env, DATACAT_HOME: home, DATACAT_DAEMON: "off" };

/** Microseconds of processor time for each. */
type Costs = { event: number; exception: number; "exception with two causes": number };

function typescript(): Costs {
  Object.assign(process.env, env);
  const session = open({ product: "bench" });
  const fail = (depth: number, causes: number): void => {
    if (depth > 0) return fail(depth - 1, causes);
    try {
      if (causes > 0) fail(DEPTH, causes - 1);
    } catch (cause) {
      throw new Error("could not load the level", { cause });
    }
    throw new Error("could not load the level");
  };
  const caught = (causes: number): unknown => {
    try {
      return fail(DEPTH, causes);
    } catch (error) {
      return error;
    }
  };
  const costs = measured({
    event: () => session.logEvent("failed", { message: "could not load the level" }),
    nothing: () => caught(0),
    exception: () => session.logException(caught(0)),
    nothingWithCauses: () => caught(2),
    exceptionWithCauses: () => session.logException(caught(2)),
  });
  session.end();
  return without(costs);
}

type Measured = {
  event: number;
  nothing: number;
  exception: number;
  nothingWithCauses: number;
  exceptionWithCauses: number;
};

function measured(calls: { [name in keyof Measured]: () => unknown }): Measured {
  const best = Object.fromEntries(Object.keys(calls).map((name) => [name, Infinity]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, call] of Object.entries(calls)) {
      const before = process.cpuUsage();
      for (let i = 0; i < CALLS; i++) call();
      const { user, system } = process.cpuUsage(before);
      best[name] = Math.min(best[name] ?? Infinity, (user + system) / CALLS);
    }
  return best as Measured; // the keys are those of `calls`
}

function without(costs: Measured): Costs {
  return {
    event: costs.event,
    exception: costs.exception - costs.nothing,
    "exception with two causes": costs.exceptionWithCauses - costs.nothingWithCauses,
  };
}

const PYTHON = `
import json, time, datacat
ROUNDS, CALLS, DEPTH = ${ROUNDS}, ${CALLS}, ${DEPTH}
session = datacat.open(product="bench")

def fail(depth, causes):
    if depth > 0:
        return fail(depth - 1, causes)
    if causes > 0:
        try:
            fail(DEPTH, causes - 1)
        except ValueError as cause:
            raise ValueError("could not load the level") from cause
    raise ValueError("could not load the level")

def caught(causes):
    try:
        fail(DEPTH, causes)
    except ValueError as error:
        return error

calls = {
    "event": lambda: session.log_event("failed", message="could not load the level"),
    "nothing": lambda: caught(0),
    "exception": lambda: session.log_exception(caught(0)),
    "nothingWithCauses": lambda: caught(2),
    "exceptionWithCauses": lambda: session.log_exception(caught(2)),
}
best = {}
for round in range(ROUNDS):
    for name, call in calls.items():
        before = time.process_time()
        for i in range(CALLS):
            call()
        cost = (time.process_time() - before) / CALLS * 1e6
        best[name] = min(best.get(name, cost), cost)
session.end()
print(json.dumps(best))
`;

function python(): Costs {
  const path = { ...env, PYTHONPATH: join(clients, "python") };
  const output = execFileSync("python3", ["-c", PYTHON], { env: path, encoding: "utf8" });
  return without(JSON.parse(output) as Measured);
}

/** The benchmark in clients/go/bench_test.go prints the same figures in nanoseconds. */
function go(): Costs {
  const args = ["test", "-run", "-", "-bench", "ExceptionAgainstEvent", "-benchtime", `${ROUNDS}x`];
  const output = execFileSync("go", [...args, "."], {
    cwd: join(clients, "go"),
    env,
    encoding: "utf8",
  });
  const of = (unit: string) =>
    Number(new RegExp(`([\\d.]+) ${unit}\\b`).exec(output)?.[1] ?? NaN) / 1_000;
  return {
    event: of("event-ns"),
    exception: of("exception-ns"),
    "exception with two causes": of("causes-ns"),
  };
}

console.log("| client     | event | exception | ratio | with two causes | ratio |");
console.log("| ---------- | ----: | --------: | ----: | --------------: | ----: |");
try {
  for (const [client, costs] of [
    ["TypeScript", typescript()],
    ["Python", python()],
    ["Go", go()],
  ] as const) {
    const { event, exception, "exception with two causes": causes } = costs;
    const cells = [
      `${event.toFixed(1)} µs`,
      `${exception.toFixed(0)} µs`,
      `${(exception / event).toFixed(0)}×`,
      `${causes.toFixed(0)} µs`,
      `${(causes / event).toFixed(0)}×`,
    ];
    console.log(`| ${client.padEnd(10)} | ${cells.join(" | ")} |`);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
