/**
 * Runs a command and records it. The command's input, output, signals and exit code are the same as without the recorder, and it runs
 * even if the recording fails.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { closeSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import type { Environment } from "../../home.ts";
import { ensureDaemon } from "../daemon-process.ts";
import { asCode, linkChoice, sessionLink, writeJobSummary } from "../link.ts";
import { redactArguments } from "../../../src/core/secrets/arguments.ts";
import { signalName } from "../../../src/core/status/signals.ts";
import { DRAIN_LOOKS, DRAIN_MS, MAX_PIPE_BYTES, SIGNAL_MS } from "../limits.ts";
import { isForeignProgram, type NotStarted, whyNotStarted } from "./not-started.ts";
import type { Exit } from "./outcome.ts";
import type { StreamName } from "./output.ts";
import { openPipes } from "./pipe.ts";
import { type Recorder, type RunOptions, startRecording } from "./recorder.ts";
import { unnamedSignal } from "./unnamed-signal.ts";

/** Runs `command` to its end, records it, and ends this process with the command's exit code or signal. */
export async function run(
  command: string[],
  options: RunOptions,
  env: Environment,
): Promise<never> {
  const recorder = startRecording(command, options, env);
  const program = command[0] ?? "";
  const started = tryToStart(command, options, {
    ...env,
    ...colours(env, options),
    ...(recorder && { DATACAT_SESSION: recorder.session }),
  });
  if (started instanceof Error)
    return exitNotStarted(whyNotStarted(program, started, env), recorder, options, env);
  const { child, streams } = started;
  passSignals(child);
  if (recorder && child.pid !== undefined) recorder.watch(child.pid);
  const outputs = streams.map(([name, stream]) => pass(name, stream, recorder));
  if (recorder) ensureDaemon(env);

  const exit = await exitOf(child, streams);
  const at = Date.now();
  if (exit instanceof Error)
    return exitNotStarted(whyNotStarted(program, exit, env), recorder, options, env);
  recorder?.exited(at);
  if (exit.code !== null && FAILED_START.includes(exit.code) && isForeignProgram(program, env)) {
    const why = { type: "exec format error", object: program };
    process.stderr.write(`datacat: ${program}: exec format error\n`);
    recorder?.notStarted(why, at);
  }
  await Promise.all(outputs.map((output) => output.drained()));
  const attached = options.attach.length > 0 ? recorder?.attach(options.attach) : undefined;
  const readerLeft = outputs.some((output) => output.hasLostReader());
  await recorder?.end(exit, readerLeft, at);
  await Promise.all(outputs.map((output) => output.flushed()));
  if (attached !== undefined) process.stderr.write(`datacat: ${attached}\n`);
  if (recorder) printLink(recorder, command, exit, options, env);
  return exitLike(exit);
}

/** One line with the session's address, and the same on the page of a GitHub job. */
function printLink(
  recorder: Recorder,
  command: string[],
  exit: Exit,
  options: RunOptions,
  env: Environment,
): void {
  const hasFailed = exit.code !== 0;
  const choice = linkChoice(options.link, env);
  if (choice === "never" || (choice === "failure" && !hasFailed) || !recorder.hasRecorded) return;
  try {
    const link = sessionLink(env, recorder.session);
    process.stderr.write(`datacat: ${link}\n`);
    const ended = exit.signal ?? `exit code ${exit.code ?? 1}`;
    const title = redactArguments(command).join(" ");
    writeJobSummary(env, `### ${asCode(title)}: ${ended}\n\n[Session in Datacat](${link})\n\n`);
  } catch {
    // A reader of standard error that has ended, or settings that can't be read: the command's end is what counts.
  }
}

/** Exit codes of the shell that the system starts for a file that it cannot run. */
const FAILED_START = [2, 126, 127];

/** Prints and records why the command did not start. */
async function exitNotStarted(
  why: NotStarted,
  recorder: Recorder | undefined,
  options: RunOptions,
  env: Environment,
): Promise<never> {
  process.stderr.write(`datacat: ${why.object}: ${why.type}\n`);
  if (recorder) ensureDaemon(env);
  await recorder?.fail(why);
  const exit = { code: why.code, signal: null };
  if (recorder) printLink(recorder, [why.object], exit, options, env);
  return exitLike(exit);
}

