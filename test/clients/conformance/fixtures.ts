/** The golden files' calls, as they are on disk. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Fixture } from "../typescript/golden.ts";

const folder = new URL("../../fixtures/lanes", import.meta.url).pathname;

export const fixtureNames = globSync("*.json", { cwd: folder })
  .map((file) => basename(file, ".json"))
  .sort();

export function fixturePath(name: string): string {
  return join(folder, `${name}.json`);
}

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(fixturePath(name), "utf8")) as Fixture; // golden.test.ts checks the bytes that follow from it
}
