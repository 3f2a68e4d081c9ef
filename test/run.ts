/**
 * `npm test`: runs every suite with the runner of its language; prints one line for each, and the sum as the last line.
 * `npm test -- go python` runs only the suites whose names contain one of the arguments.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { findSuites, type Counts, type Suite } from "./suites.ts";

/** The browser suite takes five minutes alone, and ten beside others on a slow machine. */
const SUITE_TIMEOUT_MS = 18 * 60_000;
/** What suites at the same time may use together: a quarter more than there is, because none keeps its cores busy all the time. */
const CAPACITY = availableParallelism() * 1.25;
const isCi = process.env["CI"] === "true" || process.env["CI"] === "1";
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const running = new Set<ReturnType<typeof spawn>>();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const child of running) kill(child);
    process.exit(130);
  });
}

const names = process.argv.slice(2);
const suites = (await findSuites()).filter(
  ({ name }) => names.length === 0 || names.some((part) => name.includes(part)),
);
await runAll([...suites]);

if (suites.length === 0) console.log(`No suite is called ${names.join(" or ")}.`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

/** Runs the suites in their order, each as soon as the cores that it needs are free; those that need less may go first. */
async function runAll(waiting: Suite[]): Promise<void> {
  const active = new Map<Suite, Promise<void>>();
  const isPossible = ({ cores }: Suite) =>
    active.size === 0 || cores + sum([...active.keys()]) <= CAPACITY;
  while (waiting.length > 0 || active.size > 0) {
    const index = waiting.findIndex(isPossible);
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (next)
      active.set(
        next,
        report(next).then(() => void active.delete(next)),
      );
    else await Promise.race(active.values());
  }
}

function sum(all: Suite[]): number {
  return all.reduce((cores, suite) => cores + suite.cores, 0);
}

/** Runs a suite and prints its line, with the details of what failed. */
async function report(suite: Suite): Promise<void> {
  if (suite.missing !== undefined) {
    const isFailure = isCi && !suite.isOptional;
    total[isFailure ? "failed" : "skipped"] += 1;
    console.log(line(suite.name, `${isFailure ? "FAILED" : "skipped"}: needs ${suite.missing}`));
    return;
  }
  const began = performance.now();
  const { output, code } = await execute(suite);
  const { counts, details } = suite.read(output);
  // A runner that ended before it printed its counts has failed once.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;

  const parts = [`${counts.passed} passed`];
  if (counts.failed > 0) parts.push(`${counts.failed} FAILED`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  if (suite.note !== undefined) parts.push(suite.note);
  const seconds = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  console.log(line(suite.name, parts.join(", "), seconds));
  if (counts.failed > 0) console.log(indent(details === "" ? tail(output) : details));
}

function execute({
  command,
  folder,
  environment,
}: Suite): Promise<{ output: string; code: number }> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...withoutDatacat(process.env), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, so that all of it can be ended
    });
    running.add(child);
    let output = "";
    const take = (bytes: Buffer) => (output += bytes.toString());
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => {
      output += `\nStopped after ${SUITE_TIMEOUT_MS / 60_000} minutes.`;
      kill(child);
    }, SUITE_TIMEOUT_MS);
    const done = (code: number) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output, code });
    };
    child.on("error", (error) => {
      output += error.message;
      done(1);
    });
    child.on("exit", (code) => setTimeout(() => done(code ?? 1), 50)); // a process that it left running may hold the pipes open
  });
}

/** `datacat run -- npm test` records this process. The programs that tests start must not join its session. */
function withoutDatacat(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("DATACAT_")));
}

function kill(child: ReturnType<typeof spawn>): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

function line(name: string, result: string, seconds = ""): string {
  return `  ${name.padEnd(18)} ${result.padEnd(40)} ${seconds}`.trimEnd();
}

function tail(text: string): string {
  return text.trimEnd().split("\n").slice(-60).join("\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
