import { expect, test } from "vitest";
import { minuteOf, untilMinute } from "../../../daemon/serve/schedule.ts";

const MINUTE = 60_000;

test.each([
  ["0 * * * *", 0],
  ["7 * * * *", 7],
  ["59 * * * *", 59],
])("an hourly trigger %s has the minute %d", (cron, minute) => {
  expect(minuteOf(cron)).toBe(minute);
});

test.each(["60 * * * *", "*/5 * * * *", "17 3 * * *", "17 * * *", ""])(
  "the trigger '%s' is refused, because it is not hourly",
  (cron) => {
    expect(() => minuteOf(cron)).toThrow("hourly");
  },
);

test.each([
  ["later in this hour", 17, 5 * MINUTE, 12 * MINUTE],
  ["in the next hour", 17, 20 * MINUTE, 57 * MINUTE],
  [
    "an hour later when the minute begins now, so that one trigger is not run twice",
    17,
    17 * MINUTE,
    60 * MINUTE,
  ],
  ["in a part of a minute", 17, 17 * MINUTE - 1, 1],
  ["soon after the epoch", 0, 1, 60 * MINUTE - 1],
])("the trigger is due %s", (_, minute, now, wait) => {
  expect(untilMinute(minute, now)).toBe(wait);
});
