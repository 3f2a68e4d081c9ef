/**
 * The program's end, watched without changing it: whoever is open when it comes gets its `end`, or its `crash` after an
 * exception that nobody caught. One listener for all sessions, however many there are.
 */
import { FAREWELL_MS } from "./limits.ts";
import type { Session } from "./session.ts";

const sessions = new Set<Session>();
const capturing = new Set<Session>();
let isWatching = false;

export function watchExit(session: Session, captureExceptions: boolean): void {
  if (!isWatching) {
    isWatching = true;
    process.on("exit", onExit);
    process.on("uncaughtExceptionMonitor", onUncaught);
  }
  sessions.add(session);
  if (captureExceptions) capturing.add(session);
  session.onEnd(() => {
    sessions.delete(session);
    capturing.delete(session);
  });
}

const senders = new Set<Session>();
let isSending = false;

/** In direct mode the tail is in memory: when the program has nothing left to do, it gets a moment to arrive. */
export function watchSending(session: Session): void {
  if (!isSending) {
    isSending = true;
    process.on("beforeExit", onIdle);
  }
  senders.add(session);
}

function onIdle(exitCode: number): void {
  for (const session of senders) {
    session.end({ exitCode });
    if (session.stats().waiting > 0) void session.flush(FAREWELL_MS); // never rejects
    senders.delete(session);
  }
}

function onExit(exitCode: number): void {
  for (const session of sessions) session.end({ exitCode });
}

/** Node tells here what it is about to do; a handler of the program's own means that it goes on. */
function onUncaught(thrown: unknown): void {
  const isFatal =
    process.listenerCount("uncaughtException") === 0 &&
    !process.hasUncaughtExceptionCaptureCallback();
  for (const session of capturing) {
    if (isFatal) session.crash(thrown, 1);
    else session.exception(thrown, { handled: false });
  }
}
