import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FIRST_REQUEST_BYTES,
  MAX_REQUEST_BYTES,
  MIN_REQUEST_BYTES,
} from "../../../daemon/limits.ts";
import {
  afterAccepted,
  afterBadBody,
  afterRefused,
  afterTooLarge,
  afterUnreachable,
  narrowed,
  NEW_SERVER,
  type ServerPace,
  widened,
} from "../../../daemon/send/pace.ts";

const failed: ServerPace = { ...NEW_SERVER, failures: 1, notBefore: 50 };

test("an accepted request ends the failures, and the next one may follow at once", () => {
  expect(afterAccepted(failed, 10, 1_000)).toEqual({
    failures: 0,
    notBefore: 1_000,
    requestBytes: FIRST_REQUEST_BYTES,
    isReachable: true,
  });
});

test("a server that asks for a slower pace gets it", () => {
  expect(afterAccepted(NEW_SERVER, 10, 1_000, 1_500).notBefore).toBe(2_500);
});

test("requests grow while they are at least half full, up to the bound", () => {
  let pace = NEW_SERVER;
  expect(afterAccepted(pace, pace.requestBytes / 2 - 1, 0).requestBytes).toBe(pace.requestBytes);
  for (let i = 0; i < 10; i++) pace = afterAccepted(pace, pace.requestBytes / 2, 0);
  expect(pace.requestBytes).toBe(MAX_REQUEST_BYTES);
});

test("Retry-After is followed: nothing is sent before", () => {
  expect(afterRefused(NEW_SERVER, 1_000, 0, 600_000).notBefore).toBe(601_000);
});

test("without Retry-After the wait doubles with each failure in a row", () => {
  const first = afterRefused(NEW_SERVER, 0, 0);
  expect(first).toMatchObject({ failures: 1, notBefore: 250, isReachable: true });
  expect(afterUnreachable(first, 0, 0)).toMatchObject({
    failures: 2,
    notBefore: 500,
    isReachable: false,
  });
});

test("from the second failed answer on requests halve; no answer leaves their size", () => {
  const first = afterRefused(NEW_SERVER, 0, 0);
  expect(first.requestBytes).toBe(FIRST_REQUEST_BYTES);
  expect(afterRefused(first, 0, 0).requestBytes).toBe(FIRST_REQUEST_BYTES / 2);
  expect(afterUnreachable(first, 0, 0).requestBytes).toBe(FIRST_REQUEST_BYTES);
});

test("a too large request is quartered; a single batch is sent again without a wait", () => {
  expect(afterTooLarge(NEW_SERVER, 1, 1_000, 0)).toMatchObject({
    failures: 0,
    notBefore: 0,
    requestBytes: FIRST_REQUEST_BYTES / 4,
  });
  expect(afterTooLarge(NEW_SERVER, 2, 1_000, 0)).toMatchObject({ failures: 1, notBefore: 1_250 });
});

test("after a refused body requests are as small as possible", () => {
  expect(afterBadBody(NEW_SERVER, 0, 0)).toMatchObject({
    requestBytes: MIN_REQUEST_BYTES,
    failures: 1,
  });
});

test("whatever the answers, a request has a size within the bounds", () => {
  const answer = fc.constantFrom<(pace: ServerPace) => ServerPace>(
    (pace) => afterAccepted(pace, pace.requestBytes, 0),
    (pace) => afterRefused(pace, 0, 0.5),
    (pace) => afterTooLarge(pace, 1, 0, 0.5),
    (pace) => afterBadBody(pace, 0, 0.5),
  );
  fc.assert(
    fc.property(fc.array(answer), (answers) => {
      const { requestBytes } = answers.reduce((pace, after) => after(pace), NEW_SERVER);
      expect(requestBytes).toBeGreaterThanOrEqual(MIN_REQUEST_BYTES);
      expect(requestBytes).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
    }),
  );
});

test("a refused batch halves until one record is left, and grows without a bound afterwards", () => {
  const sizes = [100];
  while (sizes.at(-1) !== 1) sizes.push(narrowed(sizes.at(-1) ?? 1));
  expect(sizes).toEqual([100, 50, 25, 13, 7, 4, 2, 1]);
  let records = 1;
  for (let i = 0; i < 20; i++) records = widened(records);
  expect(records).toBe(Infinity);
});
