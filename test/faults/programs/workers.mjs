/** A program whose worker thread ends in one way, which the second argument names. The first one names whose session it records into. */
import { once } from "node:events";
import { isMainThread, Worker } from "node:worker_threads";
import { open } from "../../../clients/typescript/node.ts";

const [, file, whose, end] = process.argv;

const ENDS = {
  returns: () => {},
  exits: () => process.exit(3),
  "is terminated": () => setInterval(() => {}, 1_000),
  throws: () => {
    throw new RangeError("no such level");
  },
};

async function main() {
  const session = whose === "joined" ? open() : undefined;
  const worker = new Worker(file, {
    argv: [whose, end],
    env: { ...process.env, ...session?.environment },
  });
  worker.on("error", () => {}); // the program continues
  const ended = new Promise((resolve) => worker.once("exit", resolve)); // events.once would reject with the error
  await once(worker, "online");
  worker.on("message", () => worker.terminate());
  await ended;
  // So that the daemon finds the process without the thread.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  session?.end();
}

async function work() {
  const { parentPort } = await import("node:worker_threads");
  open().logEvent("working");
  if (end === "is terminated") parentPort.postMessage("recorded");
  ENDS[end]();
}

if (isMainThread) await main();
else await work();
