/** RELIABILITY.md row 25: a thousand sessions at once, and one that never stops talking. A real daemon process; the server is faked. */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { World } from "../daemon/world.ts";
import { residentBytes, startDaemon } from "./daemons.ts";

const SESSIONS = 1_000;
const ROUNDS = 20; // of one op each: two seconds at ten a second
const LOUD_OPS = 20_000; // ten thousand a second beside them

test("a thousand sessions and a loud one: all arrive once, nobody waits for the loud one, memory is bounded", async () => {
  await using world = await World.make();
  const loud = world.lane("loud", { writer: {} });
  const quiet = Array.from({ length: SESSIONS }, (_, index) =>
    world.lane(`quiet-${index}`, { writer: {} }),
  );
  // What it said before anybody listened is far more than one request takes.
  loud.append({ op: "start", at: 0 });
  say(loud, 1, LOUD_OPS - 1);
  for (const lane of quiet) lane.append({ op: "start", at: 1 });

  const daemon = startDaemon(world);
  let most = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const lane of quiet) lane.append({ op: "event", at: 2 + round, name: `event ${round}` });
    say(loud, LOUD_OPS + (round * LOUD_OPS) / ROUNDS, LOUD_OPS / ROUNDS);
    await sleep(100);
    most = Math.max(most, residentBytes(daemon.pid));
  }
  for (const lane of quiet) lane.append({ op: "end", at: 2 + ROUNDS });
  loud.append({ op: "end", at: 2 * LOUD_OPS });
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
    const { ops } = world.far.session(`quiet-${index}`);
    expect(ops.map((op) => (op.op === "event" ? op.name : op.op))).toEqual(expected);
  }
  const { ops } = world.far.session("loud");
  expect(ops).toHaveLength(2 * LOUD_OPS + 1);
  expect(ops.every((op, index) => op.at === Math.min(index, 2 * LOUD_OPS))).toBe(true);
  // In turns: everybody is heard once before anybody is heard again.
  const turns = [...world.far.sessions.values()].map(({ requests }) => requests);
  const first = Math.max(...turns.map(([request = Infinity]) => request));
  const second = Math.min(...turns.map(([, request = Infinity]) => request));
  expect(first).toBeLessThanOrEqual(second);
  expect(most).toBeLessThan(150 * 2 ** 20);
});

function say(lane: LaneWriter, from: number, count: number): void {
  for (let at = from; at < from + count; at++)
    lane.append({ op: "event", at, name: "loud", message: "x".repeat(100) });
}
