import { expect, test } from "vitest";
import {
  grouped,
  grouper,
  type GroupedSession,
  readGrouping,
  ungrouped,
} from "../../../src/core/comparison/grouping.ts";

const session: GroupedSession = {
  id: "s",
  product: "game",
  version: "1.2",
  status: "ended",
  failed: true,
  machine_id: "m",
  hostname: "",
  created_at: Date.UTC(2026, 0, 31, 23, 59),
  os: "linux x86_64",
  language: "python 3.13.0",
  browser: "",
  exit_code: null,
  tags: ["branch:main", "nightly", "12:30", "branch:a:b"],
  state: ['"vulkan'],
};

test("sessions are grouped by any field, with the labels of lists", () => {
  const group = (by: string) => grouper(readGrouping(by) ?? "none")(session);
  expect(group("none")).toBe("");
  expect(group("product")).toBe("game");
  expect(group("version")).toBe("game 1.2");
  expect(group("machine")).toBe("m");
  expect(group("status")).toBe("failed");
  expect(group("session")).toBe("s");
  expect(group("os")).toBe("linux x86_64");
  expect(group("language")).toBe("python 3.13.0");
  expect(group("browser")).toBe("");
  expect(group("exit_code")).toBe("");
  expect(group("day")).toBe("2026-01-31");
});

test("a session that ended with an exit code, a signal or failed tests is one that failed", () => {
  const { failed: _, ...ended } = session;
  const group = grouper("status");
  expect(group(ended)).toBe("ended");
  expect(group({ ...ended, exit_code: 3 })).toBe("failed");
  expect(group({ ...ended, signal: "SIGTERM" })).toBe("failed");
  expect(group({ ...ended, failed_tests: 1 })).toBe("failed");
  expect(group({ ...ended, status: "crashed", exit_code: 3 })).toBe("crashed");
});

test("by the values of a tag, which may be several, or none beside its key", () => {
  const group = (by: string) => grouper(readGrouping(by) ?? "none")(session);
  expect(group("tag.branch")).toBe("a:b, main");
  expect(group("tag.nightly")).toBe("nightly");
  expect(group("tag.12:30")).toBe("12:30");
  expect(group("tag.other")).toBe("");
});

test("by the last value of a path: texts that would be read as another type are in quotes", () => {
  const of = (state: GroupedSession["state"]) =>
    grouper("state.config.renderer")({ ...session, ...(state !== undefined && { state }) });
  expect(of(['"vulkan'])).toBe("vulkan");
  expect(of(['"3'])).toBe('"3"');
  expect(of(["=3"])).toBe("3");
  expect(of(["=true"])).toBe("true");
  expect(of(['"true'])).toBe('"true"');
  expect(of(['"a', "=1"])).toBe("a, 1");
  expect(of([])).toBe("");
  expect(of(null)).toBeNull();
});

test("what is not known is in no group, and counted by session", () => {
  const { os: _, ...unknown } = session;
  const items = [
    { session },
    { session: { ...unknown, id: "u" } },
    { session: { ...unknown, id: "u" } },
  ];
  expect([...grouped(items, "os").keys()]).toEqual(["linux x86_64"]);
  expect(ungrouped(items, "os")).toBe(1);
  expect(ungrouped(items, "none")).toBe(0);
});

test("other texts are refused", () => {
  for (const text of [
    "",
    "versions",
    "tag",
    "tag.",
    "state.",
    "state.[1]",
    "Version",
    "constructor",
  ])
    expect(readGrouping(text), text).toBeUndefined();
  expect(readGrouping('state.["a.b"]')).toBe('state.["a.b"]');
});
