import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  type LaneCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  writeAtomically,
} from "../../../daemon/lanes/checkpoint.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "datacat-checkpoint-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const lane: LaneCheckpoint = { part: 2, offset: 120, seq: 7, session: "s", server: "" };

test("a checkpoint is read as it was saved", () => {
  const path = join(newFolder(), "checkpoint.json");
  const lanes = new Map([
    ["a", lane],
    ["b", { ...lane, inode: 5, isJoiner: true, isShared: false, started: "8123456" }],
  ]);
  saveCheckpoint(path, lanes);
  expect(loadCheckpoint(path)).toEqual(lanes);
});

test.each([
  ["is cut off", '{"version":1,"lanes":{"a":{"part":1'],
  ["has another version", '{"version":2,"lanes":{}}'],
  ["has a lane of another shape", '{"version":1,"lanes":{"a":{"part":"1"}}}'],
])("a checkpoint that %s is no checkpoint: every lane is read again", (_, text) => {
  const path = join(newFolder(), "checkpoint.json");
  writeFileSync(path, text);
  expect(loadCheckpoint(path)).toEqual(new Map());
});

test("without a checkpoint every lane is read from its start", () => {
  expect(loadCheckpoint(join(newFolder(), "checkpoint.json"))).toEqual(new Map());
});

test("a file is replaced whole, and no other file stays behind", () => {
  const folder = newFolder();
  const path = join(folder, "file");
  const before = "b".repeat(100_000);
  writeAtomically(path, before);
  const { ino } = statSync(path);
  writeAtomically(path, "äfter");
  expect(readFileSync(path, "utf8")).toBe("äfter");
  expect(statSync(path).ino).not.toBe(ino); // written beside, then renamed
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("what a write left half done before a power cut does not stop the next", () => {
  const path = join(newFolder(), "file");
  writeFileSync(`${path}.new`, "half of a much longer text");
  writeAtomically(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
});

test.skipIf(process.platform === "win32")("only this user can read the file", () => {
  const path = join(newFolder(), "file");
  writeAtomically(path, "new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
