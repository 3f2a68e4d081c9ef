/** Faults of Go programs and of their daemon, with the real daemon and Worker: each record is stored exactly once. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectComplete, GoWorld, isGoMissing } from "./world.ts";

describe.skipIf(isGoMissing)("a Go program's records survive", () => {
  let world: GoWorld;
  beforeAll(async () => {
    world = await GoWorld.make(
      "./examples/basic",
      "./examples/complete",
      "./examples/windows",
      ".",
    );
  }, 180_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test.each([2, 3, 4, 50, 51, 52, 400, 900])(
    "kill -9 of the program after record %i",
    async (count) => {
      const product = `killed after ${count}`;
      const printed = await world.killAt("client-tests", count, {
        DATACAT_TEST_PROGRAM: "endless",
        DATACAT_PRODUCT: product,
      });
      const recording = await world.recorded(await world.find(product), "crashed");
      // It records a state, a gauge and an event in turn, each with its number.
      const events = recording.events.map(({ data }) => Number(data?.["i"]));
      const expected = Array.from({ length: printed + 1 }, (_, i) => i).filter(
        (i) => i > 1 && i % 3 === 1,
      );
      expect(events.toSorted((a, b) => a - b).slice(0, expected.length)).toEqual(expected);
      expect(new Set(events).size).toBe(events.length);
      expect(recording.state["i"]).toBeGreaterThanOrEqual(printed - 2);
      expectComplete(recording);
    },
  );

  test("a stopped daemon: the program does not wait, and all records arrive when the daemon continues", async () => {
    await world.run("basic"); // starts the daemon
    world.signalDaemon("SIGSTOP");
    const ran = await world.run("complete");
    expect(ran.code).toBe(0);
    world.signalDaemon("SIGCONT");
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.series["temperature cpu"]?.points).toBe(5);
  });

  test("kill -9 of the daemon: the next program starts another, which sends all records", async () => {
    await world.run("basic");
    world.signalDaemon("SIGKILL");
    const ran = await world.run("windows"); // finds no daemon
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.events).toHaveLength(3);
    expectComplete(recording);
  });
});
