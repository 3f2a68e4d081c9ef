import { expect, test } from "vitest";
import { GIVE_UP_MS } from "../../daemon/limits.ts";
import { isBusy, type Workload } from "../../daemon/loop.ts";

const none: Workload = { lanes: 0, isLive: false, grewAt: 0, acceptedAt: Number.NEGATIVE_INFINITY };

test("a daemon is busy while a program runs, or while there are lanes to send", () => {
  expect(isBusy(none, 0)).toBe(false);
  expect(isBusy({ ...none, lanes: 1, isLive: true }, 10 * GIVE_UP_MS)).toBe(true);
  expect(isBusy({ ...none, lanes: 1 }, GIVE_UP_MS)).toBe(true);
});

test("it gives up lanes that no server accepts for an hour", () => {
  expect(isBusy({ ...none, lanes: 1 }, GIVE_UP_MS + 1)).toBe(false);
  expect(isBusy({ ...none, lanes: 1, acceptedAt: 1 }, GIVE_UP_MS + 1)).toBe(true);
});
