import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { frame, isIntact, salvage } from "../../../daemon/lanes/frame.ts";
import { type Entry, LaneWriter, readHeader, readLane } from "../../../daemon/lanes/lane-file.ts";
import { listLanes } from "../../../daemon/lanes/listing.ts";

const header = { lane: "lane-1", session: "session-1", server: "", at: 1, writer: {} };

test("a lane holds what was appended, in the bytes that every client writes", async () => {
  const folder = temporary();
  const writer = LaneWriter.create(folder, header);
  writer.append({ op: "event", at: 5, name: 'a "quoted" \u0001 name\ud800' });
  const [first, second] = readFileSync(writer.path, "utf8").split("\n");
  expect(first).toMatch(/^[0-9a-f]{8} \{"lane":"lane-1","format":1,"part":1,"first":1,/);
  expect(second?.slice(9)).toBe(
    '{"seq":1,"at":5,"op":"event","name":"a \\"quoted\\" \\u0001 name\ufffd"}',
  );
});

test("a long lane goes on in parts, each with the sequence of its first record", async () => {
  const folder = temporary();
  const writer = LaneWriter.create(folder, header, { maxBytes: 300 });
  for (let at = 1; at <= 20; at++) writer.append({ op: "heartbeat", at });
  const parts = listLanes(folder).get("lane-1") ?? [];
  expect(parts.length).toBeGreaterThan(2);
  const seen: number[] = [];
  for (const part of parts) {
    const path = join(folder, `lane-1.${String(part).padStart(6, "0")}.lane`);
    expect(readHeader(path)?.first).toBe(seen.length + 1);
    for (const entry of await entries(path)) if (entry.kind === "record") seen.push(entry.seq);
  }
  expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test("a restarted writer goes on where it was, past a line cut off in the middle", async () => {
  const folder = temporary();
  const writer = LaneWriter.create(folder, header);
  writer.append({ op: "heartbeat", at: 1 });
  writer.close();
  appendFileSync(writer.path, '12345678 {"seq":2,"at"');
  const resumed = LaneWriter.resume(folder, "lane-1");
  resumed.append({ op: "heartbeat", at: 2 });
  expect((await entries(writer.path)).map((entry) => entry.kind)).toEqual([
    "header",
    "record",
    "damaged",
    "record",
  ]);
  expect(resumed.lastSeq).toBe(2);
});

test("a file that was removed with its folder is followed by the next part, which shows the hole", async () => {
  const folder = temporary();
  const writer = LaneWriter.create(folder, header);
  writer.append({ op: "heartbeat", at: 1_000 });
  rmSync(folder, { recursive: true });
  writer.append({ op: "heartbeat", at: 1_100 }); // within CHECK_FILE_MS
  expect(writer.append({ op: "heartbeat", at: 3_000 })).toBe(true);
  expect(listLanes(folder).get("lane-1")).toEqual([2]);
  expect(readHeader(writer.path)?.first).toBe(3);
});

test("one flipped bit costs at most the record it is in, wherever it is", async () => {
  const folder = temporary();
  const writer = LaneWriter.create(folder, header);
  for (let at = 1; at <= 3; at++) writer.append({ op: "event", at, name: `event ${at}` });
  const good = readFileSync(writer.path);
  const damaged = join(folder, "damaged.lane");
  for (let position = 0; position < good.length; position++) {
    const copy = Buffer.from(good);
    copy[position] = (copy[position] ?? 0) ^ (1 << (position % 8));
    writeFileSync(damaged, copy);
    const found = await entries(damaged);
    const records = found.filter((entry) => entry.kind === "record").length;
    expect(found[0]?.kind, `header with byte ${position} damaged`).toBe("header");
    expect(records, `records with byte ${position} damaged`).toBeGreaterThanOrEqual(2);
  }
});

test("a damaged line break does not cost the records on either side", () => {
  const lines = ["one", "two", "three"].map((name) => frame(`{"name":"${name}"}`));
  const merged = Buffer.concat(lines);
  merged[(lines[0]?.length ?? 0) - 1] = 0x2a;
  const line = merged.subarray(0, merged.length - 1);
  const end = (lines[0]?.length ?? 0) + (lines[1]?.length ?? 0) - 1;
  expect(isIntact(line, 0, end)).toBe(false);
  expect(salvage(line, 0, end)).toHaveLength(2);
});

function temporary(): string {
  return mkdtempSync(join(tmpdir(), "datacat-lane-"));
}

async function entries(path: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of readLane(path)) found.push(entry);
  return found;
}

test("a lane that can't be opened is opened by a later op, and begins with its start", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "datacat-lane-")), "later");
  const writer = LaneWriter.create(folder, {
    lane: "late",
    session: "s",
    server: "",
    at: 1,
    writer: {},
  });
  expect(writer.append({ op: "start", at: 1 })).toBe(false);
  expect(writer.append({ op: "event", at: 2, name: "lost" })).toBe(false);
  expect(writer.append({ op: "event", at: 5, name: "lost" })).toBe(false);
  mkdirSync(folder);
  expect(writer.append({ op: "event", at: 9, name: "kept" })).toBe(true);
  writer.close();
  const records = [];
  for await (const entry of readLane(writer.path)) if (entry.kind === "record") records.push(entry);
  const detail = "no such file or directory";
  expect(records.map(({ seq, op }) => ({ seq, ...op }))).toEqual([
    { seq: 1, op: "start", at: 1 },
    {
      seq: 4,
      op: "dropped",
      at: 9,
      cause: "write_failed",
      count: 2,
      detail,
      first_at: 2,
      last_at: 5,
    },
    { seq: 5, op: "event", at: 9, name: "kept" },
  ]);
});
