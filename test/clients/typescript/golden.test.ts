/** The golden lanes (test/fixtures/lanes/README.md): the same calls, the same bytes, in every language. */
import { globSync, mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LaneFile } from "../../../clients/typescript/lane/lane-file.ts";
import { Session } from "../../../clients/typescript/session/session.ts";
import { type Fixture, play } from "./golden.ts";

const folder = new URL("../../fixtures/lanes", import.meta.url).pathname;

test.each(
  globSync(`${folder}/*.json`)
    .sort()
    .map((file) => basename(file, ".json")),
)("%s: same calls, same bytes", (name) => {
  const fixture = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Fixture;
  const { DATACAT_LANE_BYTES, DATACAT_SESSION } = fixture.environment ?? {};
  const lanes = mkdtempSync(join(tmpdir(), "datacat-golden-"));
  const lane = new LaneFile({
    folder: lanes,
    header: fixture.header,
    maxBytes: Number(DATACAT_LANE_BYTES ?? 8_388_608),
  });
  let reading = 0;
  const clock = () => fixture.clock.start + fixture.clock.step * reading++;

  const isJoined = DATACAT_SESSION !== undefined;
  play(fixture.calls, (start) => new Session("", "", start, lane, isJoined, clock));
  lane.close();

  const written = readdirSync(lanes)
    .filter((name) => name.endsWith(".lane"))
    .sort();
  expect(written.map((file) => file.slice(fixture.header.lane.length))).toEqual(
    written.map((_, i) => `.${String(i + 1).padStart(6, "0")}.lane`),
  );
  expect(written.map((file) => readFileSync(join(lanes, file), "utf8"))).toEqual(
    expectedParts(name),
  );
});

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
