/** What tests of lanes share: a home in a temporary folder, and reading what was written there. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

export type Line = { [key: string]: any }; // oxlint-disable-line no-explicit-any -- records of any op; each test knows its own

export type TestHome = { folder: string; lanes: string } & Disposable;

export function testHome(): TestHome {
  const folder = mkdtempSync(join(tmpdir(), "datacat-home-"));
  return {
    folder,
    lanes: join(folder, "lanes"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Every lane in a home: header and records of all its parts, in order. Damaged lines count. */
export function readLanes(
  home: Pick<TestHome, "lanes">,
): { header: Line; records: Line[]; damaged: number }[] {
  const lanes = new Map<string, { header: Line; records: Line[]; damaged: number }>();
  const files = readdirSync(home.lanes).filter((name) => name.endsWith(".lane"));
  for (const file of files.sort()) {
    const [first, ...rest] = readFileSync(join(home.lanes, file), "utf8").split("\n").slice(0, -1);
    const header = parseLine(first ?? "") ?? {};
    const lane = lanes.get(header["lane"]) ?? { header, records: [], damaged: 0 };
    lanes.set(header["lane"], lane);
    for (const text of rest) {
      const record = parseLine(text);
      if (record === undefined) lane.damaged++;
      else lane.records.push(record);
    }
  }
  return [...lanes.values()];
}

function parseLine(text: string): Line | undefined {
  const json = text.slice(9);
  return parseInt(text.slice(0, 8), 16) === crc32(json) ? (JSON.parse(json) as Line) : undefined;
}
