import { expect, test } from "vitest";
import { parseRetryAfter, retryDelay } from "../../../daemon/send/retry.ts";

test("waits double up to a bound, differ, and are never shorter than the server asked", () => {
  for (let failures = 1; failures < 40; failures++) {
    const [shortest, longest] = [retryDelay(failures, 0), retryDelay(failures, 0.999)];
    expect(shortest).toBeGreaterThanOrEqual(250);
    expect(longest).toBeLessThanOrEqual(30_000);
    expect(longest).toBeGreaterThan(shortest);
  }
  expect([1, 2, 3, 7, 8].map((failures) => retryDelay(failures, 0))).toEqual([
    250, 500, 1_000, 15_000, 15_000,
  ]);
  expect(retryDelay(1, 0, 60_000)).toBe(60_000);
  expect(retryDelay(1, 0, 10 ** 12)).toBe(15 * 60_000);
});

test("Retry-After is seconds or a date; anything else is ignored", () => {
  expect(parseRetryAfter("120", 0)).toBe(120_000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 0)).toBe(60_000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 90_000)).toBe(0);
  expect(parseRetryAfter("soon", 0)).toBeUndefined();
  expect(parseRetryAfter(undefined, 0)).toBeUndefined();
});
