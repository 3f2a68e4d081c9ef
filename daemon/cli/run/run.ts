/**
 * `datacat run`: a command with its flight recorder. The command must not notice: it gets its input, output, signals and
 * exit code as if it stood alone, and whatever goes wrong with the recording, it runs.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { closeSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import type { Environment } from "../../home.ts";
import { ensureDaemon } from "../daemon-process.ts";
import { DRAIN_MS, MAX_PIPE_BYTES, SIGNAL_MS } from "../limits.ts";
import type { Exit } from "./outcome.ts";
import type { StreamName } from "./output.ts";
import { openPipes } from "./pipe.ts";
import { type Recorder, type RunOptions, startRecording } from "./recorder.ts";

/** Runs `command` to its end, records it, and leaves this process as the command left. */
export async function run(
  command: string[],
  options: RunOptions,
  env: Environment,
): Promise<never> {
  const recorder = startRecording(command, options, env);
  const { child, streams } = start(command, options, {
    ...env,
    ...colours(env, options),
    ...(recorder && { DATACAT_SESSION: recorder.session }),
  });
  passSignals(child);
  if (recorder && child.pid !== undefined) recorder.watch(child.pid);
  const outputs = streams.map(([name, stream]) => pass(name, stream, recorder));
  if (recorder) ensureDaemon(env);

  const exit = await exitOf(child);
  const at = Date.now();
  if (exit instanceof Error) {
    const { code, text } = explain(command[0] ?? "", exit);
    await recorder?.fail(text, code);
    process.stderr.write(`datacat: ${text}\n`);
    return leave({ code, signal: null });
  }
  await Promise.all(outputs.map((output) => output.drained()));
  const readerLeft = outputs.some((output) => output.hasLostReader());
  await recorder?.end(exit, readerLeft, at);
  await Promise.all(outputs.map((output) => output.flushed()));
  return leave(exit);
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
    if (!stdout || !stderr) return { child, streams: [] }; // it could not be started
    return { child, streams: Object.entries({ stdout, stderr }) as Started["streams"] }; // keeps the two names
  }
  const { stdout, stderr } = pipes;
  const child = spawnCommand(command, [stdout.writeEnd, stderr.writeEnd], env);
  // The command has its own copies; while we hold ours, its output never ends.
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
  // npm and its like are .cmd files there, which only cmd.exe can start.
  return spawn(process.env["ComSpec"] ?? "cmd.exe", ["/d", "/s", "/c", windowsLine(command)], {
    ...options,
    windowsVerbatimArguments: true,
  });
}

/** A command as one line for cmd.exe: every word quoted, and what cmd.exe would read as its own escaped. */
export function windowsLine(command: string[]): string {
  const words = command.map((word) => {
    // Backslashes count only before a quote, where each has to be doubled.
    const quoted = `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, "$1$1")}"`;
    return quoted.replace(/[()\][%!^"`<>&|;, *?]/g, "^$&");
  });
  return `"${words.join(" ")}"`;
}

/**
 * With its output going through us, the command no longer sees the terminal, and would turn its colours off. Most
 * programs can be told otherwise.
 */
function colours(env: Environment, options: RunOptions): Environment {
  if (!options.output || !isatty(1) || env["NO_COLOR"] || env["FORCE_COLOR"]) return {};
  return { FORCE_COLOR: "1", CLICOLOR_FORCE: "1" };
}

/** Sends a stream on byte for byte as it comes, no faster than its reader takes it, with a copy for the recording. */
function pass(name: StreamName, from: Readable, recorder: Recorder | undefined) {
  const to = process[name];
  let lostReader = false;
  let passed = 0;
  let lastAt = 0;
  const closed = new Promise<"closed">((resolve) => from.once("close", () => resolve("closed")));
  to.on("error", () => {
    // Our reader has gone (`| head`): so has the command's, which tells it as the system always does.
    lostReader = true;
    from.destroy();
  });
  from.on("error", () => from.destroy());
  from.on("data", (bytes: Buffer) => {
    passed += bytes.length;
    lastAt = Date.now();
    if (!to.write(bytes)) {
      from.pause();
      to.once("drain", () => {
        lastAt = Date.now();
        from.resume();
      });
    }
    recorder?.output(name, bytes);
  });
  return {
    hasLostReader: () => lostReader,
    /** All that the command had written when it ended has passed. What it left behind may hold the pipe open, and write on. */
    async drained(): Promise<void> {
      const before = passed;
      const since = Date.now();
      for (;;) {
        if ((await Promise.race([closed, sleep(DRAIN_MS / 10)])) === "closed") return;
        const isQuiet = !from.isPaused() && Date.now() - Math.max(since, lastAt) > DRAIN_MS;
        if (isQuiet || passed - before > MAX_PIPE_BYTES) return;
      }
    },
    /** Our reader has everything. */
    flushed: () =>
      new Promise<void>((resolve) => {
        if (lostReader) resolve();
        else to.write("", () => resolve());
      }),
  };
}

/** What a parent can be sent that is meant for its child. */
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

function passSignals(child: ChildProcess): void {
  for (const signal of PASSED_ON) {
    if (!(signal in constants.signals)) continue; // not on this system
    process.on(signal, () => {
      // Ctrl-C and Ctrl-\ of a terminal reach every process in front of it: passed on, the command would get two.
      const isFromTerminal = (signal === "SIGINT" || signal === "SIGQUIT") && isInFront();
      if (!isFromTerminal) child.kill(signal);
    });
  }
}

/** Whether this process's group is the one that its terminal's keys go to. */
function isInFront(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , terminal, front] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return terminal !== "0" && group === front;
  } catch {
    return [0, 1, 2].some((descriptor) => isatty(descriptor));
  }
}

function exitOf(child: ChildProcess): Promise<Exit | Error> {
  return new Promise((resolve) => {
    child.once("error", resolve);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

/** A command that cannot be started, in a shell's words and with a shell's exit code. */
function explain(program: string, error: Error): { code: number; text: string } {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return { code: 127, text: `${program}: command not found` };
  if (code === "EACCES") return { code: 126, text: `${program}: not allowed to run it` };
  return { code: 126, text: `${program}: ${error.message}` };
}

/** Ends this process as the command ended. */
async function leave({ code, signal }: Exit): Promise<never> {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  await sleep(SIGNAL_MS);
  // A signal that did not end us (Node ignores SIGPIPE): the shell's way of saying it.
  process.exit(
    128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0),
  );
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
