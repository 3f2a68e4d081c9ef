/** A program that stops answering for a while: hung, then recovered, with the time it took. */
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@datacat/client";

const HANG_MS = Number(process.argv[2] ?? 6_000);

const session = open({ product: "heartbeat-example", version: "1.0.0" });
console.log(session.id);

// Heartbeats come from the event loop: when that is blocked, so are they.
session.startHeartbeatMonitor(1_000);
await sleep(500);

session.updateState({ doing: "a computation that forgot to yield" });
const until = Date.now() + HANG_MS;
while (Date.now() < until);

session.updateState({ doing: "nothing" });
await sleep(1_000);
session.end();
