import { statSync, writeFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  Budget,
  excessBytes,
  type Part,
  reductions,
  STAGES,
} from "../../../daemon/lanes/budget.ts";
import { readLane } from "../../../daemon/lanes/lane-file.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Log } from "../../../daemon/log.ts";
import type { Op } from "../../../src/core/wire.ts";
import { World } from "../world.ts";

const discard = () => {};

test("within the budget nothing is freed; above it, down to nine tenths", () => {
  expect(excessBytes([{ bytes: 600 }, { bytes: 400 }], 1_000)).toBe(0);
  expect(excessBytes([{ bytes: 600 }, { bytes: 401 }], 1_000)).toBe(101);
  expect(excessBytes([], 0)).toBe(0);
});

test("metrics go first, then events and heartbeats, then state and exceptions; starts, ends and crashes stay", () => {
  const stageOf = (op: Op) => STAGES.findIndex((isRemoved) => isRemoved(op));
  expect(stageOf({ op: "metric", at: 1, type: "gauge", name: "m", value: 1 })).toBe(0);
  expect(stageOf({ op: "event", at: 1, name: "e" })).toBe(1);
  expect(stageOf({ op: "heartbeat", at: 1 })).toBe(1);
  expect(stageOf({ op: "state", at: 1, patch: {} })).toBe(2);
  expect(stageOf({ op: "event", at: 1, name: "e", exception_type: "Error" })).toBe(2);
  expect(stageOf({ op: "start", at: 1 })).toBe(-1);
  expect(stageOf({ op: "end", at: 1 })).toBe(-1);
  expect(stageOf({ op: "crash", at: 1 })).toBe(-1);
  expect(stageOf({ op: "dropped", at: 1, cause: "disk_full", count: 1 })).toBe(-1);
});

test("every closed part loses its metrics before any loses its events; open parts lose nothing", () => {
  const part = (name: string, stages = 0, isOpen = false): Part & { name: string } => ({
    name,
    bytes: 1,
    isOpen,
    stages,
  });
  const parts = [part("a"), part("b", 1), part("open", 0, true), part("done", 3)];
  expect(reductions(parts).map(({ part: { name }, stage }) => `${name}${stage}`)).toEqual([
    "a0",
    "a1",
    "b1",
    "a2",
    "b2",
  ]);
});

test("a reduced part keeps its header, its sequences and what is not removed", async () => {
  await using world = await World.make();
  const writer = world.lane("session", {}, 4_000);
  writer.append({ op: "start", at: 1 });
  for (let at = 2; at < 200; at++) {
    writer.append({ op: "metric", at, type: "gauge", name: "fps", value: at });
  }
  const log = new Log(world.home.log);
  const lanes = new Lanes(world.home, log, new Map());
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  const sizes = () => lane.parts.map((part) => statSync(lane.path(part)).size);
  const before = sizes();
  expect(before.length).toBeGreaterThan(2);
  const { rejected } = world.home;

  new Budget({ lanes, rejected, maxBytes: 1_000_000, log, discard }).keep();
  expect(sizes()).toEqual(before);

  new Budget({ lanes, rejected, maxBytes: 5_000, log, discard }).keep();
  const after = sizes();
  expect(after.at(-1)).toBe(before.at(-1)); // the program appends to it
  expect(after[0]).toBeLessThan(1_000);
  expect(lane.reduced.has(1)).toBe(true);
  const records: string[] = [];
  for await (const entry of readLane(lane.path(1))) {
    if (entry.kind === "header") expect(entry.header).toMatchObject({ first: 1, reduced: true });
    else if (entry.kind === "record") records.push(`${entry.seq} ${entry.op.op}`);
  }
  expect(records).toEqual(["1 start"]);
});

test("rejected files are deleted above their share of the budget, oldest name first", async () => {
  await using world = await World.make();
  const { rejected } = world.home;
  for (const name of ["1.json", "2.json", "3.json"]) {
    writeFileSync(join(rejected, name), "x".repeat(100));
  }
  const log = new Log(world.home.log);
  const lanes = new Lanes(world.home, log, new Map());
  new Budget({ lanes, rejected, maxBytes: 6_000, log, discard }).keep();
  expect(readdirSync(rejected)).toHaveLength(3);
  new Budget({ lanes, rejected, maxBytes: 4_000, log, discard }).keep();
  expect(readdirSync(rejected)).toEqual(["2.json", "3.json"]);
});
