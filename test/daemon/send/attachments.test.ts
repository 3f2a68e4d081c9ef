import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LaneWriter } from "../../../daemon/lanes/lane-file.ts";
import { ManualClock, until, World } from "../world.ts";

const MIB = 1024 * 1024;

test("the content follows its op in chunks, and its file is removed with the lane", async () => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const content = bytes(2 * MIB + 5);
  const id = attach(world, lane, 1, "screenshot.png", content);
  const empty = attach(world, lane, 2, "empty", Buffer.alloc(0));
  lane.append({ op: "end", at: 3 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.content("s", id).equals(content)).toBe(true);
  expect(world.server.attachments.has(`s ${empty}`)).toBe(true);
  expect(world.server.uploads).toEqual(["GET", "PUT 0", "PUT 1", "PUT 2", "GET"]);
});

test("ops go first: no chunk is sent before the batches that are due", async () => {
  await using world = await World.make();
  world.server.next = [{ status: 503 }];
  const clock = new ManualClock();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  attach(world, lane, 1, "a", bytes(10));
  await world.daemon({ clock });
  await until(() => world.server.authorization.length).toBe(1);
  expect(world.server.uploads).toEqual([]);
  clock.advance(1_000);
  await until(() => world.server.uploads).toEqual(["GET", "PUT 0"]);
  expect(world.server.ops("s", "attachment")).toHaveLength(1);
});

test("after a restart only what the server lacks is sent, even if the part with the op is gone", async () => {
  await using world = await World.make();
  const lane = world.lane("s", {}, 2_000);
  lane.append({ op: "start", at: 1 });
  const content = bytes(3 * MIB);
  const id = attach(world, lane, 1, "save.dat", content);
  for (let at = 2; at < 60; at++) lane.append({ op: "event", at, name: "e".repeat(200) });
  const hang = { status: 503, headers: { "retry-after": "900" } };
  world.server.nextUpload = ["work", "work", "work", hang];
  const first = await world.daemon();
  await until(() => world.server.uploads).toHaveLength(4);
  await until(() => existsSync(join(world.home.lanes, `${lane.header.lane}.000001.lane`))).toBe(
    false,
  );
  await first.stop();

  world.server.uploads.length = 0;
  const second = await world.daemon();
  // The file is older than the time in which its op would follow.
  const old = new Date(Date.now() - 60_000);
  utimesSync(fileOf(world, id), old, old);
  await until(() => world.server.uploads).toEqual(["GET", "PUT 2"]);
  await until(() => existsSync(fileOf(world, id))).toBe(false);
  expect(world.server.content("s", id).equals(content)).toBe(true);
  await second.stop();
});

test.each([
  ["a lost answer", "lose reply"],
  ["a connection that is closed", "hang up"],
  ["503", { status: 503 }],
  ["a proxy's 404", { status: 404, body: "<html>" }],
  ["401", { status: 401, body: '{"error":{"code":"unauthorized","message":"no key"}}' }],
  [
    "a wrong checksum",
    { status: 409, body: '{"error":{"code":"checksum_mismatch","message":"!"}}' },
  ],
] as const)("%s is followed by another try", async (_what, behaviour) => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const content = bytes(MIB + 1);
  const id = attach(world, lane, 1, "a", content);
  lane.append({ op: "end", at: 3 });
  world.server.nextUpload = ["work", behaviour];
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.content("s", id).equals(content)).toBe(true);
  // A connection that was kept open is tried again without a failure.
  const hasFailed = typeof behaviour === "object";
  const worksAgain = /sending attachments to .* works again/;
  expect(worksAgain.test(readFileSync(world.home.log, "utf8"))).toBe(hasFailed);
});

test("Retry-After is followed", async () => {
  await using world = await World.make();
  const clock = new ManualClock();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  attach(world, lane, 1, "a", bytes(5));
  world.server.nextUpload = [{ status: 429, headers: { "retry-after": "600" } }];
  await world.daemon({ clock });
  await until(() => world.server.uploads).toEqual(["GET"]);
  clock.advance(599_000);
  await until(() => world.server.requests.length).toBeGreaterThan(1); // the lease was renewed
  expect(world.server.uploads).toEqual(["GET"]);
  clock.advance(1_000);
  await until(() => world.server.uploads).toEqual(["GET", "GET", "PUT 0"]);
});

