import { describe, expect, test } from "vitest";
import {
  countEvent,
  countException,
  countLoss,
  noteLeftOut,
} from "../../../src/core/session/counts.ts";
import {
  MAX_DROP_CAUSES,
  MAX_EVENT_NAMES,
  MAX_EVENT_NAMES_BYTES,
  MAX_EXCEPTION_LENGTH,
  MAX_FINGERPRINTS,
} from "../../../src/core/limits.ts";
import { newIndex } from "../../../src/core/session/session-index.ts";

const index = () => newIndex("s-1", 0, 0);
const event = (name: string, at = 5, more: object = {}) => ({
  seq: 1,
  at,
  name,
  category: "info",
  ...more,
});

describe("events by name and category", () => {
  test("have their count, first and last time", () => {
    const session = index();
    countEvent(session, event("door", 5));
    countEvent(session, event("door", 9));
    countEvent(session, event("door", 3));
    countEvent(session, event("door", 4, { category: "error" }));
    expect(session.names).toEqual([
      {
        name: "door",
        category: "info",
        count: 3,
        first_at: 3,
        last_at: 9,
      },
      { name: "door", category: "error", count: 1, first_at: 4, last_at: 4 },
    ]);
  });

  test("are bounded in number; known names are still counted", () => {
    const session = index();
    for (let i = 0; i < MAX_EVENT_NAMES; i++) countEvent(session, event(`e${i}`));
    expect(session.leftOut).toEqual({});
    countEvent(session, event("one more"));
    countEvent(session, event("e0"));
    expect(session.names).toHaveLength(MAX_EVENT_NAMES);
    expect(session.names[0]?.count).toBe(2);
    countEvent(session, event("another"));
    expect(session.leftOut).toEqual({ event_names: 2 });
  });

  test("are bounded in size, with their categories", () => {
    const session = index();
    const name = "n".repeat(1_000);
    const size = name.length + 3 + 4;
    for (let i = 100; session.leftOut.event_names === undefined; i++)
      countEvent(session, event(`${name}${i}`));
    expect(session.names).toHaveLength(Math.floor(MAX_EVENT_NAMES_BYTES / size));
  });
});

describe("exceptions by fingerprint", () => {
  const failure = (fingerprint: string, at = 5, seq = 1) =>
    event("e", at, { seq, fingerprint, exception_type: "KeyError", exception_msg: "lich" });

  test("have their count, first and last time, and the sequence of the first", () => {
    const session = index();
    expect(countException(session, failure("a", 5, 7))).toBe(true);
    expect(countException(session, failure("a", 9, 8))).toBe(false);
    expect(countException(session, failure("a", 3, 9))).toBe(false);
    expect(session.exceptions).toEqual([
      {
        fingerprint: "a",
        calls: "",
        type: "KeyError",
        message: "lich",
        place: "",
        count: 3,
        unhandled: 0,
        firstAt: 3,
        lastAt: 9,
        firstSeq: 7,
      },
    ]);
  });

  test("keep bounded texts, empty where there are none", () => {
    const session = index();
    countException(session, event("e", 5, { fingerprint: "a" }));
    const long = "x".repeat(MAX_EXCEPTION_LENGTH + 1);
    countException(
      session,
      event("e", 5, { fingerprint: "b", exception_type: long, exception_msg: long }),
    );
    expect(session.exceptions.map(({ type, message }) => [type.length, message.length])).toEqual([
      [0, 0],
      [MAX_EXCEPTION_LENGTH, MAX_EXCEPTION_LENGTH],
    ]);
  });

  test("are bounded in number", () => {
    const session = index();
    for (let i = 0; i < MAX_FINGERPRINTS; i++) countException(session, failure(`f${i}`));
    expect(session.leftOut).toEqual({});
    expect(countException(session, failure("one more"))).toBe(false);
    expect(countException(session, failure("f0"))).toBe(false);
    expect(session.exceptions).toHaveLength(MAX_FINGERPRINTS);
    expect(session.leftOut).toEqual({ exceptions: 1 });
  });
});

describe("losses by cause", () => {
  test("add up; none adds no cause", () => {
    const session = index();
    countLoss(session, "damaged", 2);
    countLoss(session, "damaged", 3);
    countLoss(session, "refused", 0);
    expect(session.dropped).toEqual({ damaged: 5 });
  });

  test("of too many causes, and of __proto__, are counted together", () => {
    const session = index();
    countLoss(session, "__proto__", 4);
    for (let i = 0; i < MAX_DROP_CAUSES; i++) countLoss(session, `cause ${i}`, 1);
    countLoss(session, "cause 0", 1);
    expect(Object.keys(session.dropped)).toHaveLength(MAX_DROP_CAUSES);
    expect(session.dropped).toMatchObject({ other: 5, "cause 0": 2 });
    expect(Object.getPrototypeOf(session.dropped)).toBe(Object.prototype);
  });
});

test("what is left out is counted by its kind; nothing adds no kind", () => {
  const session = index();
  noteLeftOut(session, "exceptions", 1);
  noteLeftOut(session, "state_paths", 0);
  noteLeftOut(session, "exceptions", 2);
  expect(session.leftOut).toEqual({ exceptions: 3 });
});
