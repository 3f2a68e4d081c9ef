/** Files beside a lane, which may be anything: what is read, and what is emptied. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Lane } from "../../../daemon/lanes/lane.ts";
import {
  emptySideFile,
  readSideFile,
  sideFileExists,
  sideFileSize,
} from "../../../daemon/lanes/side-file.ts";
import { SIDE_FILE_BYTES } from "../../../daemon/limits.ts";
import { fatalIn } from "../../../daemon/watch/fatal-text.ts";
import { fatalOf } from "../../../daemon/watch/fatal.ts";
import { samplesIn } from "../../../daemon/watch/stack-text.ts";

const folder = mkdtempSync(join(tmpdir(), "datacat-side-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What of a lane these files depend on. */
const laneOf = (language: string) =>
  ({ folder, id: "lane", header: { writer: { language, pid: 7 } } }) as unknown as Lane;
const lane = laneOf("python 3.13.0");
const path = join(folder, "lane.fatal");
const other = join(folder, "other");
const isRoot = process.geteuid?.() === 0;
const TEXT = "Fatal Python error: Segmentation fault\n";

beforeEach(() => {
  rmSync(path, { recursive: true, force: true });
  rmSync(other, { force: true });
  writeFileSync(other, TEXT);
});

test("of a file of 1 GiB the first 256 KiB are read", () => {
  writeFileSync(path, TEXT);
  truncateSync(path, 2 ** 30); // a hole: it takes no room on the disk
  const before = process.memoryUsage().arrayBuffers;
  expect(readSideFile(lane, "fatal")).toMatchObject({ end: SIDE_FILE_BYTES, cut: true });
  expect(fatalOf(lane)).toMatchObject({ type: "Segmentation fault" });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * SIDE_FILE_BYTES);
  expect(readSideFile(lane, "fatal", 2 ** 30 - 10)).toMatchObject({ end: 2 ** 30, cut: false });
});

test.runIf(process.platform !== "win32").each<[string, () => void]>([
  ["a symbolic link to a file", () => symlinkSync(other, path)],
  ["a symbolic link to a device", () => symlinkSync("/dev/zero", path)],
  ["a symbolic link to nothing", () => symlinkSync(join(folder, "nothing"), path)],
  ["another name of a file", () => linkSync(other, path)],
  ["a folder", () => mkdirSync(path)],
  ["a pipe that nothing writes", () => void execFileSync("mkfifo", [path])],
])("%s in its place is neither read nor emptied", (_, put) => {
  put();
  expect(readSideFile(lane, "fatal")).toBeUndefined();
  expect(fatalOf(lane)).toBeUndefined();
  expect(emptySideFile(lane, "fatal")).toBe(false);
  expect(readFileSync(other, "utf8")).toBe(TEXT);
  lstatSync(path); // it is still there
});

test.runIf(isRoot)("a file of another user is neither read nor emptied", () => {
  writeFileSync(path, TEXT);
  chownSync(path, 65_534, 65_534);
  expect(readSideFile(lane, "fatal")).toBeUndefined();
  expect(emptySideFile(lane, "fatal")).toBe(false);
  expect(readFileSync(path, "utf8")).toBe(TEXT);
});

test("its own file is read and emptied, and one that is not there is nothing", () => {
  expect([sideFileExists(lane, "fatal"), sideFileSize(lane, "fatal")]).toEqual([false, 0]);
  expect([readSideFile(lane, "fatal"), emptySideFile(lane, "fatal")]).toEqual([undefined, false]);
  writeFileSync(path, TEXT);
  expect(readSideFile(lane, "fatal")).toMatchObject({ text: TEXT, end: TEXT.length, cut: false });
  expect(readSideFile(lane, "fatal", TEXT.length)).toBeUndefined();
  expect(emptySideFile(lane, "fatal")).toBe(true);
  expect(sideFileSize(lane, "fatal")).toBe(0);
});

test("whatever bytes it has, what is read of it is bounded and breaks nothing", () => {
  const start = fc.constantFrom(
    "",
    TEXT,
    "# 1790000000000\n",
    "goroutine 1 [running]:\n",
    "{",
    "panic: ",
  );
  const bytes = fc.uint8Array({ maxLength: 4_000 });
  fc.assert(
    fc.property(start, bytes, fc.nat({ max: 30 }), (text, some, times) => {
      writeFileSync(path, Buffer.concat([Buffer.from(text), ...Array(times).fill(some)]));
      for (const language of ["python 2.7", "go 1.26", "node 24", "perl 5"])
        expect(() => fatalOf(laneOf(language))).not.toThrow();
      writeFileSync(path, Buffer.concat([Buffer.from(text), ...Array(times).fill(some)]));
      const found = readSideFile(lane, "fatal")?.text ?? "";
      for (const runtime of ["python", "go", "javascript"] as const) {
        const fatal = fatalIn(runtime, found);
        const samples = samplesIn(runtime, found);
        expect(JSON.stringify([fatal, samples]).length).toBeLessThan(SIDE_FILE_BYTES * 4);
      }
    }),
    { numRuns: 30 },
  );
});
