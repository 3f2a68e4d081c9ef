/** The texts that the index of a session keeps for the search through all sessions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  MAX_EVENT_TEXTS,
  MAX_SEARCHED_DATA,
  MAX_SEARCHED_DATUM,
  MAX_SEARCHED_MESSAGES,
  MAX_SEARCHED_OUTPUT,
  MAX_SEARCHED_TEXT,
} from "../../../src/core/limits.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { searchable, searchedOf } from "../../../src/core/session/searched.ts";
import { newIndex } from "../../../src/core/session/session-index.ts";
import { restore } from "../../../src/core/segments/restore.ts";
import type { Op } from "../../../src/core/wire.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const NONE = { exceptions: [], tests: [], attachments: [], event_counts: [], state_values: [] };

function recorded(...events: object[]) {
  const projection = Projection.open("s-1", NOW, { now: NOW, sentAt: NOW });
  const ops = events.map(
    (event, i) => ({ op: "event", at: NOW - 5_000 + i, name: "e", ...event }) as Op,
  ); // as: each test gives what it needs
  const { contents } = projection.record(ops, { now: NOW, sentAt: NOW });
  return { index: projection.index, contents };
}

const searchedIn = (...events: object[]) =>
  searchedOf({ ...NONE, texts: recorded(...events).index.texts });

test("messages are kept once each, where they were last, the newest last", () => {
  const { index } = recorded({ message: "one" }, { message: "two" }, { message: "one" }, {});
  expect(index.texts.messages).toEqual([
    { text: "two", at: NOW - 4_999, seq: 2 },
    { text: "one", at: NOW - 4_998, seq: 3 },
  ]);
  expect(index.texts.added).toBe(2);
  expect(index.texts.leftOut).toBeUndefined();
});

test("the oldest messages make room for newer ones, which is noted", () => {
  const { index } = recorded(
    ...Array.from({ length: 1_000 }, (_, n) => ({ message: `message number ${n} of many` })),
  );
  const { messages, leftOut } = index.texts;
  expect(messages.at(-1)?.text).toBe("message number 999 of many");
  expect(messages.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(
    MAX_SEARCHED_MESSAGES,
  );
  expect(messages.length).toBeGreaterThan(100);
  expect(leftOut).toBe(true);
});

test("a long message is cut, which is noted", () => {
  expect(recorded({ message: "x".repeat(501) }).index.texts.leftOut).toBe(true);
  expect(recorded({ message: "x".repeat(500) }).index.texts.leftOut).toBeUndefined();
});

test("of output the last lines are kept, which is all that is looked through", () => {
  const line = (message: string) => ({ name: "output", group: "stderr", message });
  const { index } = recorded(
    ...Array.from({ length: 200 }, (_, n) => line(`line ${n} of the output`)),
    line("   "),
  );
  const { output, messages, leftOut } = index.texts;
  expect(output.at(-1)?.text).toBe("line 199 of the output");
  expect(output.length).toBeGreaterThan(30);
  expect(output.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(
    MAX_SEARCHED_OUTPUT,
  );
  expect([messages, leftOut]).toEqual([[], undefined]);
});

test("of an exception that is listed only what the list does not have is kept, and its causes", () => {
  const { index } = recorded(
    { exception_type: "KeyError", exception_msg: "door 1" },
    { exception_type: "KeyError", exception_msg: "door 2" },
    {
      exception_type: "ValueError",
      exception_msg: "c",
      causes: [{ relation: "cause", exception_type: "OSError", exception_msg: "disk full" }],
    },
  );
  expect(index.texts.messages.map(({ text }) => text)).toEqual([
    "KeyError door 2",
    "OSError disk full",
  ]);
});

test("the message of a test's event is no message: tests have a list of their own", () => {
  const { index } = recorded({ message: "a.py::test", test: { id: ["a.py", "test"] } });
  expect(index.texts.messages).toEqual([]);
});

test("texts in data, attributes and tags are kept once each, with the name that a query has", () => {
  const door = { doors: [{ "a.b": "north" }, { "a.b": "south" }], open: true, count: 7, none: "" };
  const { index } = recorded(
    { data: { foe: "Lich" }, labels: ["crypt:2"] },
    { data: door, message: "opened" },
    { exception_type: "OSError", exception_msg: "m", attributes: { filename: "a.sav", errno: 2 } },
    { data: { again: "Lich" } },
    { name: "output", message: "line", data: { stream: "stdout" } },
    { test: { id: ["a.py", "test"] }, data: { seed: "9f" } },
  );
  const place = (n: number) => ({ at: NOW - 5_000 + n, seq: n + 1 });
  expect(index.texts.data).toEqual([
    { text: "crypt:2", name: "tag", ...place(0) },
    { text: "north", name: "data.doors.a\\.b", ...place(1) },
    { text: "south", name: "data.doors.a\\.b", ...place(1) },
    { text: "a.sav", name: "attribute.filename", ...place(2) },
    { text: "Lich", name: "data.foe", ...place(3) },
  ]);
  expect(index.texts.lengths.data).toBe(
    index.texts.data.reduce((sum, { text, name }) => sum + text.length + name.length, 0),
  );
  expect(index.texts.leftOut).toBeUndefined();
});

test("of data the newest texts are kept as far as there is room, which is noted", () => {
  const dataOf = (...events: object[]) => recorded(...events).index.texts;
  const many = dataOf(...Array.from({ length: 500 }, (_, n) => ({ data: { id: `order ${n}` } })));
  expect(many.data.at(-1)?.text).toBe("order 499");
  expect(many.lengths.data).toBeLessThanOrEqual(MAX_SEARCHED_DATA);
  expect(many.data.length).toBeGreaterThan(50);
  expect(many.leftOut).toBe(true);
  // Values that repeat take no room.
  const few = dataOf(...Array.from({ length: 500 }, (_, n) => ({ data: { id: `kind ${n % 5}` } })));
  expect([few.data.length, few.leftOut]).toEqual([5, undefined]);

  const text = "x".repeat(MAX_SEARCHED_DATUM);
  expect(dataOf({ data: { text } }).leftOut).toBeUndefined();
  expect(dataOf({ data: { text: `${text}x` } }).leftOut).toBe(true);
  const list = Array.from({ length: MAX_EVENT_TEXTS }, (_, n) => `${n}`);
  expect(dataOf({ data: { list } }).leftOut).toBeUndefined();
  expect(dataOf({ data: { list: [...list, "one more"] } }).leftOut).toBe(true);
});

test("an index that is lost is counted again with its texts", () => {
  const { index, contents } = recorded(
    { message: "one", data: { foe: "Lich" } },
    { name: "output", message: "two" },
  );
  const again = newIndex("s-1", NOW, NOW);
  restore(again, {}, contents, 2);
  expect(again.texts).toEqual(index.texts);
});

test("lines are folded, of one line each, and none twice", () => {
  const { searched, isWhole } = searchedIn(
    { message: "Straße\nZwei" },
    { message: "STRASSE ZWEI" },
  );
  expect(searched).toBe("strasse zwei");
  expect(isWhole).toBe(true);
});

test("what names a failure comes before messages, and markers of values are no text", () => {
  const texts = recorded({ message: "the message", data: { foe: "Lich" } }).index.texts;
  const { searched } = searchedOf({
    exceptions: [
      {
        type: "E",
        message: "m",
        place: "f (a.py:1)",
        calls: "main (b.py:7)",
        first_at: 1,
        first_seq: 1,
      },
    ],
    tests: [
      { text: "t › passed", last: "passed", result: "passed", failure: "", at: 1 },
      { text: "t › failed", last: "failed", result: "failed", failure: "1 is not 2", at: 1 },
    ],
    attachments: [{ name: "core.gz", at: 1 }],
    event_counts: [{ name: "door", first_at: 1 }],
    state_values: [
      { value: '"menu', first_at: 1 },
      { value: "=3", first_at: 1 },
      { value: "*", first_at: 0 },
      { value: "[", first_at: 0 },
    ],
    texts,
  });
  expect(searched.split("\n")).toEqual([
    "e m f (a.py:1) main (b.py:7)",
    "t › failed 1 is not 2",
    "core.gz",
    "door",
    "the message",
    "lich",
    "menu",
    "3",
    "t › passed",
  ]);
});

test("what is searched of a session is bounded, and so is named as not whole", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 600 }), { maxLength: 40 }), (messages) => {
      const texts = messages.map((text, seq) => ({ text, at: NOW, seq }));
      const { searched, isWhole } = searchedOf({
        ...NONE,
        texts: { messages: texts, output: [], data: [] },
      });
      expect(searched.length).toBeLessThanOrEqual(MAX_SEARCHED_TEXT);
      const all = messages.map(searchable);
      expect(isWhole).toBe(all.every((text) => text === "" || searched.split("\n").includes(text)));
    }),
  );
});
