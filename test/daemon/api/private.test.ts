import { expect, test } from "vitest";
import { isPrivateOver } from "../../../daemon/api/private.ts";
import { PRIVATE_LINGER_MS } from "../../../daemon/limits.ts";

const [idleSince, orphanedSince] = [1_000, 2_000];

test("a private daemon without a session, or with one, stays", () => {
  expect(isPrivateOver({ idleSince: undefined, orphanedSince: undefined }, 1e9)).toBe(false);
});

test("it answers for a while after its last session, and after its program", () => {
  const idle = { idleSince, orphanedSince: undefined };
  expect(isPrivateOver(idle, idleSince + PRIVATE_LINGER_MS - 1)).toBe(false);
  expect(isPrivateOver(idle, idleSince + PRIVATE_LINGER_MS)).toBe(true);
  const orphaned = { idleSince: undefined, orphanedSince };
  expect(isPrivateOver(orphaned, orphanedSince + PRIVATE_LINGER_MS - 1)).toBe(false);
  expect(isPrivateOver(orphaned, orphanedSince + PRIVATE_LINGER_MS)).toBe(true);
});

test("the end of its program counts, whatever its sessions did before", () => {
  const both = { idleSince, orphanedSince };
  expect(isPrivateOver(both, orphanedSince + PRIVATE_LINGER_MS - 1)).toBe(false);
});
