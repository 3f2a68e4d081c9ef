/**
 * Records the end of the program in all open sessions, without changing how it ends: `end`, or `crash` after an uncaught exception.
 * One listener serves all sessions.
 */
import { END_WAIT_MS } from "../direct/limits.ts";
import { crashOp } from "../encode/ops.ts";
import { isGranted } from "./permission.ts";
import type { Session } from "../session/session.ts";
import type { OpenOptions } from "../settings.ts";

/** The signals that ask a program to end. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

const sessions = new Set<Session>();
const capturing = new Set<Session>();
let isWatching = false;
const MONITOR = "uncaughtExceptionMonitor";
const { Deno } = globalThis as { Deno?: { exitCode: number } }; // only in Deno
const isNode = !Deno && !process.versions.bun;

export function watchExit(session: Session, settings: OpenOptions): void {
  if (!isWatching) {
    isWatching = true;
    process.prependListener("exit", watchNestedExit);
    process.on("exit", onExit);
    process.on("newListener", (event: string | symbol, listener: unknown) => {
      if (event === "exit" && listener !== onExit) queueMicrotask(listenLast);
    });
    process.on(MONITOR, onUncaught);
    // Deno.exit() calls no `exit` listener of Node's API, and Deno.exitCode is not process.exitCode.
    if (Deno) addEventListener("unload", () => onExit(Deno.exitCode));
    // Deno gives the monitor an error of its own in place of a reason that is none.
    if (Deno) addEventListener("unhandledrejection", noteReason);
    // Bun calls the monitor for rejections only while a module is loading. With --unhandled-rejections they do not end the program.
    const isLenient = process.execArgv.some((flag) => flag.startsWith("--unhandled-rejections"));
    if (process.versions.bun && !isLenient) process.on("unhandledRejection", onRejected);
    if (!process.versions.bun && !Deno) watchRejections();
  }
  sessions.add(session);
  if (settings.captureExceptions ?? true) capturing.add(session);
  if (settings.captureSignals && isGranted({ name: "run" })) watchSignals();
  session.onEnd(() => {
    sessions.delete(session);
    capturing.delete(session);
  });
}

let isWatchingSignals = false;

function watchSignals(): void {
  if (isWatchingSignals) return;
  isWatchingSignals = true;
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

/** A listener replaces the default action of a signal. So this one removes itself and sends the signal again. */
function onSignal(signal: NodeJS.Signals): void {
  // The program's own listener decides what the signal does.
  if (process.listenerCount(signal) > 1) return;
  for (const session of sessions) session.end({ signal });
  sendAllRests();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
}

/** By session in direct mode, the function that hands over its unsent ops. */
const senders = new Map<Session, () => void>();
let isSending = false;

/**
 * Watches a session in direct mode, whose unsent ops are in memory. When the program has nothing left to do, they are sent for at most
 * `END_WAIT_MS`; when it is ended, `sendRest` is called, which must not wait.
 */
export function watchSending(session: Session, sendRest: () => void): void {
  if (!isSending) {
    isSending = true;
    process.on("beforeExit", onIdle);
  }
  senders.set(session, sendRest);
}

function onIdle(exitCode: number): void {
  for (const session of senders.keys()) {
    session.end({ exitCode });
    if (session.stats().waiting > 0) void session.flush(END_WAIT_MS); // never rejects
    senders.delete(session);
  }
}

/** Other listeners may set the exit code, as Jest's does, so this one is called after them. */
function listenLast(): void {
  process.removeListener("exit", onExit);
  process.on("exit", onExit);
}

/**
 * A listener that calls `process.exit` ends the process at once, before the listeners after it, as vitest 3 does when its channel to a worker
 * is closed. So this one is called first.
 */
function watchNestedExit(): void {
  const own = process as typeof process & { reallyExit?: (code?: number) => void }; // Node's and Bun's; no public API
  const { reallyExit } = own;
  if (typeof reallyExit !== "function") return;
  own.reallyExit = (code = 0) => {
    onExit(code);
    reallyExit.call(process, code);
  };
}

function onExit(code: number): void {
  const exitCode = Number(process.exitCode ?? code);
  if (isEndingLater)
    for (const session of capturing) session["finish"](crashOp("uncaught_exception", 1)); // as `crash` does after the exception
  for (const session of sessions) session.end({ exitCode });
  sendAllRests();
}

function sendAllRests(): void {
  for (const sendRest of senders.values()) sendRest();
  senders.clear();
}

/** A listener keeps a rejection from ending the program. So this one removes itself, and rejects again. */
function onRejected(thrown: unknown): void {
  // The program has its own listener, so it continues.
  if (process.listenerCount("unhandledRejection") > 1) return;
  for (const session of capturing) session.crash(thrown, 1);
  sendAllRests();
  process.removeListener("unhandledRejection", onRejected);
  void Promise.reject(thrown); // unhandled on purpose: it ends the program
}

/**
 * With a listener of the program, rejections do not reach the monitor, and do not end the program. A listener of this client alone would
 * keep them from ending it, so there is one exactly while the program has one.
 */
function watchRejections(): void {
  const isProgramsOwn = (event: string | symbol, listener: unknown) =>
    event === "unhandledRejection" && listener !== onObserved;
  const observe = () => {
    if (!process.listeners("unhandledRejection").includes(onObserved))
      process.prependListener("unhandledRejection", onObserved);
  };
  process.on("newListener", (event: string | symbol, listener: unknown) => {
    if (isProgramsOwn(event, listener)) observe();
  });
  process.on("removeListener", (event: string | symbol, listener: unknown) => {
    if (isProgramsOwn(event, listener) && process.listenerCount("unhandledRejection") === 1)
      process.removeListener("unhandledRejection", onObserved);
  });
  if (process.listenerCount("unhandledRejection") > 0) observe();
}

function onObserved(thrown: unknown): void {
  // With --unhandled-rejections=strict the monitor was called for it already.
  if (thrown === lastUncaught) return;
  for (const session of capturing) session.logException(thrown, { handled: false });
}

/** The last reason of a rejection in Deno. */
let rejected: { reason: unknown } | undefined;

function noteReason(event: Event): void {
  rejected = { reason: (event as Event & { reason: unknown }).reason }; // of a PromiseRejectionEvent
}

/** The reason that Deno describes as an error, and what was thrown otherwise. */
function reasonOf(thrown: unknown, origin: string): unknown {
  if (origin !== "unhandledRejection" || !rejected || rejected.reason instanceof Error)
    return thrown;
  return rejected.reason;
}

let lastUncaught: unknown;

/** Node calls this before it handles an uncaught exception. A program with its own handler continues. */
function onUncaught(thrown: unknown, origin: string): void {
  lastUncaught = thrown;
  const isFatal =
    process.listenerCount("uncaughtException") === 0 &&
    !process.hasUncaughtExceptionCaptureCallback() &&
    // Deno calls its own `error` listeners later, and they may prevent the end. The daemon detects whether the process exited.
    !(Deno && origin === "uncaughtException");
  const reason = reasonOf(thrown, origin);
  // The program's own listener that Node calls next may attach a screenshot or a log, so the sessions end at the exit.
  isEndingLater = isFatal && isNode && process.listeners(MONITOR).at(-1) !== onUncaught;
  for (const session of capturing) {
    if (isFatal && !isEndingLater) session.crash(reason, 1);
    else session.logException(reason, { handled: false });
  }
  if (isFatal && !isEndingLater) sendAllRests(); // Deno calls no further listener
}

/** An exception that was not caught is recorded, and its crash is not. */
let isEndingLater = false;
