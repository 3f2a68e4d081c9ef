import fc from "fast-check";
import { expect, test } from "vitest";
import { lastMomentOf, ranMs, statusMs, type Timed } from "../../../src/core/session/duration.ts";
import { STATUSES } from "../../../src/core/vocabulary.ts";

const NOW = 1_795_000_000_000;
/** Started a minute before its newest op, which the server received now. */
const running: Timed = {
  status: "active",
  status_since: NOW - 60_000,
  created_at: NOW - 60_000,
  updated_at: NOW,
  received_at: NOW,
  ended_at: null,
};
const later = NOW + 390_000;

test.each<[string, Partial<Timed>, { ran: number; inStatus: number }]>([
  ["a session that runs", {}, { ran: 450_000, inStatus: 450_000 }],
  [
    "a session that hangs",
    { status: "hung", status_since: NOW - 1_000 },
    { ran: 450_000, inStatus: 391_000 },
  ],
  [
    "a session without contact, which may have ended",
    { status: "suspended", status_since: NOW + 180_000 },
    { ran: 60_000, inStatus: 210_000 },
  ],
  [
    "a session that ended",
    { status: "ended", status_since: NOW - 5, ended_at: NOW - 5 },
    { ran: 59_995, inStatus: 390_005 },
  ],
])("%s", (_, session, { ran, inStatus }) => {
  expect(ranMs({ ...running, ...session }, later)).toBe(ran);
  expect(statusMs({ ...running, ...session }, later)).toBe(inStatus);
});

test("a session whose clock differs from the server's has the same durations", () => {
  for (const skew of [-1_700_000_000_000, -86_400_000, 86_400_000]) {
    const skewed = {
      ...running,
      status_since: running.status_since + skew,
      created_at: running.created_at + skew,
      updated_at: running.updated_at + skew,
    };
    expect(ranMs(skewed, later)).toBe(450_000);
    expect(statusMs(skewed, later)).toBe(450_000);
    expect(lastMomentOf(skewed, later)).toBe(later + skew);
  }
});

test("no duration is negative, and the last moment is not before the start, whatever the times are", () => {
  const time = fc.oneof(
    fc.integer({ min: 0, max: 2 * NOW }),
    fc.integer({ min: NOW - 10, max: NOW + 10 }),
  );
  fc.assert(
    fc.property(
      fc.record({
        status: fc.constantFrom(...STATUSES),
        status_since: time,
        created_at: time,
        updated_at: time,
        received_at: time,
        ended_at: fc.option(time),
      }),
      time,
      (session, now) => {
        expect(ranMs(session, now)).toBeGreaterThanOrEqual(0);
        expect(statusMs(session, now)).toBeGreaterThanOrEqual(0);
        expect(lastMomentOf(session, now)).toBeGreaterThanOrEqual(session.created_at);
      },
    ),
  );
});
