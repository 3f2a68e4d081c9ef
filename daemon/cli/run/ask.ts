/** Asks another program, such as git, and never waits for it long. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { Environment } from "../../home.ts";
import { CONTEXT_LENGTH, CONTEXT_TIMEOUT_MS } from "../limits.ts";

/** The beginning of what the program prints; undefined if it fails, is not found, or takes too long. */
export async function ask(
  folder: string,
  program: string,
  args: string[],
  env: Environment = {},
  timeout: number = CONTEXT_TIMEOUT_MS,
): Promise<string | undefined> {
  const options = { cwd: folder, env: { ...process.env, DATACAT_DISABLED: "1", ...env }, timeout };
  const answer = held ? askHeld(held, program, args, options) : undefined;
  try {
    const { stdout } =
      (await answer) ??
      (await promisify(execFile)(program, args, { ...options, windowsHide: true }));
    return stdout.trim().slice(0, CONTEXT_LENGTH);
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}

/** Shells that end when they are released; undefined: none are needed. */
let held: Set<ChildProcess> | undefined;

/**
 * Until `release`, no program that is asked ends as a child of this process. When any child ends, Node reads the exit status of all that
 * have ended; that of the recorded command has to be read before (unnamed-signal.ts).
 */
export function hold(): void {
  if (process.platform === "linux") held = new Set();
}

export function release(): void {
  for (const shell of held ?? []) shell.stdin?.end();
  held = undefined;
}

/** Undefined if there is no such shell. */
async function askHeld(
  shells: Set<ChildProcess>,
  program: string,
  args: string[],
  { timeout, ...options }: { cwd: string; env: Environment; timeout: number },
): Promise<{ stdout: string } | undefined> {
  const shell = spawn("/bin/sh", ["-c", HOLDING, "sh", program, ...args], {
    ...options,
    stdio: ["pipe", "pipe", "ignore"],
    detached: true, // a group of its own, which can be stopped with what it runs
  });
  shells.add(shell);
  const timer = setTimeout(() => stop(shell), timeout);
  const output = await new Promise<string | undefined>((resolve) => {
    let text = "";
    shell.once("error", () => resolve(undefined));
    shell.stdin?.on("error", () => {}); // it was stopped
    shell.stdout?.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      if (text.length > MAX_OUTPUT) stop(shell);
    });
    shell.stdout?.once("close", () => resolve(text));
  });
  clearTimeout(timer);
  if (output === undefined) return undefined;
  const [, stdout] = /^(.*)\0(?:0)$/s.exec(output) ?? [];
  if (stdout === undefined) throw new Error(`${program} failed`);
  return { stdout };
}

/** Runs its arguments, prints their exit code, and waits until its input ends, which it also does when this process is killed. */
const HOLDING = `"$@" </dev/null; printf '\\000%s' "$?"; exec >&-; read -r _`;

/** As much as execFile reads. */
const MAX_OUTPUT = 1024 * 1024;

function stop(shell: ChildProcess): void {
  try {
    if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
