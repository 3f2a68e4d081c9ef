import { expect, test } from "vitest";
import { framesOf } from "../../../src/core/stack/frame.ts";

test.each([
  ['  File "/home/ada/a b/world.py", line 141, in step\n    x()', "/home/ada/a b/world.py", 141],
  ["    at load (/srv/app/src/index.ts:20:13)", "/srv/app/src/index.ts", 20],
  ["    at file:///srv/app/main.mjs:7:1", "file:///srv/app/main.mjs", 7],
  ["    at C:\\game\\main.js:9:2", "C:\\game\\main.js", 9],
  ["/home/ada/go/src/game/main.go:88 +0x1d", "/home/ada/go/src/game/main.go", 88],
  ["\tat com.example.Game.step(Game.java:42)", "Game.java", 42],
])("the file and line of %j are found", (text, file, line) => {
  expect(framesOf([text])).toMatchObject([{ text, place: { file, line }, isOwn: true }]);
});

test("a frame without a file is still a frame, and empty lines are none", () => {
  expect(framesOf(["goroutine 1 [running]:", "", "  "])).toMatchObject([
    { text: "goroutine 1 [running]:" },
  ]);
});

test("the lines of one frame are one", () => {
  const frames = framesOf([
    'Traceback (most recent call last):\n  File "/a/door.py", line 4, in open\n    x()\n    ^^^\nKeyError: 1',
    "main.(*Door).Open(0xc0, 0x1)\n\t/a/door.go:42 +0x1d\nmain.main()\n/a/main.go:7 +0x20",
    "   2: game::door::open\n             at ./src/door.rs:10:5",
  ]);
  expect(frames.map(({ text, place }) => [text.split("\n").length, place?.line])).toEqual([
    [1, undefined],
    [3, 4],
    [1, undefined],
    [2, 42],
    [2, 7],
    [2, 10],
  ]);
});
