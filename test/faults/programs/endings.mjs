/** Node programs that end or hang in one way each, which the argument names. */
import { execSync } from "node:child_process";
import { open } from "../../../clients/typescript/node.ts";

const session = open({ fatalReports: true });

function spin() {
  for (;;);
}

function wait() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function execute(seconds) {
  execSync(`sleep ${seconds}`);
}

function fill() {
  for (const all = []; ;) all.push(Array.from({ length: 1_000 }, () => 1));
}

const hang = (block, ...args) => {
  const monitor = session.startHeartbeatMonitor(900);
  setTimeout(() => {
    block(...args);
    session.heartbeat();
    monitor.stop();
  }, 100);
};

const WAYS = {
  spin: () => hang(spin),
  wait: () => hang(wait),
  recover: () => hang(execute, 6),
  heap: fill,
};

WAYS[process.argv[2]]();
