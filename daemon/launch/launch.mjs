/**
 * Starts one of Datacat's programs on any Node from 18 on, so this file is plain JavaScript that Node 18 parses.
 *
 * In a clone the program is a TypeScript file, which only a recent Node runs. The `node` package is one; a fresh clone installs it
 * first. An installed package has no sources, and the program is the bundled file. If this Node is recent enough, the program runs in
 * this process.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath, pathToFileURL } from "node:url";
import { handOver, listenEarly } from "./early.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The oldest Node that runs our TypeScript as it is, and the oldest that runs the bundled file. */
const FOR_SOURCES = [24, 0];
const FOR_BUNDLE = [22, 13];
/** Its status can be read some microseconds after it closed its files: milliseconds on a busy machine. */
const STATUS_TRIES = 200;
/** Signals to this process that are meant for its child. */
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/**
 * Runs the TypeScript file `source` (a path from the clone's root), or the bundle. With `isDaemon`, this process ends when its parent
 * does, so that the program, its child, sees its own parent end; and it listens on a private daemon's port first.
 */
export async function launch(source, { isDaemon = false } = {}) {
  const inClone = existsSync(join(root, source));
  const program = join(root, inClone ? source : "dist/datacat.js");
  if (inClone) await install();

  const isRecent = isAtLeast(inClone ? FOR_SOURCES : FOR_BUNDLE);
  // Windows hands no listening socket over to a child.
  const isEarly = isDaemon && (isRecent || (inClone && process.platform !== "win32"));
  const listeners = isEarly ? await listenEarly(process.env, () => process.cwd()) : [];
  if (isRecent) {
    globalThis[Symbol.for("datacat.listeners")] = listeners;
    // Compiled code is kept between runs, so that a daemon answers within a second of its start on slow machines.
    if (module.enableCompileCache) module.enableCompileCache();
    if (inClone) process.argv[1] = program; // the bundle chooses its program by this name
    await import(pathToFileURL(program).href);
    return;
  }
  if (!inClone) {
    process.stderr.write(
      `datacat needs Node ${FOR_BUNDLE.join(".")} or newer; this is ${process.version}.\n`,
    );
    process.exit(1);
  }
  runWith(ownNode(), process.argv.slice(1), handOver(listeners)); // this launcher again, now on a recent Node
  // Not before the child has them; and at once, so that no connection arrives here.
  for (const { server } of listeners) server.close();
  if (isDaemon) {
    const parent = process.ppid;
    setInterval(() => process.ppid === parent || process.exit(0), 500).unref();
  }
}

function isAtLeast([major, minor]) {
  const [ours, oursMinor] = process.versions.node.split(".").map(Number);
  return ours > major || (ours === major && oursMinor >= minor);
}

function ownNode() {
  return join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
}

/** npm writes its hidden lock file last, so an interrupted install does not count. */
function isInstalled() {
  return existsSync(join(root, "node_modules/.package-lock.json")) && existsSync(ownNode());
}

async function install() {
  if (isInstalled()) return;
  const release = await lockInstall();
  if (!isInstalled()) {
    process.stderr.write(
      "First run in this clone: installing Datacat's dependencies (about a minute, once)…\n",
    );
    const command = existsSync(join(root, "package-lock.json")) ? "ci" : "install";
    // Standard output belongs to the program, so npm's output goes to standard error.
    const done = spawnSync("npm", [command, "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32", // npm is a .cmd there
    });
    if (done.status !== 0 || !isInstalled()) {
      release();
      process.stderr.write(
        `\n"npm ${command}" failed in ${root}. Run it there to see why, then try again.\n`,
      );
      process.exit(1);
    }
  }
  release();
}

/** Two commands may start in a fresh clone at the same time, and two npm installs would break each other. */
async function lockInstall() {
  const lock = join(root, ".datacat", "installing");
  mkdirSync(join(root, ".datacat"), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      const release = () => rmSync(lock, { force: true });
      process.once("exit", release);
      return release;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!waited)
      process.stderr.write(
        "Another command is installing Datacat's dependencies; waiting for it…\n",
      );
    if (holderIsGone(lock)) rmSync(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function holderIsGone(lock) {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    if (pid > 0) process.kill(pid, 0); // empty: it is just being written
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Runs the program as a child with this process's streams and signals, and exits with its exit code or signal. */
function runWith(node, args, options) {
  // Its end of a pipe is closed as it ends, before Node reads its status; it starts other programs without it.
  const isLinux = process.platform === "linux";
  const stdio = isLinux ? [...options.stdio, "pipe"] : options.stdio;
  const child = spawn(node, args, { ...options, stdio });
  let unnamed = 0;
  if (isLinux && child.pid)
    child.stdio
      .at(-1)
      .once("end", () => (unnamed = unnamedSignal(child.pid)))
      .resume();
  // Not process.stdin.isTTY: touching that stream would make the child's own input non-blocking.
  const atTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  for (const signal of PASSED_ON) {
    if (!(signal in constants.signals)) continue; // not on this system
    process.on(signal, () => {
      // Ctrl-C and Ctrl-\ of a terminal reach every process in front of it: passed on, the child would get two.
      const fromTerminal = atTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
      if (!fromTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`Could not start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null && unnamed === 0) process.exit(code ?? 1);
    for (const name of PASSED_ON) process.removeAllListeners(name);
    process.kill(process.pid, signal ?? unnamed);
    // The signal did not end this process (it is ignored, or this is Windows): a shell's exit code for it.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? unnamed)), 100);
  });
}

/**
 * The number of a signal that ended a process and for which Node has no name, as a real-time signal: it reports exit code 0. Linux keeps the
 * status until Node reads it, after the event in which this is called (see ../cli/run/unnamed-signal.ts).
 */
function unnamedSignal(pid) {
  for (let tries = 0; tries < STATUS_TRIES; tries++) {
    let fields;
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    } catch {
      return 0; // it was read
    }
    if (fields[0] === "Z") return (Number(fields[49]) & 0x7f) >= 32 ? Number(fields[49]) & 0x7f : 0;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  return 0;
}
