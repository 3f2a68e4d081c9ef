/** Node programs that end or hang in one way each, which the argument names. */
import { execSync, fork } from "node:child_process";
import { once } from "node:events";
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

/** Processes that join the session: two end by themselves, one is killed. */
async function forkChildren() {
  for (const way of ["child-returns", "child-exits", "child-killed"]) {
    const child = fork(process.argv[1], [way], {
      env: { ...process.env, ...session.environment },
    });
    await once(child, "exit");
    if (way === "child-killed") session.logEvent("killed", { data: { pids: [child.pid] } });
  }
}

function child(end) {
  session.logEvent("child", { data: { pid: process.pid } });
  end();
}

const hang = (block, ...args) => {
  const monitor = session.startHeartbeatMonitor(900);
  setTimeout(() => {
    block(...args);
    session.heartbeat();
    monitor.stop();
  }, 2_000); // the thread that takes stacks has started by then, also on a busy machine
};

const WAYS = {
  spin: () => hang(spin),
  wait: () => hang(wait),
  recover: () => hang(execute, 6),
  heap: fill,
  children: forkChildren,
  "child-returns": () => child(() => {}),
  "child-exits": () => child(() => process.exit(3)),
  "child-killed": () => child(() => process.kill(process.pid, "SIGKILL")),
};

WAYS[process.argv[2]]();
