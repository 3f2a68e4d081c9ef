/** What a session is asked when the catalog lists only a part of it: texts and tests. */
import { expect, test } from "vitest";
import type { HeldQuery } from "../../../src/core/questions/held.ts";
import type { Op } from "../../../src/core/wire.ts";
import { runState, testEnded } from "../test-run.ts";
import { NOON, World } from "../world.ts";

async function asked(ops: Op[]): Promise<(query: HeldQuery) => Promise<boolean | null>> {
  const world = new World();
  await world.send([{ op: "start", at: NOON, product: "game", version: "1.0" }, ...ops]);
  await world.evict();
  return (query) => world.client.ask("held", query);
}

const message = (text: string, n: number): Op => ({
  op: "event",
  at: NOON + n,
  name: "log",
  message: text,
});

test("a text that the index does not keep any more is found in the log", async () => {
  const held = await asked(
    Array.from({ length: 2_000 }, (_, n) => message(`Step ${n} of the walk: room ${n * 7}`, n)),
  );
  expect(await held({ terms: ["step 3 of"] })).toBe(true);
  expect(await held({ terms: ["step 1999 of the walk"] })).toBe(true);
  // Each may be in another text.
  expect(await held({ terms: ["room 21", "room 13986", "game", "1.0"] })).toBe(true);
  expect(await held({ terms: ["room 21", "no room"] })).toBe(false);
});

test("a text of several lines is found, whatever its case and script", async () => {
  const held = await asked([
    message("Straße\r\ngesperrt", 1),
    ...Array.from({ length: 300 }, (_, n) => message(`filler ${n} of the log of this session`, n)),
  ]);
  expect(await held({ terms: ["strasse"] })).toBe(true);
  expect(await held({ terms: ["strasse  gesperrt"] })).toBe(true);
});

test("output is looked through as far as the index keeps it", async () => {
  const line = (n: number): Op => ({
    op: "event",
    at: NOON,
    name: "output",
    group: "stdout",
    message: `line ${n} of the output`,
  });
  const held = await asked([
    ...Array.from({ length: 500 }, (_, n) => line(n)),
    ...Array.from({ length: 300 }, (_, n) => message(`filler ${n} of the log of this session`, n)),
  ]);
  expect(await held({ terms: ["line 499 of the output"] })).toBe(true);
  expect(await held({ terms: ["line 7 of the output"] })).toBe(false);
});

test("tests are found by their whole name, by the last part of it, and by a text", async () => {
  const held = await asked([
    runState(),
    ...Array.from({ length: 500 }, (_, n) =>
      testEnded(NOON + n, { id: ["a.test.ts", "merge", `case ${n}`], result: "passed" }),
    ),
    testEnded(
      NOON + 600,
      { id: ["b.test.ts", "deep merge"], result: "failed" },
      { message: "expected 3" },
    ),
  ]);
  expect(await held({ test: "case 417" })).toBe(true);
  expect(await held({ test: "a.test.ts › merge › case 0" })).toBe(true);
  expect(await held({ test: "merge" })).toBe(false);
  expect(await held({ terms: ["case 123"] })).toBe(true);
  expect(await held({ terms: ["deep merge", "expected 3"] })).toBe(true);
  expect(await held({ terms: ["case 500"] })).toBe(false);
});

test("a session without tests has none of any name", async () => {
  const held = await asked([message("test", 1)]);
  expect(await held({ test: "test" })).toBe(false);
});

test("a text of an event's data and a tag that the index does not keep any more are found in the log", async () => {
  const event = (n: number, more: object): Op => ({
    op: "event",
    at: NOON + n,
    name: "e",
    ...more,
  });
  const held = await asked([
    event(0, { data: { path: 'C:\\Saves\\Zoë "1".sav', chest: [{ item: "Frostmourne" }] } }),
    event(1, { labels: ["shard:obelisk"] }),
    ...Array.from({ length: 500 }, (_, n) => event(n, { data: { order: `order number ${n}` } })),
  ]);
  for (const term of ["frostmourne", "obelisk", "order number 3", "order number 499"])
    expect(await held({ terms: [term] }), term).toBe(true);
  expect(await held({ terms: ['saves\\zoë "1"'] })).toBe(true);
  for (const term of ["order number 500", "chest", "dragon"])
    expect(await held({ terms: [term] }), term).toBe(false);
});

test("a call of an exception that is not listed is found in the log", async () => {
  const thrown = (n: number): Op => ({
    op: "event",
    at: NOON + n,
    name: "exception",
    exception_type: `Error${n}`,
    exception_msg: "m",
    stacktrace: [`    at open${n} (/a/door.js:4:5)`, `    at main${n} (/a/main.js:9:1)`],
  });
  const held = await asked(Array.from({ length: 150 }, (_, n) => thrown(n)));
  expect(await held({ terms: ["main3 (main.js:9"] })).toBe(true);
  expect(await held({ terms: ["main149 (main.js:9"] })).toBe(true);
  expect(await held({ terms: ["main150 (main.js"] })).toBe(false);
});
