/**
 * The stack of the main thread while heartbeats are missing, and the report of a fatal error: both in side files of the lane
 * (clients/README.md, "Stacks and fatal errors"). For Node's main thread: Deno, Bun and Electron lack what this needs, and a thread of its own
 * is not the process.
 */
import { closeSync, constants, openSync } from "node:fs";
import { createRequire } from "node:module";
import { isMainThread, Worker } from "node:worker_threads";
import {
  HANG_SAMPLES,
  IDLE_AFTER_MS,
  LATE_TIMER_MS,
  NATIVE_AFTER_MS,
  REPEAT_INTERVAL_MS,
  SAMPLE_INTERVAL_MS,
} from "../limits.ts";
import { STACK_WORKER } from "./stack-worker.ts";
import { MAX_FRAME_LENGTH, MAX_THREAD_FRAMES } from "../../../src/core/limits.ts";

/** Whether this thread's stack can be sampled, and its process's fatal errors reported. */
export function hasStacks(): boolean {
  const { deno, bun, electron } = process.versions;
  return isMainThread && !deno && !bun && !electron;
}

/** Makes a side file, empty. Returns whether it is there. */
export function makeSideFile(path: string): boolean {
  const { O_WRONLY, O_CREAT, O_APPEND } = constants;
  const noFollow = constants.O_NOFOLLOW ?? 0; // Windows has none
  try {
    closeSync(openSync(path, O_WRONLY | O_CREAT | O_APPEND | noFollow, 0o600));
    return true;
  } catch {
    return false;
  }
}

let sampler: Worker | undefined;
let watched = 0;

/** The part of Node's module that is used here. */
type Inspector = { url(): string | undefined };

/** The heartbeats of one session, as the sampling thread sees them. */
export class StackWatch {
  readonly #id: number;
  readonly #sampler: Worker;
  /** When the next heartbeat is due, 0 if none is, and the timeout; in nanoseconds of the monotonic clock, which all threads share. */
  readonly #times = new BigInt64Array(new SharedArrayBuffer(16));
  readonly #inspector: Inspector;

  /** Undefined if the file cannot be made, or this Node does not permit threads or has no inspector. */
  static start(path: string): StackWatch | undefined {
    try {
      return makeSideFile(path) ? new StackWatch(path) : undefined;
    } catch {
      return undefined;
    }
  }

  private constructor(path: string) {
    // Node can be built without it, so it is not imported.
    this.#inspector = createRequire(import.meta.url)("node:inspector") as Inspector;
    this.#sampler = sampler ??= startSampler();
    this.#id = ++watched;
    this.#sampler.postMessage({ id: this.#id, path, times: this.#times.buffer });
  }

  /** A heartbeat: the next is due within `timeoutMs`. While a debugger may stop the program, none is due. */
  expect(timeoutMs: number): void {
    const timeout = BigInt(Math.ceil(timeoutMs)) * 1_000_000n;
    Atomics.store(this.#times, 1, timeout);
    const isDebugged = this.#inspector.url() !== undefined;
    Atomics.store(this.#times, 0, isDebugged ? 0n : process.hrtime.bigint() + timeout);
  }

  pause(): void {
    Atomics.store(this.#times, 0, 0n);
  }

  stop(): void {
    this.pause();
    this.#sampler.postMessage({ id: this.#id });
  }
}

/** The thread that samples, for all sessions: it gets neither the program's options and preloaded modules nor its environment. */
function startSampler(): Worker {
  const worker = new Worker(STACK_WORKER, {
    eval: true,
    name: "datacat",
    execArgv: [],
    env: {},
    workerData: {
      samples: HANG_SAMPLES,
      intervalMs: SAMPLE_INTERVAL_MS,
      repeatMs: REPEAT_INTERVAL_MS,
      lateMs: LATE_TIMER_MS,
      nativeMs: NATIVE_AFTER_MS,
      idleMs: IDLE_AFTER_MS,
      maxFrames: MAX_THREAD_FRAMES,
      maxLine: MAX_FRAME_LENGTH,
    },
  });
  worker.on("error", () => {}); // it ends, and there are no samples
  worker.unref();
  return worker;
}
