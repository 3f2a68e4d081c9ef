import { expect, test } from "vitest";
import { callsText, whereOf, whereText } from "../../../src/core/stack/where.ts";

const PYTHON = [
  "Traceback (most recent call last):",
  '  File "/a/main.py", line 3, in <module>',
  "    run()",
  '  File "/a/door.py", line 12, in open_door',
  "    json.loads(text)",
  '  File "/usr/lib/python3.12/json/decoder.py", line 355, in raw_decode',
  "    obj, end = self.scan_once(s, idx)",
];

test("an exception is where the innermost frame of the program is", () => {
  expect(whereOf({ stacktrace: PYTHON })).toMatchObject({
    name: "open_door",
    file: "/a/door.py",
    line: 12,
    source: "json.loads(text)",
  });
  const node = ["Error: x", "    at parse (node:internal/x:1:1)", "    at open (/a/door.js:4:5)"];
  const sources = [{ file: "/a/door.js", first: 3, lines: ["a", "  b();", "c"] }];
  expect(whereOf({ stacktrace: [...node, "    at main (/a/main.js:9:1)"], sources })).toMatchObject(
    {
      name: "open",
      line: 4,
      source: "b();",
    },
  );
});

test("Python's fault handler prints the innermost frame first, and members of a group do not count", () => {
  const fault = [
    "Current thread 0x1 (most recent call first):",
    ...["door", "main"].map((name) => `  File "/a/${name}.py", line 3 in ${name}`),
  ];
  expect(whereOf({ stacktrace: fault })?.name).toBe("door");
  const group = [
    '  |   File "/a/main.py", line 9, in run',
    "  | ExceptionGroup: many",
    "  +-+---- 1 ----",
    '    |   File "/a/load.py", line 5, in load',
  ];
  expect(whereOf({ stacktrace: group })?.name).toBe("run");
});

test("without frames of its own, an exception is where the program reported it", () => {
  const reported = { source_file: "door.py", source_line: 3, source_function: "open" };
  expect(whereOf(reported)).toMatchObject({ name: "open", file: "door.py", line: 3 });
  expect(whereOf({ stacktrace: ["    at f (node:fs:1:2)"], ...reported })?.name).toBe("open");
  expect(whereOf({ stacktrace: ["    at f (node:fs:1:2)"] })?.name).toBe("f");
  expect(whereOf({ stacktrace: ["Error: x"] })).toBeUndefined();
});

test("its calls are the other frames of the program, innermost first, and those of its causes", () => {
  const causes = [
    {
      exception_type: "OSError",
      stacktrace: ["    at read (/a/disk.js:8:1)", "    at main (/a/main.js:9:1)"],
    },
  ];
  const node = ["Error: x", "    at open (/a/door.js:4:5)", "    at main (/a/main.js:9:1)"];
  const event = { stacktrace: [...node, "    at run (node:internal/x:1:1)"], causes };
  expect(callsText(event, whereText(event))).toBe("main (main.js:9), read (disk.js:8)");
  expect(callsText(event)).toBe("open (door.js:4), main (main.js:9), read (disk.js:8)");

  const python = { stacktrace: PYTHON };
  expect(callsText(python, whereText(python))).toBe("<module> (main.py:3)");
  expect(callsText({ stacktrace: ["    at f (node:fs:1:2)"] })).toBe("");
  expect(callsText({})).toBe("");
});
