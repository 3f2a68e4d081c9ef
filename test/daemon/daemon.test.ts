import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newId } from "../../daemon/id.ts";
import { laneFile } from "../../daemon/lanes/lane-file.ts";
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

test.skipIf(process.platform === "win32")(
  "a folder, a pipe or a link with a lane's name does not keep the lanes from being sent",
  async () => {
    await using world = await World.make();
    const odd = () => join(world.home.lanes, laneFile(newId(Date.now()), 1));
    mkdirSync(odd());
    spawnSync("mkfifo", [odd(), join(world.home.rejected, "pipe")]);
    symlinkSync("/dev/zero", odd());
    symlinkSync("/nowhere", odd());
    mkdirSync(join(world.home.rejected, "folder"));
    symlinkSync("/nowhere", join(world.home.rejected, "link"));
    mkdirSync(join(world.home.folder, "private"));
    writeFileSync(join(world.home.folder, "private", "8100"), "");
    const lane = world.lane("session-1");
    lane.append({ op: "start", at: 1, product: "game", version: "1" }, { op: "end", at: 2 });
    await world.daemon();
    await until(() => world.server.ops("session-1", "end")).toHaveLength(1);
    await until(() => readdirSync(world.home.lanes).length).toBe(4);
  },
);

test.skipIf(process.platform === "win32")(
  "a lane that can't be read any more is reported, and the others are sent",
  async () => {
    await using world = await World.make();
    const lost = world.lane("lost");
    lost.append({ op: "start", at: 1, product: "game", version: "1" });
    await world.daemon();
    await until(() => world.server.ops("lost", "start")).toHaveLength(1);
    // A pipe in the file's place: opening it would wait for ever, and it reports the size of nothing.
    const path = lost.path;
    rmSync(path);
    spawnSync("mkfifo", [path]);
    const other = world.lane("other");
    other.append({ op: "start", at: 1, product: "game", version: "1" }, { op: "end", at: 2 });
    await until(() => world.server.ops("other", "end")).toHaveLength(1);
    expect(readFileSync(world.home.log, "utf8")).not.toContain("reading the lanes failed");
  },
);
