import { describe, expect, test } from "vitest";
import { fingerprint, storedGrouping } from "../../../src/core/events/fingerprint.ts";

describe("the fingerprint of an exception", () => {
  type Thrown = Parameters<typeof fingerprint>[0];
  const same = (a: Thrown, b: Thrown) => expect(fingerprint(b)).toBe(fingerprint(a));
  const differ = (a: Thrown, b: Thrown) => expect(fingerprint(b)).not.toBe(fingerprint(a));

  /** The same failure on two machines, in two versions. */
  const pairs: [language: string, one: Thrown, other: Thrown][] = [
    [
      "Python",
      {
        exception_type: "KeyError",
        exception_msg: "'door-17'",
        stacktrace: [
          "Traceback (most recent call last):\n",
          '  File "/home/ada/game/main.py", line 10, in <module>\n    run()\n',
          '  File "/home/ada/game/doors.py", line 42, in open_door\n    return doors[name]\n',
          "KeyError: 'door-17'\n",
        ],
      },
      {
        exception_type: "KeyError",
        exception_msg: "'door-99'",
        stacktrace: [
          "Traceback (most recent call last):\n",
          '  File "C:\\Users\\bob\\game\\main.py", line 12, in <module>\n    run()\n',
          '  File "C:\\Users\\bob\\game\\doors.py", line 57, in open_door\n    return doors[ name ]\n    ~~~~~^^^^^^\n',
          "KeyError: 'door-99'\n",
        ],
      },
    ],
    [
      "Node",
      {
        exception_type: "TypeError",
        exception_msg: "x is undefined",
        stacktrace: [
          "TypeError: x is undefined",
          "    at Door.open (/srv/app/src/door.js:10:15)",
          "    at async Promise.all (index 0)",
          "    at async file:///srv/app/src/main.js:3:1",
          "    at new Room (/srv/app/src/room.js:1:2)",
          "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
        ],
      },
      {
        exception_type: "TypeError",
        exception_msg: "x is undefined",
        stacktrace: [
          "TypeError: x is undefined",
          "    at Door.open (C:\\app\\src\\door.js:99:1)",
          "    at async Promise.all (index 3)",
          "    at async file:///C:/app/src/main.js:4:1",
          "    at new Room (C:\\app\\src\\room.js:7:20)",
          "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
        ],
      },
    ],
    [
      "a bundle in a browser",
      {
        exception_type: "Error",
        stacktrace: ["    at open (https://example.com/assets/index-3f2a9b1c.js:1:2345)"],
      },
      {
        exception_type: "Error",
        stacktrace: ["    at open (https://cdn.example.com/v2/index-77aa00ff.js?x=1:1:99)"],
      },
    ],
    [
      "Firefox",
      {
        exception_type: "Error",
        stacktrace: ["open@https://a.example/app.js:3:5", "@https://a.example/app.js:9:1"],
      },
      {
        exception_type: "Error",
        stacktrace: [
          "open@http://localhost:8080/app.js:4:15",
          "@http://localhost:8080/app.js:10:1",
        ],
      },
    ],
    [
      "Go",
      {
        exception_type: "runtime.boundsError",
        stacktrace: [
          "goroutine 1 [running]:",
          "main.(*Door).Open(0xc000012345, {0x4a1b2c, 0x5})",
          "\t/home/ada/game/door.go:42 +0x1d",
          "main.main()",
          "\t/home/ada/game/main.go:7 +0x20",
        ],
      },
      {
        exception_type: "runtime.boundsError",
        stacktrace: [
          "goroutine 17 [running]:",
          "main.(*Door).Open(0xc0000fffff, {0x400000, 0x6})",
          "\t/builds/7/game/door.go:44 +0x2f",
          "main.main()",
          "\t/builds/7/game/main.go:8 +0x45",
        ],
      },
    ],
    [
      "Java",
      {
        exception_type: "java.lang.NullPointerException",
        stacktrace: [
          "\tat com.example.Door.open(Door.java:12)",
          "\tat com.example.Main$1.run(Main.java:3)",
          "\tat java.base/java.lang.Thread.run(Thread.java:833)",
        ],
      },
      {
        exception_type: "java.lang.NullPointerException",
        stacktrace: [
          "\tat com.example.Door.open(Door.java:13)",
          "\tat com.example.Main$1.run(Main.java:5)",
          "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
        ],
      },
    ],
    [
      "C#",
      {
        exception_type: "System.InvalidOperationException",
        stacktrace: [
          "   at Game.Door.Open(String name) in C:\\src\\Door.cs:line 12",
          "   at Game.Program.<Main>$(String[] args)",
        ],
      },
      {
        exception_type: "System.InvalidOperationException",
        stacktrace: [
          "   at Game.Door.Open(String name) in /home/ada/src/Door.cs:line 15",
          "   at Game.Program.<Main>$(String[] args)",
        ],
      },
    ],
    [
      "Rust",
      {
        exception_type: "panic",
        stacktrace: ["   0: game::door::open\n             at ./src/door.rs:10:5"],
      },
      {
        exception_type: "panic",
        stacktrace: ["   0: game::door::open\n             at /build/src/door.rs:12:9"],
      },
    ],
    [
      "a message without frames",
      {
        exception_type: "OSError",
        exception_msg:
          "cannot open /home/ada/saves/slot.dat for 3f2a9b1c-0000-4000-8000-123456789abc at 0x7f00aa, try 3",
      },
      {
        exception_type: "OSError",
        exception_msg:
          "cannot open C:\\Users\\bob\\slot.dat for 99999999-1111-4222-8333-abcdefabcdef at 0xffee11, try 12",
      },
    ],
  ];
  test.each(pairs)("ignores lines, folders, addresses and ids: %s", (_, one, other) => {
    same(one, other);
  });

  test.each(pairs)("another type has another fingerprint: %s", (_, one) => {
    differ(one, { ...one, exception_type: "Other" });
  });

  test.each(pairs.slice(0, -2))("another function has another fingerprint: %s", (_, one) => {
    const stacktrace = one.stacktrace?.map((line) => line.replaceAll(/open/gi, "close"));
    differ(one, { ...one, stacktrace: stacktrace ?? [] });
  });

  test("does not depend on how frames are divided into list items", () => {
    const lines = ['  File "a.py", line 1, in f\n', "    x\n", '  File "b.py", line 2, in g\n'];
    same(
      { exception_type: "E", stacktrace: lines },
      { exception_type: "E", stacktrace: [lines.join("")] },
    );
  });

  test("does not depend on the depth of a recursion", () => {
    const frame = (line: number) => `  File "a.py", line ${line}, in f`;
    same(
      { exception_type: "RecursionError", stacktrace: [frame(1), frame(2)] },
      {
        exception_type: "RecursionError",
        stacktrace: Array.from({ length: 900 }, (_, i) => frame(i)),
      },
    );
  });

  test("ignores the message if there are frames, else uses its text", () => {
    const stacktrace = ['  File "a.py", line 1, in f'];
    same(
      { exception_type: "E", exception_msg: "one thing", stacktrace },
      { exception_type: "E", exception_msg: "another", stacktrace },
    );
    differ(
      { exception_type: "E", exception_msg: "one thing" },
      { exception_type: "E", exception_msg: "another" },
    );
  });

  test("is explained by what a stored exception has", () => {
    const thrown = { exception_type: "E", exception_msg: "door 7" };
    const computed = { ...thrown, fingerprint: fingerprint(thrown) };
    expect(storedGrouping(computed)).toEqual({ by: "message", parts: ["E", "door <number>"] });
    const own = { ...thrown, fingerprint: fingerprint({ ...thrown, fingerprint: "doors" }) };
    expect(storedGrouping(own)).toEqual({ by: "program", parts: [own.fingerprint] });
  });

  test("is of the first 1,000 characters of a message, and the first 5,000 lines of a stack", () => {
    const long = "x".repeat(1_000);
    same(
      { exception_type: "E", exception_msg: `${long}one` },
      { exception_type: "E", exception_msg: `${long}another` },
    );
    const frames = Array.from({ length: 5_000 }, (_, i) => `  at f${i % 2} (a.js:1:1)`);
    same(
      { exception_type: "E", stacktrace: frames },
      { exception_type: "E", stacktrace: [...frames, "  at g (a.js:1:1)"] },
    );
  });
});
