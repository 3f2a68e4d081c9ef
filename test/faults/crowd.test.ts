/** Promise 25 of README.md: a thousand sessions at once, and one that records ten thousand ops a second. A real daemon process; the server is faked. */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { World } from "../daemon/world.ts";
import { residentBytes, startDaemon } from "./daemons.ts";

const SESSIONS = 1_000;
const ROUNDS = 20; // of one op each: two seconds at ten a second
const BUSY_OPS = 20_000; // ten thousand a second beside them

test("a thousand sessions and a busy one: all arrive once, none waits for the busy one, memory is bounded", async () => {
  await using world = await World.make();
  const busy = world.lane("busy", { writer: {} });
  const quiet = Array.from({ length: SESSIONS }, (_, index) =>
    world.lane(`quiet-${index}`, { writer: {} }),
  );
  // What it recorded before the daemon started is far more than one request takes.
  busy.append({ op: "start", at: 0 });
  record(busy, 1, BUSY_OPS - 1);
  for (const lane of quiet) lane.append({ op: "start", at: 1 });

  const daemon = startDaemon(world);
  let most = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const lane of quiet) lane.append({ op: "event", at: 2 + round, name: `event ${round}` });
    record(busy, BUSY_OPS + (round * BUSY_OPS) / ROUNDS, BUSY_OPS / ROUNDS);
    await sleep(100);
    most = Math.max(most, residentBytes(daemon.pid));
  }
  for (const lane of quiet) lane.append({ op: "end", at: 2 + ROUNDS });
  busy.append({ op: "end", at: 2 * BUSY_OPS });
  await expect
    .poll(
      () => {
        most = Math.max(most, residentBytes(daemon.pid));
        return readdirSync(world.home.lanes).length;
      },
      { timeout: 120_000 },
    )
    .toBe(0);
  daemon.kill("SIGTERM");
  await once(daemon, "exit");

  const expected = ["start", ...Array.from({ length: ROUNDS }, (_, n) => `event ${n}`), "end"];
  for (let index = 0; index < SESSIONS; index++) {
    const { ops } = world.server.session(`quiet-${index}`);
    expect(ops.map((op) => (op.op === "event" ? op.name : op.op))).toEqual(expected);
  }
  const { ops } = world.server.session("busy");
  expect(ops).toHaveLength(2 * BUSY_OPS + 1);
  expect(ops.every((op, index) => op.at === Math.min(index, 2 * BUSY_OPS))).toBe(true);
  // In turns: every session is sent once before any is sent again.
  const turns = [...world.server.sessions.values()].map(({ requests }) => requests);
  const first = Math.max(...turns.map(([request = Infinity]) => request));
  const second = Math.min(...turns.map(([, request = Infinity]) => request));
  expect(first).toBeLessThanOrEqual(second);
  // It takes 154 MiB alone on a machine, of sources that are compiled as they run.
  expect(most).toBeLessThan(180 * 2 ** 20);
});

function record(lane: LaneWriter, from: number, count: number): void {
  for (let at = from; at < from + count; at++)
    lane.append({ op: "event", at, name: "busy", message: "x".repeat(100) });
}