test.each([
  [413, "too_large"],
  [422, "attachment_refused"],
  [400, "bad_chunk"],
  [410, "gone"],
])("after %d the content is not sent again, and the rest is sent", async (status, code) => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  attach(world, lane, 1, "refused.bin", bytes(5));
  const id = attach(world, lane, 2, "taken.bin", bytes(6));
  lane.append({ op: "end", at: 3 });
  const body = JSON.stringify({ error: { code, message: `${code}!` } });
  world.server.nextUpload = Array.from({ length: code === "bad_chunk" ? 3 : 1 }, () => ({
    status,
    body,
  }));
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.content("s", id).equals(bytes(6))).toBe(true);
  expect(readFileSync(world.home.log, "utf8")).toContain(
    `refused.bin of session s was refused: ${code}!`,
  );
});

test("a file without its op is removed with the lane: the program was killed between both", async () => {
  await using world = await World.make();
  const lane = world.lane("s", { writer: { pid: 2 ** 22 + 1 } });
  lane.append({ op: "start", at: 1 });
  writeFileSync(fileOf(world, `${lane.header.lane}.1`), "half");
  writeFileSync(join(world.home.lanes, "0198f3c2-0000-7000-8000-000000000009.1.attachment"), "x");
  lane.append({ op: "end", at: 2 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([
    "0198f3c2-0000-7000-8000-000000000009.1.attachment", // its lane may be made yet
  ]);
  expect(world.server.session("s").ops.map(({ op }) => op)).toEqual(["start", "end"]);
});

test("what is no regular file of this user, or another than was announced, stops nothing", async () => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const announced = (number: number, name: string) => {
    append(lane, number, name, bytes(5));
    return fileOf(world, `${lane.header.lane}.${number}`);
  };
  const secret = join(world.home.folder, "secret");
  writeFileSync(secret, "12345");
  symlinkSync(secret, announced(1, "link"));
  execFileSync("mkfifo", [announced(2, "pipe")]);
  mkdirSync(announced(3, "folder"));
  writeFileSync(announced(4, "huge"), "");
  truncateSync(fileOf(world, `${lane.header.lane}.4`), 10 * 1024 * MIB);
  writeFileSync(announced(5, "short"), "1");
  announced(6, "missing");
  const id = attach(world, lane, 7, "good", bytes(9));
  lane.append({ op: "end", at: 3 });
  await world.daemon();
  await until(() => world.server.content("s", id).length).toBe(9);
  await until(() => readdirSync(world.home.lanes).length).toBeLessThanOrEqual(1); // the folder
  expect(readFileSync(secret, "utf8")).toBe("12345");
  const lost = world.server.ops("s", "event").map(({ message }) => message?.split(" ")[0]);
  expect(new Set(lost)).toEqual(new Set(["huge", "link", "pipe", "short"]));
  expect(lost.length).toBe(4);
});

test("over the disk budget the oldest attachments go first, each named by an event", async () => {
  await using world = await World.make();
  await world.server.down();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const ids = [1, 2, 3].map((number) =>
    attach(world, lane, number, `${number}.log`, bytes(40_000)),
  );
  ids.forEach((id, index) => utimesSync(fileOf(world, id), 1_000 + index, 1_000 + index));
  await world.daemon({ env: { ...world.env, DATACAT_MAX_DISK: "100000" } });
  await until(() =>
    readdirSync(world.home.lanes).filter((name) => name.endsWith(".attachment")),
  ).toEqual([`${ids[1]}.attachment`, `${ids[2]}.attachment`]);
  await world.server.up();
  lane.append({ op: "end", at: 3 });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.ops("s", "event")).toMatchObject([
    {
      name: "attachment_lost",
      category: "warning",
      data: { attachment: "1.log", cause: "disk_budget" },
    },
  ]);
  expect(world.server.content("s", ids[2] ?? "").length).toBe(40_000);
});

/** The same bytes each time: a pattern that differs between chunks. */
function bytes(length: number): Buffer {
  const content = Buffer.alloc(length, 7);
  for (let at = 0; at + 4 <= length; at += 4_096) content.writeUInt32LE(at, at);
  return content;
}

function fileOf(world: World, id: string): string {
  return join(world.home.lanes, `${id}.attachment`);
}

/** As clients do: the content first, then the op. */
function attach(world: World, lane: LaneWriter, number: number, name: string, content: Buffer) {
  const id = `${lane.header.lane}.${number}`;
  writeFileSync(fileOf(world, id), content, { mode: 0o600 });
  append(lane, number, name, content);
  return id;
}

function append(lane: LaneWriter, number: number, name: string, content: Buffer): boolean {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const id = `${lane.header.lane}.${number}`;
  return lane.append({ op: "attachment", at: 2, id, name, size: content.length, sha256 });
}