/** Node throws some errors of a start, and reports others as an event. */
function tryToStart(command: string[], options: RunOptions, env: Environment): Started | Error {
  try {
    return start(command, options, env);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

type Started = { child: ChildProcess; streams: [StreamName, Readable][] };

function start(command: string[], options: RunOptions, env: Environment): Started {
  if (!options.output) {
    return { child: spawnCommand(command, ["inherit", "inherit"], env), streams: [] };
  }
  const pipes = openPipes();
  if (!pipes) {
    const child = spawnCommand(command, ["pipe", "pipe"], env);
    const { stdout, stderr } = child;
    if (!stdout || !stderr) return { child, streams: [] }; // the command could not be started
    return { child, streams: Object.entries({ stdout, stderr }) as Started["streams"] }; // keeps the two names
  }
  const { stdout, stderr } = pipes;
  const child = spawnCommand(command, [stdout.writeEnd, stderr.writeEnd], env);
  // The command has its own copies. While these are open, its output has no end.
  closeSync(stdout.writeEnd);
  closeSync(stderr.writeEnd);
  const readers = { stdout: stdout.reader, stderr: stderr.reader };
  return { child, streams: Object.entries(readers) as Started["streams"] };
}

function spawnCommand(
  command: string[],
  outputs: ("inherit" | "pipe" | number)[],
  env: Environment,
): ChildProcess {
  const [program = "", ...args] = command;
  const options: SpawnOptions = { stdio: ["inherit", ...outputs], env, windowsHide: true };
  if (process.platform !== "win32") return spawn(program, args, options);
  // npm and others are .cmd files on Windows, which only cmd.exe can start.
  return spawn(process.env["ComSpec"] ?? "cmd.exe", ["/d", "/s", "/c", windowsLine(command)], {
    ...options,
    windowsVerbatimArguments: true,
  });
}

/** A command as one line for cmd.exe: every argument quoted, and characters with a meaning for cmd.exe escaped. */
export function windowsLine(command: string[]): string {
  const parts = command.map((part) => {
    // Backslashes are special only before a quote, where each is doubled.
    const quoted = `"${part.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, "$1$1")}"`;
    return quoted.replace(/[()\][%!^"`<>&|;, *?]/g, "^$&");
  });
  return `"${parts.join(" ")}"`;
}

/** The command writes to a pipe instead of the terminal, so it would turn its colours off. These variables prevent that in most programs. */
function colours(env: Environment, options: RunOptions): Environment {
  if (!options.output || !isatty(1) || env["NO_COLOR"] || env["FORCE_COLOR"]) return {};
  return { FORCE_COLOR: "1", CLICOLOR_FORCE: "1" };
}

/** Passes a stream on byte for byte, no faster than its reader reads it, with a copy for the recording. */
function pass(name: StreamName, from: Readable, recorder: Recorder | undefined) {
  const to = process[name];
  let lostReader = false;
  let passed = 0;
  const closed = new Promise<"closed">((resolve) => from.once("close", () => resolve("closed")));
  to.on("error", () => {
    // This process's reader has ended (`| head`). Closing the command's pipe lets the system signal that to the command.
    lostReader = true;
    from.destroy();
  });
  from.on("error", () => from.destroy());
  from.on("data", (bytes: Buffer) => {
    passed += bytes.length;
    if (!to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
    recorder?.output(name, bytes);
  });
  return {
    hasLostReader: () => lostReader,
    /** Settles when everything that the command wrote has passed. Its background processes may keep the pipe open and write more. */
    async drained(): Promise<void> {
      const before = passed;
      for (let quiet = 0; quiet < DRAIN_LOOKS && passed - before <= MAX_PIPE_BYTES;) {
        const seen = passed;
        if ((await Promise.race([closed, sleep(DRAIN_MS / DRAIN_LOOKS)])) === "closed") return;
        quiet = passed === seen && !from.isPaused() ? quiet + 1 : 0;
      }
    },
    /** Settles when the reader has everything. */
    flushed: () =>
      new Promise<void>((resolve) => {
        if (lostReader) resolve();
        else to.write("", () => resolve());
      }),
  };
}

/** Signals to this process that are meant for the command. */
const PASSED_ON = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Those that a terminal or its shell sends to its whole foreground group, so that the command has already got them. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGCONT", "SIGWINCH"] as const;

function passSignals(child: ChildProcess): void {
  for (const signal of PASSED_ON) onSignal(signal, () => child.kill(signal));
  for (const signal of OF_TERMINAL)
    onSignal(signal, () => {
      if (!isInForeground()) child.kill(signal);
      if (signal === "SIGTSTP") stop();
    });
}

function onSignal(signal: NodeJS.Signals, act: () => void): void {
  if (signal in constants.signals) process.on(signal, act); // not every system has each
}

/** Stops this process by the default action of SIGTSTP until it is continued. */
function stop(): void {
  const listeners = process.listeners("SIGTSTP");
  process.removeAllListeners("SIGTSTP");
  process.kill(process.pid, "SIGTSTP");
  for (const listener of listeners) process.on("SIGTSTP", listener);
}

/** Whether this process is in its terminal's foreground group. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return terminal !== "0" && group === foreground;
  } catch {
    return [0, 1, 2].some((descriptor) => isatty(descriptor));
  }
}

function exitOf(child: ChildProcess, streams: Started["streams"]): Promise<Exit | Error> {
  return new Promise((resolve) => {
    let open = streams.length;
    let unnamed: number | undefined;
    for (const [, stream] of streams)
      stream.once("end", () => {
        open -= 1;
        if (open === 0 && child.pid !== undefined) unnamed = unnamedSignal(child.pid);
      });
    child.once("error", resolve);
    child.once("exit", (code, signal) => {
      if (unnamed === undefined) resolve({ code, signal });
      else
        resolve({
          code: null,
          signal: signalName(unnamed) ?? `signal ${unnamed}`,
          number: unnamed,
        });
    });
  });
}

/** Ends this process as the command ended. */
async function exitLike({ code, signal, number }: Exit): Promise<never> {
  if (signal === null) process.exit(code ?? 1);
  const found = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  const signalNumber = number ?? found ?? 0;
  process.removeAllListeners(signal);
  process.kill(process.pid, signalNumber);
  await sleep(SIGNAL_MS);
  // The signal did not end this process (Node ignores SIGPIPE): a shell's exit code for it.
  process.exit(128 + signalNumber);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
