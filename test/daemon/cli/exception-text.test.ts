import { expect, test } from "vitest";
import { eventLine } from "../../../daemon/cli/commands/event-line.ts";
import { isPrinted } from "../../../daemon/cli/commands/exception-text.ts";
import type { EventRow } from "../../../src/core/answers/events.ts";

/** As `datacat run` records what a Python program printed. */
const exception: EventRow = {
  seq: 9,
  at: 9,
  name: "exception",
  group: "stderr",
  category: "error",
  exception_type: "KeyError",
  exception_msg: "'door'",
  stacktrace: ['  File "/srv/door.py", line 3, in open_door\n    return DOORS[name]'],
};

const output = (message: string): EventRow => ({
  seq: 3,
  at: 3,
  name: "output",
  group: "stderr",
  category: "info",
  message,
});

test.each([
  ["Traceback (most recent call last):", true],
  ['  File "/srv/door.py", line 3, in open_door', true],
  ["    return DOORS[name]", true],
  ["KeyError: 'door'", true],
  ["opening the door", false],
  ["", false],
])("%j of the output is a line of the exception: %s", (line, expected) => {
  expect(isPrinted(output(line), exception)).toBe(expected);
});

test("what a client recorded was not printed by it", () => {
  expect(isPrinted(output("KeyError: 'door'"), { ...exception, group: undefined })).toBe(false);
  expect(isPrinted({ ...output("KeyError: 'door'"), name: "note" }, exception)).toBe(false);
  expect(isPrinted(exception, exception)).toBe(true);
});

test("the event of a test is named after it", () => {
  const test = { id: ["a.py", "test_b", "[1]"] };
  const line = eventLine({ ...output(""), name: "test_started", group: "pytest", test });
  expect(line).toContain("a.py::test_b[1]");
});
