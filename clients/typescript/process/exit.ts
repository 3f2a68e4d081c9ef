/**
 * The program's end, watched without changing it: whoever is open when it comes gets its `end`, or its `crash` after an
 * exception that nobody caught. One listener for all sessions, however many there are.
 */
import { END_WAIT_MS } from "../direct/limits.ts";
import { isGranted } from "./permission.ts";
import type { Session } from "../session/session.ts";
import type { OpenOptions } from "../settings.ts";

/** Those that ask a program to end. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

const sessions = new Set<Session>();
const capturing = new Set<Session>();
let isWatching = false;
const { Deno } = globalThis as { Deno?: { exitCode: number } }; // elsewhere there is none

export function watchExit(session: Session, settings: OpenOptions): void {
  if (!isWatching) {
    isWatching = true;
    process.on("exit", onExit);
    process.on("uncaughtExceptionMonitor", onUncaught);
    // Deno.exit() tells no listener of Node's, and Deno.exitCode is not theirs.
    if (Deno) addEventListener("unload", () => onExit(Deno.exitCode));
    // Bun tells the monitor of rejections only while a module is loading. Told not to die of them, it is left alone.
    const isLenient = process.execArgv.some((word) => word.startsWith("--unhandled-rejections"));
    if (process.versions.bun && !isLenient) process.on("unhandledRejection", onRejected);
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

/** A listener takes away what a signal does by itself; so it is taken away again, and the signal sent once more. */
function onSignal(signal: NodeJS.Signals): void {
  // The program has a listener of its own, so what the signal means is up to it.
  if (process.listenerCount(signal) > 1) return;
  for (const session of sessions) session.end({ signal });
  sayFarewells();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
}

/** By session, how it says what it could not send. */
const senders = new Map<Session, () => void>();
let isSending = false;

/**
 * In direct mode the tail is in memory: when the program has nothing left to do, it gets a moment to arrive; when it goes down,
 * `sayFarewell` is called.
 */
export function watchSending(session: Session, sayFarewell: () => void): void {
  if (!isSending) {
    isSending = true;
    process.on("beforeExit", onIdle);
  }
  senders.set(session, sayFarewell);
}

function onIdle(exitCode: number): void {
  for (const session of senders.keys()) {
    session.end({ exitCode });
    if (session.stats().waiting > 0) void session.flush(END_WAIT_MS); // never rejects
    senders.delete(session);
  }
}

function onExit(exitCode: number): void {
  for (const session of sessions) session.end({ exitCode });
  sayFarewells();
}

function sayFarewells(): void {
  for (const sayFarewell of senders.values()) sayFarewell();
  senders.clear();
}

/** Being listened to keeps a rejection from ending the program; so once it is recorded the listener goes, and it is rejected once more. */
function onRejected(thrown: unknown): void {
  // The program has a handler of its own, and goes on.
  if (process.listenerCount("unhandledRejection") > 1) return;
  for (const session of capturing) session.crash(thrown, 1);
  sayFarewells();
  process.removeListener("unhandledRejection", onRejected);
  void Promise.reject(thrown); // nobody is to catch it
}

/** Node tells here what it is about to do; a handler of the program's own means that it goes on. */
function onUncaught(thrown: unknown, origin: string): void {
  const isFatal =
    process.listenerCount("uncaughtException") === 0 &&
    !process.hasUncaughtExceptionCaptureCallback() &&
    // Deno asks its own `error` listeners later, and they may stop it: so it is left to the daemon to see whether the program died.
    !(Deno && origin === "uncaughtException");
  for (const session of capturing) {
    if (isFatal) session.crash(thrown, 1);
    else session.logException(thrown, { handled: false });
  }
  if (isFatal) sayFarewells(); // Deno says no more after this
}
