/** The golden lanes (test/fixtures/lanes/README.md): the same calls, the same bytes, in every language. */
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { LaneFile } from "../../../clients/typescript/lane/lane-file.ts";
import { LaneSession } from "../../../clients/typescript/lane/lane-session.ts";
import { type Fixture, play } from "./golden.ts";

const folder = new URL("../../fixtures/lanes", import.meta.url).pathname;

test.each(
  globSync(`${folder}/*.json`)
    .sort()
    .map((file) => basename(file, ".json")),
)("%s: same calls, same bytes", (name) => {
  const fixture = fixtureOf(name);
  const { lanes, written } = played(fixture);
  expect(written.map((file) => file.slice(fixture.header.lane.length))).toEqual(
    written.map((_, i) => `.${String(i + 1).padStart(6, "0")}.lane`),
  );
  expect(written.map((file) => readFileSync(join(lanes, file), "utf8"))).toEqual(
    expectedParts(name),
  );
});

test("the content of each attachment of the golden lanes is in a file of its own", () => {
  const fixture = fixtureOf("attachments");
  const { lanes } = played(fixture);
  const { lane: id } = fixture.header;
  const files = readdirSync(lanes).filter((name) => name.endsWith(".attachment"));
  const text = readFileSync(join(lanes, `${id}.000001.lane`), "utf8");
  const records = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line.slice(9)));
  const attached = records.filter(({ op }) => op === "attachment");
  expect(attached.length).toBe(9);
  expect(files.toSorted()).toEqual(attached.map(({ id }) => `${id}.attachment`).toSorted());
  for (const { id: attachment, size, sha256 } of attached) {
    const content = readFileSync(join(lanes, `${attachment}.attachment`));
    expect(content.length).toBe(size);
    expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
  }
});

function fixtureOf(name: string): Fixture {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Fixture; // the test checks what follows from it
}

/** The folder with what a fixture's calls wrote, and its lane files. */
function played(fixture: Fixture): { lanes: string; written: string[] } {
  const { DATACAT_LANE_BYTES, DATACAT_SESSION } = fixture.environment ?? {};
  const lanes = mkdtempSync(join(tmpdir(), "datacat-golden-"));
  onTestFinished(() => rmSync(lanes, { recursive: true }));
  const lane = new LaneFile({
    folder: lanes,
    header: fixture.header,
    maxBytes: Number(DATACAT_LANE_BYTES ?? 8_388_608),
  });
  let reading = 0;
  const clock = () => fixture.clock.start + fixture.clock.step * reading++;
  const isJoined = DATACAT_SESSION !== undefined;
  play(fixture.calls, (start) => {
    const settings = { ...start, url: "", server: "", stacks: false, fatalReports: false };
    return new LaneSession("", settings, lane, isJoined, clock);
  });
  lane.close();
  const files = readdirSync(lanes).filter((file) => file.endsWith(".lane"));
  return { lanes, written: files.sort() };
}

/** `NAME.lane`, its parts `NAME.000001.lane`…, or packed if long. */
function expectedParts(name: string): string[] {
  return readdirSync(folder)
    .filter((file) =>
      /^(\.\d{6})?\.lane(\.gz)?$/.test(file.startsWith(name) ? file.slice(name.length) : ""),
    )
    .sort()
    .map((file) => {
      const bytes = readFileSync(join(folder, file));
      return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    });
}
