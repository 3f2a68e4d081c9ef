import { describe, expect, test } from "vitest";
import { eventRow, type EventFilter, matches } from "../../../src/core/events/event.ts";
import { MAX_EVENT_BYTES } from "../../../src/core/limits.ts";
import type { Event } from "../../../src/core/wire.ts";

const event = (op: Partial<Event> = {}): Event => ({ op: "event", at: 1_000, name: "door", ...op });

test("without the quiet events of tests, their failures and the other events are left", () => {
  const test = { id: ["a.py", "test_a"] };
  const events = [
    event({ test }),
    event({ test: { ...test, result: "passed" } }),
    event({ test: { ...test, result: "failed" }, category: "error" }),
    event({ message: "of the program" }),
  ].map((op, index) => eventRow(op, index));
  expect(events.filter((row) => matches(row, { quietTests: false })).map(({ seq }) => seq)).toEqual(
    [2, 3],
  );
});

describe("an event as it is stored", () => {
  test.each([
    [{}, "info"],
    [{ category: "" }, "info"],
    [{ category: "critical" }, "critical"],
    [{ exception_type: "E" }, "error"],
    [{ exception_type: "E", category: "info" }, "error"],
    [{ exception_type: "E", category: "warning" }, "warning"],
    [{ exception_type: "" }, "info"],
  ])("%j is of category %s", (op, category) =>
    expect(eventRow(event(op), 1).category).toBe(category),
  );

  test("has its sequence, and a fingerprint only if it is an exception", () => {
    expect(eventRow(event({ message: "hi" }), 7)).toEqual({
      seq: 7,
      at: 1_000,
      name: "door",
      message: "hi",
      category: "info",
    });
    expect(eventRow(event({ exception_type: "E" }), 7).fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  test("is refused when it is too large or too deep", () => {
    const deep = JSON.parse('{"a":'.repeat(70) + "1" + "}".repeat(70));
    expect(() => eventRow(event({ data: deep }), 1)).toThrow(
      expect.objectContaining({ code: "too_deep" }),
    );
    const message = "x".repeat(MAX_EVENT_BYTES);
    expect(() => eventRow(event({ message }), 1)).toThrow(
      expect.objectContaining({ code: "too_large" }),
    );
    expect(() => eventRow(event({ message: message.slice(200) }), 1)).not.toThrow();
  });
});

describe("filters", () => {
  const row = eventRow(
    event({
      at: 5_000,
      category: "error",
      group: "game.doors",
      labels: ["door", "room:attic"],
      message: "The Door would not open",
      data: { key: "Brass", nested: [{ deep: "Copper" }], path: 'C:\\Keys\\"Old".key' },
      exception_type: "DoorError",
      exception_msg: "rusty hinge",
      stacktrace: ['File "doors.py", line 3, in open_door'],
      causes: [{ exception_type: "RustError", exception_msg: "iron oxide" }],
    }),
    1,
  );

  test.each<[EventFilter, boolean]>([
    [{}, true],
    [{ from: 5_000, to: 5_000 }, true],
    [{ from: 5_001 }, false],
    [{ to: 4_999 }, false],
    [{ name: "door" }, true],
    [{ name: "Door" }, false],
    [{ category: "error" }, true],
    [{ category: "info" }, false],
    [{ group: "game.doors" }, true],
    [{ group: "" }, false],
    [{ tag: "door" }, true],
    [{ tag: "doo" }, false],
    [{ tag: "room:attic" }, true],
    [{ tag: "room" }, true],
    [{ tag: "room:cellar" }, false],
    [{ exceptions: true }, true],
    [{ text: "WOULD NOT" }, true],
    [{ text: "copper" }, true],
    [{ text: "brass" }, true],
    [{ text: 'keys\\"old"' }, true],
    [{ text: "hinge" }, true],
    [{ text: "open_door" }, true],
    [{ text: "oxide" }, true],
    [{ text: "game.doors" }, true],
    [{ text: "window" }, false],
    [{ text: "" }, true],
    [{ name: "door", text: "window" }, false],
  ])("%j: %s", (filter, passes) => expect(matches(row, filter)).toBe(passes));

  test("an event without a group has the empty one", () => {
    expect(matches(eventRow(event(), 1), { group: "" })).toBe(true);
    expect(matches(eventRow(event(), 1), { exceptions: true })).toBe(false);
  });
});
