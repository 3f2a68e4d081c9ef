import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { until, World } from "./world.ts";

test("what a program wrote reaches the server in order, once, and its lane goes away", async () => {
  await using world = await World.make();
  const lane = world.lane("session-1");
  lane.append({ op: "start", at: 1, product: "game", version: "1" });
  await world.daemon();
  await until(() => world.server.ops("session-1", "start")).toHaveLength(1);
  for (let at = 2; at <= 10; at++) lane.append({ op: "event", at, name: `event ${at}` });
  lane.append({ op: "end", at: 11, exit_code: 0 });
  await until(() => world.server.ops("session-1", "end")).toHaveLength(1);
  expect(world.server.session("session-1").ops.map((op) => op.at)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ]);
  expect(world.server.session("session-1").lanes.get(lane.header.lane)?.writer?.pid).toBe(
    process.pid,
  );
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
});
