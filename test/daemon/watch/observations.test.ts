/** Where observations are written when the home can't be. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../daemon/clock.ts";
import { Lane } from "../../../daemon/lanes/lane.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Log } from "../../../daemon/log.ts";
import { thisMachine } from "../../../daemon/watch/machine.ts";
import { Observations } from "../../../daemon/watch/observations.ts";
import { World } from "../world.ts";

test("a crash is recorded beside a lane of the last resort if the home can't be written", async () => {
  await using world = await World.make();
  const { home } = world;
  const spare = join(home.folder, "spare");
  mkdirSync(spare);
  const lanes = new Lanes(home, new Log(home.log), new Map());
  const observations = new Observations({
    folder: join(home.folder, "missing"),
    lanes,
    clock: systemClock,
    machine: thisMachine(),
  });
  const { header } = world.lane("s");
  observations.record(new Lane(spare, [1], header), { op: "crash", at: 1, reason: "process_died" });
  observations.closeAll();
  expect(readdirSync(spare)).toHaveLength(1);
});
