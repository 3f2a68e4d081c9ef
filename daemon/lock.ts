/**
 * One daemon per home. The lock is a file with its holder's pid and start; it is free once that process has ended. It is changed only
 * while a second file, the guard, is held, so that two daemons that find a stale lock do not both take it.
 */
import {
  linkSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { isNoSpace } from "./lanes/losses.ts";
import { GUARD_MS } from "./limits.ts";
import { isAlive, readProcess } from "./watch/processes.ts";

const Holder = v.object({ pid: v.number(), pid_started: v.optional(v.string()), id: v.string() });
type Holder = v.InferOutput<typeof Holder>;

export class Lock {
  readonly #path: string;
  readonly #holder: Holder;

  private constructor(path: string, holder: Holder) {
    this.#path = path;
    this.#holder = holder;
  }

  /** The lock; undefined if a running daemon holds it for longer than `waitMs`. */
  static async take(path: string, id: string, waitMs = 0): Promise<Lock | undefined> {
    const pid_started = readProcess(process.pid)?.started;
    const holder: Holder = { pid: process.pid, pid_started, id };
    const deadline = Date.now() + waitMs;
    for (;;) {
      if (tryTake(path, holder)) return new Lock(path, holder);
      if (Date.now() > deadline) return undefined;
      await sleep(50);
    }
  }

  /** Whether this daemon still holds it: the home or the lock may have been removed. */
  isHeld(): boolean {
    return readHolder(this.#path)?.id === this.#holder.id;
  }

  /** Takes it again after it was removed. False if another daemon has it, or the home is missing. */
  retake(): boolean {
    try {
      return tryTake(this.#path, this.#holder);
    } catch {
      return false;
    }
  }

  release(): void {
    if (this.isHeld()) rmSync(this.#path, { force: true });
  }
}

/** The holder of a home, if its process is alive. */
function liveHolder(path: string): Holder | undefined {
  const holder = readHolder(path);
  return holder && isAlive(holder.pid, holder.pid_started) ? holder : undefined;
}

function tryTake(path: string, holder: Holder): boolean {
  if (liveHolder(path)) return false;
  const mine = `${path}.${holder.id}`;
  const guard = `${path}.guard`;
  writeHolder(mine, holder);
  try {
    removeStaleGuard(guard);
    linkSync(mine, guard); // fails if the guard exists, so only one daemon continues
  } catch {
    rmSync(mine, { force: true });
    return false;
  }
  try {
    if (liveHolder(path)) {
      rmSync(mine, { force: true });
      return false;
    }
    renameSync(mine, path);
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

/** A full disk has no room for a file's content, but for a link with the content as its target: the daemon that makes room must start. */
function writeHolder(path: string, holder: Holder): void {
  try {
    writeFileSync(path, JSON.stringify(holder), { mode: 0o600 });
  } catch (error) {
    rmSync(path, { force: true });
    if (!isNoSpace(error)) throw error;
    symlinkSync(JSON.stringify(holder), path);
  }
}

function removeStaleGuard(guard: string): void {
  const made = lstatSync(guard, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && Date.now() - made > GUARD_MS) rmSync(guard, { force: true });
}

function readHolder(path: string): Holder | undefined {
  try {
    const isLink = lstatSync(path).isSymbolicLink();
    const text = isLink ? readlinkSync(path) : readFileSync(path, "utf8");
    return v.parse(Holder, JSON.parse(text));
  } catch {
    return undefined;
  }
}
