/** What `session.attach` of 1 MB costs a Node program, beside a bare copy of the same bytes with their SHA-256. */
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../../clients/typescript/node.ts";

const BYTES = 1_000_000;
const ROUNDS = 60;

const folder = mkdtempSync(join(tmpdir(), "datacat-bench-attach-"));
process.env["DATACAT_HOME"] = folder;
process.env["DATACAT_DAEMON"] = "off";
const content = new Uint8Array(BYTES).map((_, i) => i % 251);
const path = join(folder, "source");
writeFileSync(path, content);
const session = open();

let copies = 0;
const lanes = join(folder, "lanes");
function copy(bytes: Uint8Array): void {
  createHash("sha256").update(bytes).digest("hex");
  const file = openSync(join(lanes, `copy-${copies++}`), "wx", 0o600);
  writeSync(file, bytes);
  closeSync(file);
}

const ways: [string, () => void][] = [
  ["bare copy of bytes", () => copy(content)],
  ["attach bytes", () => session.attach("a.bin", content)],
  ["bare copy of a file", () => copy(readFileSync(path))],
  ["attach a path", () => session.attach("a.bin", path)],
];
const measured = new Map<string, number[]>(ways.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++)
  for (const [name, way] of ways) {
    const before = process.hrtime.bigint();
    way();
    measured.get(name)?.push(Number(process.hrtime.bigint() - before) / 1e6);
  }
console.log("1 MB                    median ms");
for (const [name, times] of measured)
  console.log(
    `${name.padEnd(22)} ${(times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0).toFixed(2)}`,
  );
session.end();
for (let i = 0; i < copies; i++) unlinkSync(join(lanes, `copy-${i}`));
rmSync(folder, { recursive: true });
