/**
 * The script of the thread that samples the main thread's stack while heartbeats are missing (clients/README.md, "Samples"). It is a text,
 * because a file of its own would be lost in bundles. It receives the numbers of limits.ts, and a message for each session to watch.
 *
 * It pauses the main thread with the inspector, and disconnects at once: a process with a connected session does not exit. In native code
 * the pause takes effect when that returns, which shows what was called.
 */
export const STACK_WORKER = `"use strict";
const { parentPort, workerData } = require("node:worker_threads");
const { openSync, writeSync, ftruncateSync, closeSync, constants } = require("node:fs");
const { fileURLToPath } = require("node:url");
const inspector = require("node:inspector");
const { samples, intervalMs, repeatMs, lateMs, nativeMs, idleMs, maxFrames, maxLine } = workerData;
const MS = 1000000n;
const IDLE = "idle, waiting for events";

// Each has the file's path, times = [when the next heartbeat is due or 0, the timeout] in nanoseconds, and what was done about them.
const watches = new Map();
let timer, wakeAt = 0n;

parentPort.on("message", ({ id, path, times }) => {
  if (times) watches.set(id, { path, times: new BigInt64Array(times), due: -1n, taken: 0, nextAt: 0n, interval: 0n });
  else watches.delete(id);
  wakeAt = process.hrtime.bigint();
  check();
});

function check() {
  const now = process.hrtime.bigint();
  // The process was stopped or the machine slept: the next heartbeat gets its time again.
  const isLate = now - wakeAt > BigInt(lateMs) * MS;
  const hung = [];
  let next;
  for (const watch of watches.values()) {
    const due = Atomics.load(watch.times, 0);
    const timeout = Atomics.load(watch.times, 1);
    if (due !== watch.due) Object.assign(watch, { due, taken: 0, nextAt: due });
    if (due === 0n || isLate) watch.nextAt = now + timeout;
    else if (pausing === "soon") watch.nextAt = now + BigInt(idleMs) * MS;
    else if (now >= watch.nextAt) {
      hung.push({ watch, due });
      const third = timeout / BigInt(samples);
      const interval = BigInt(intervalMs) * MS;
      watch.taken++;
      watch.interval = watch.taken >= samples ? BigInt(repeatMs) * MS : third < interval ? third : interval;
      watch.nextAt = now + watch.interval;
    }
    if (next === undefined || watch.nextAt < next) next = watch.nextAt;
  }
  if (hung.length > 0) sample(hung);
  clearTimeout(timer);
  if (next === undefined) return;
  wakeAt = next;
  timer = setTimeout(check, Math.min(Number((next - now) / MS) + 1, 2147483647));
}

// A pause that was requested and has not taken effect: soon, or when native code returns.
let pausing;

function sample(hung) {
  if (pausing) return write(hung, "in native code", []);
  pausing = "soon";
  const session = new inspector.Session();
  const urls = new Map();
  let wait = setTimeout(() => {
    pausing = "later";
    write(hung, "in native code", []);
  }, nativeMs);
  const finish = (state, frames) => {
    clearTimeout(wait);
    session.disconnect();
    pausing = undefined;
    write(hung, state, frames);
  };
  try {
    session.connectToMainThread();
  } catch {
    clearTimeout(wait);
    watches.clear(); // not permitted
    return;
  }
  session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
  session.on("Debugger.paused", ({ params }) => {
    const frames = params.callFrames.slice(0, maxFrames).map((frame) => frameText(frame, urls));
    // An idle event loop pauses in Node's own code when it continues.
    if (params.callFrames.every(({ location, url }) => (url || urls.get(location.scriptId) || "").startsWith("node:")))
      return finish(IDLE, []);
    finish(pausing === "later" ? "returned from native code" : undefined, frames);
  });
  session.post("Debugger.enable");
  session.post("Debugger.pause", () => {
    clearTimeout(wait);
    // Without a script that runs, the pause would take effect at some later time.
    wait = setTimeout(() => finish(IDLE, []), idleMs);
  });
}

function frameText({ functionName, location, url }, urls) {
  let file = url || urls.get(location.scriptId) || "<anonymous>";
  try {
    if (file.startsWith("file:")) file = fileURLToPath(file);
  } catch {}
  const place = file + ":" + (location.lineNumber + 1) + ":" + ((location.columnNumber || 0) + 1);
  return ("at " + (functionName ? functionName + " (" + place + ")" : place)).slice(0, maxLine);
}

function write(hung, state, frames) {
  const line = JSON.stringify({ at: Date.now(), threads: [{ name: "main", state, frames }] }) + "\\n";
  for (const { watch, due } of hung) {
    const { path, taken, times, interval } = watch;
    if (Atomics.load(times, 0) !== due) continue; // heartbeats have continued
    watch.nextAt = process.hrtime.bigint() + interval; // the pause may have taken longer than that
    let file;
    try {
      // The file is not made here: the daemon may have removed it with its lane.
      file = openSync(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW || 0));
      if (taken === 1) ftruncateSync(file, 0);
      writeSync(file, line);
    } catch {
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
}
`;
