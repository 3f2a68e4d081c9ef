import { expect, test } from "vitest";
import {
  exceptionTree,
  isInHeadline,
  relationLabel,
  type ThrownException,
} from "../../../src/core/events/exception-tree.ts";
import { MAX_SHOWN_CAUSES } from "../../../src/core/limits.ts";
import type { Cause } from "../../../src/core/wire.ts";

const thrown = (exception_type: string, more: Partial<Cause> = {}): Cause => ({
  exception_type,
  ...more,
});

/** `Group(A(B), C)`: the members in brackets after a colon, the causes after a slash. */
function shape({ exception_type, causes, members }: ThrownException): string {
  const list = (mark: string, each: ThrownException[]) =>
    each.length === 0 ? "" : `${mark}[${each.map(shape).join(" ")}]`;
  return `${exception_type}${list(":", members)}${list("/", causes)}`;
}

test.each<[string, Cause[], string]>([
  ["an older list is a chain", [thrown("B"), thrown("C")], "A/[B/[C]]"],
  [
    "members stand beside causes",
    [
      thrown("M", { kind: "member" }),
      thrown("N", { kind: "context" }),
      thrown("O", { kind: "member", parent: 0 }),
      thrown("P", { parent: 0 }),
    ],
    "A:[M/[N] O]/[P]",
  ],
  ["a parent that comes later counts as the one before", [thrown("B", { parent: 9 })], "A/[B]"],
  [
    "nothing is its own parent",
    [thrown("B", { parent: 1 }), thrown("C", { parent: 2 })],
    "A/[B/[C]]",
  ],
])("%s", (_, causes, text) => {
  expect(shape(exceptionTree({ exception_type: "A", causes }).root)).toBe(text);
});

test("exceptions over the limit are counted with those that the client left out", () => {
  const causes = Array.from({ length: MAX_SHOWN_CAUSES + 3 }, () => thrown("B", { parent: 0 }));
  const { root, leftOut } = exceptionTree({ exception_type: "A", causes, causes_left_out: 4 });
  expect(root.causes).toHaveLength(MAX_SHOWN_CAUSES);
  expect(leftOut).toBe(7);
});

test("each has a label for what it is to the one above", () => {
  const { root } = exceptionTree({
    exception_type: "A",
    causes: [thrown("B", { kind: "member" }), thrown("C", { kind: "context" }), thrown("D")],
  });
  const [member] = root.members;
  const [context] = member?.causes ?? [];
  const labels = [member, context, context?.causes[0]].map(
    (each) => each && relationLabel(each, 0, 2),
  );
  expect(labels).toEqual(["Member 1 of 2", "While handling", "Caused by"]);
});

test.for([
  ["KeyError: 'door'", true],
  ["'door'", true],
  ["cannot open", false],
  ["'do", false],
] as const)("the headline of KeyError 'door' has %j: %s", ([text, expected]) => {
  const failure = { exception_type: "KeyError", exception_msg: "'door'\nsecond line" };
  expect(isInHeadline(text, failure)).toBe(expected);
});
