/** The calls of the golden files, made from Go in earnest: what the server then holds is the same by lane and directly. */
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { merge } from "../../../src/core/state/merge.ts";
import type { JsonObject } from "../../../src/core/wire.ts";
import { GoWorld, isGoMissing, type Recording } from "./world.ts";

const folder = new URL("../../fixtures/lanes", import.meta.url).pathname;
const names = globSync("*.json", { cwd: folder }).map((file) => basename(file, ".json"));

describe.skipIf(isGoMissing)("what the server holds after the golden calls", () => {
  let world: GoWorld;
  beforeAll(async () => {
    world = await GoWorld.make(".");
  }, 180_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  // A session is joined by lane only. The largest attachment does not fit into the memory of a client without a disk.
  const byLaneOnly = ["joined", "attachments"];
  test.each(names.filter((name) => !byLaneOnly.includes(name)))("%s", async (name) => {
    const golden = join(folder, `${name}.json`);
    const program = { DATACAT_TEST_PROGRAM: "golden", DATACAT_TEST_GOLDEN: golden };
    const ran = await world.run("client-tests", { env: program });
    const direct = await world.run("client-tests", {
      env: { ...program, DATACAT_TEST_DIRECT: "1", DATACAT_HOME: "/dev/null/nowhere" },
    });
    const verdict = name === "crash" ? "crashed" : "ended";
    const [byLane, directly] = [
      await world.recorded(ran.id, verdict),
      await world.recorded(direct.id, verdict),
    ];
    expect(comparable(directly)).toEqual(comparable(byLane));
    const { accepted, stored, dropped } = byLane.summary.ledger;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(accepted).toBeLessThanOrEqual(stored + lost);
    expect(dropped).not.toHaveProperty("damaged");
    expect(dropped).not.toHaveProperty("refused");
  });
});

/** Without what differs from run to run: times, ids, sequences. */
function comparable({ summary, state, history, events, series }: Recording) {
  const { product, version, tags, counts, ledger, exit_code, signal, heartbeat_timeout_ms } =
    summary;
  return {
    summary: { product, version, tags, exit_code, signal, heartbeat_timeout_ms },
    exceptions: counts.exceptions,
    dropped: ledger.dropped,
    altered: ledger.altered,
    state,
    states: statesAfter(history.map(({ patch }) => patch)),
    events: events.map((event) => without(event, ["at", "seq"])),
    series: Object.values(series).map((each) =>
      without(each, ["id", "first_at", "last_at", "rate"]),
    ),
  };
}

/** Each state that there was. The daemon drops what changes nothing, so patches alone may differ. */
function statesAfter(patches: JsonObject[]): string[] {
  const state: JsonObject = {};
  const states = ["{}"];
  for (const patch of patches) {
    merge(state, patch);
    const text = JSON.stringify(state);
    if (text !== states.at(-1)) states.push(text);
  }
  return states;
}

function without(row: object, keys: string[]): object {
  return Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));
}
