import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { groupsOf } from "../../../../daemon/cli/import/files.ts";

function folderWith(...files: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "datacat-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

test("each folder is a group, and all other arguments are one", () => {
  const folder = folderWith(
    "a.xml",
    "b.tap",
    "c.txt",
    "deep/d.xml",
    "node_modules/e.xml",
    ".git/f.xml",
  );
  symlinkSync(folder, join(folder, "deep/loop"));
  const [single, group] = groupsOf([folder, join(folder, "c.txt"), join(folder, "*.tap")]);
  const names = (files: { path: string }[] = []) => files.map(({ path }) => relative(folder, path));
  expect(names(single?.files)).toEqual(["c.txt", "b.tap"]);
  expect(names(group?.files)).toEqual(["a.xml", "b.tap", "deep/d.xml"]);
});

test.each([
  ["*.xml", ["TEST-a.xml"]],
  ["**/TEST-*.xml", ["TEST-a.xml", "m/TEST-b.xml", "m/n/TEST-c.xml"]],
  ["m/**", ["m/TEST-b.xml", "m/n/TEST-c.xml", "m/n/other.xml"]],
  ["*/n/*.xml", ["m/n/TEST-c.xml", "m/n/other.xml"]],
  ["m/n/TEST-?.xml", ["m/n/TEST-c.xml"]],
])("the glob %s", (glob, expected) => {
  const folder = folderWith("TEST-a.xml", "m/TEST-b.xml", "m/n/TEST-c.xml", "m/n/other.xml");
  const [group] = groupsOf([join(folder, glob)]);
  expect(group?.files.map(({ path }) => relative(folder, path))).toEqual(expected);
});

test("what does not exist is an error", () => {
  const folder = folderWith("a.txt");
  expect(() => groupsOf([join(folder, "*.xml")])).toThrow("There is no file");
  expect(() => groupsOf([folder])).toThrow("has no files that end with .xml or .tap");
});
