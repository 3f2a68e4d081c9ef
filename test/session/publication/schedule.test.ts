import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MAX_PUBLISH_DELAY_MS,
  POSTING_MS,
  PUBLISH_MS,
  PUBLISH_RETRY_MS,
} from "../../../src/core/limits.ts";
import { newObservations } from "../../../src/core/status/observations.ts";
import {
  NEW_SCHEDULE,
  nextAlarm,
  nextPublication,
  type Schedule,
  withChange,
  withFailure,
  withRowDue,
  withStarted,
  withSuccess,
} from "../../../src/session/publication/schedule.ts";

const NOW = 1_000_000_000;
const OPEN = { end: null, crash: null };
const OVER = { end: { at: NOW }, crash: null };
const next = (schedule: Schedule, now = NOW, observations: typeof OPEN | typeof OVER = OPEN) =>
  nextPublication({ schedule, observations }, now);
const published = (scope: "row" | "all" = "all", schedule = NEW_SCHEDULE) =>
  withSuccess(withStarted(schedule, scope), { scope, now: NOW });

describe("the next publication", () => {
  test("is never of a session that has not changed", () => {
    expect(next(NEW_SCHEDULE)).toBeNull();
    expect(next(published())).toBeNull();
  });

  test("is at once for what people wait for, else PUBLISH_MS after the first change", () => {
    expect(next(withChange(NEW_SCHEDULE, true, NOW))?.at).toBe(NOW);
    const changed = withChange(NEW_SCHEDULE, false, NOW);
    expect(next(changed)?.at).toBe(NOW + PUBLISH_MS);
    expect(next(withChange(changed, false, NOW + 1_000))?.at).toBe(NOW + PUBLISH_MS);
    expect(next(withChange(changed, true, NOW + 1_000))?.at).toBe(NOW + 1_000);
  });

  test("leaves the lists out until their pause is over, and follows with them then", () => {
    const changed = withChange(published(), false, NOW);
    expect(next(changed, NOW + PUBLISH_MS)).toMatchObject({ at: NOW + PUBLISH_MS, scope: "row" });
    const without = published("row", changed);
    expect(next(without)).toMatchObject({ at: NOW + POSTING_MS, scope: "all" });
  });

  test("has everything after what people wait for, and when the session is over, whatever the pause", () => {
    expect(next(withChange(published(), true, NOW + 1), NOW + 1)?.scope).toBe("all");
    expect(next(withChange(published(), false, NOW + 1), NOW + 1, OVER)?.scope).toBe("all");
  });

  test("waits longer after each failure, and then has everything", () => {
    let failed = withChange(published(), false, NOW);
    const waits = Array.from({ length: 9 }, () => {
      failed = withFailure(withStarted(failed, "row"), NOW);
      expect(next(failed)?.scope).toBe("all");
      return (next(failed)?.at ?? 0) - NOW;
    });
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8].map((factor) => factor * PUBLISH_RETRY_MS));
    expect(waits.at(-1)).toBe(MAX_PUBLISH_DELAY_MS);
  });

  test("adds the session to the roster until one has succeeded", () => {
    const first = withChange(NEW_SCHEDULE, true, NOW);
    expect(next(first)?.addsToRoster).toBe(true);
    expect(next(withFailure(first, NOW))?.addsToRoster).toBe(true);
    expect(next(withChange(published(), true, NOW))?.addsToRoster).toBe(false);
  });

  test("may be brought forward, never put off", () => {
    const changed = withChange(NEW_SCHEDULE, false, NOW);
    expect(next(withRowDue(changed, NOW + 5))?.at).toBe(NOW + 5);
    expect(next(withRowDue(changed, NOW + 2 * PUBLISH_MS))?.at).toBe(NOW + PUBLISH_MS);
  });
});

describe("the next alarm", () => {
  const observations = { ...newObservations(NOW, NOW), leaseMs: 60_000 };
  const alarm = (alarmAt: number | null, schedule = NEW_SCHEDULE, known = observations) =>
    nextAlarm({ alarmAt, schedule, observations: known }, NOW);

  test("is when the verdict may change, or a publication is due", () => {
    expect(alarm(null)).toBe(NOW + 60_001);
    expect(alarm(null, withChange(NEW_SCHEDULE, false, NOW))).toBe(NOW + PUBLISH_MS);
  });

  test("is not set again when it comes earlier already", () => {
    expect(alarm(NOW + 60_001)).toBeNull();
    expect(alarm(NOW + 5)).toBeNull();
    expect(alarm(NOW + 60_002)).toBe(NOW + 60_001);
  });

  test("is not needed by a session that is over and published", () => {
    expect(alarm(null, NEW_SCHEDULE, { ...observations, end: { at: NOW } })).toBeNull();
  });
});

/**
 * The object as it obeys its schedule, against the simplest model: what was applied and what the catalog has are two counters. Its alarm
 * rings when it is due; the catalog answers or not, and may take some time.
 */
class Model {
  now = NOW;
  schedule: Schedule = NEW_SCHEDULE;
  alarmAt: number | null = null;
  isUp = true;
  isOver = false;
  applied = 0;
  catalogued = 0;
  listed = 0;
  /** When the oldest change that the catalog does not have was applied. */
  changedAt: number | null = null;
  urgentSince: number | null = null;
  upSince = NOW;
  isListed = false;
  /** When the lists were written, but for urgent changes. */
  lists: number[] = [];

  get observations() {
    return { ...newObservations(NOW, NOW), leaseMs: 1e12, end: this.isOver ? { at: NOW } : null };
  }

  apply(isUrgent: boolean): void {
    this.applied++;
    this.changedAt ??= this.now;
    if (isUrgent) this.urgentSince ??= this.now;
    this.schedule = withChange(this.schedule, isUrgent, this.now);
    this.setAlarm();
  }

  setAlarm(): void {
    const { alarmAt, schedule, observations } = this;
    this.alarmAt = nextAlarm({ alarmAt, schedule, observations }, this.now) ?? alarmAt;
  }

  /** Lets time pass, with all alarms that are due in it. */
  wait(ms: number): void {
    const until = this.now + ms;
    for (let rings = 0; this.alarmAt !== null && this.alarmAt <= until; rings++) {
      expect(rings).toBeLessThan(2_000); // not in a busy loop
      this.now = Math.max(this.now, this.alarmAt);
      this.alarmAt = null;
      this.publish();
      this.setAlarm();
    }
    this.now = until;
  }

  publish(): void {
    const plan = nextPublication(this, this.now);
    if (!plan || plan.at > this.now) return;
    this.schedule = withStarted(this.schedule, plan.scope);
    if (!this.isUp) {
      this.schedule = withFailure(this.schedule, this.now);
      return;
    }
    expect(plan.addsToRoster || this.isListed).toBe(true);
    this.isListed = true;
    this.catalogued = this.applied;
    const isUrgent = this.urgentSince !== null;
    [this.changedAt, this.urgentSince] = [null, null];
    if (isUrgent) expect(plan.scope).toBe("all");
    if (plan.scope === "all") {
      this.listed = this.applied;
      if (!this.isOver && !isUrgent) this.lists.push(this.now);
    }
    this.schedule = withSuccess(this.schedule, { scope: plan.scope, now: this.now });
  }
}

test("whatever happens, the catalog follows in time, at a bounded rate, and rests when it has everything", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("apply"), urgent: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("outage"), urgent: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("end"), urgent: fc.constant(true) }) },
  );
  const steps = fc.array(
    fc.record({
      step,
      waitMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 900_000 })),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(steps, (history) => {
      const model = new Model();
      for (const { step: what, waitMs } of history) {
        if (what.kind === "end") model.isOver = true;
        if (what.kind === "outage") {
          model.isUp = !model.isUp;
          model.upSince = model.now;
        } else model.apply(what.urgent);
        model.wait(waitMs);

        // With a catalog that answers, an urgent change is there at once, any other within PUBLISH_MS; after an outage, with the next
        // attempt.
        const answers = model.isUp && model.now - model.upSince > MAX_PUBLISH_DELAY_MS;
        if (answers) expect(model.urgentSince).toBeNull();
        if (answers && model.changedAt !== null)
          expect(model.now - model.changedAt).toBeLessThanOrEqual(PUBLISH_MS);
        // Whatever is not there yet has an alarm that will bring it.
        if (model.catalogued < model.applied) expect(model.alarmAt).not.toBeNull();
        if (model.isOver && model.isUp && model.changedAt === null)
          expect(model.listed).toBe(model.applied);
      }
      // Lists are written no more often than their pause allows, over any stretch without an outage or an end.
      if (!history.some(({ step: { kind } }) => kind === "outage"))
        model.lists.forEach((at, index) => {
          const following = model.lists[index + 1] ?? Infinity;
          expect(following - at).toBeGreaterThanOrEqual(POSTING_MS);
        });

      // Left alone with a catalog that answers, everything arrives, and no alarm but the verdict's is left.
      model.isUp = true;
      model.wait(2 * MAX_PUBLISH_DELAY_MS);
      expect([model.catalogued, model.listed]).toEqual([model.applied, model.applied]);
      expect(nextPublication(model, model.now)).toBeNull();
    }),
    { numRuns: 500 },
  );
});

test("an alarm is never later than what is due, and is set only when that is needed", () => {
  const time = fc.option(fc.integer({ min: NOW, max: NOW + 1_000_000 }), { nil: null });
  fc.assert(
    fc.property(time, time, fc.integer({ min: 1, max: 1_000_000 }), (alarmAt, rowAt, leaseMs) => {
      const observations = { ...newObservations(NOW, NOW), leaseMs };
      const schedule = { ...NEW_SCHEDULE, rowAt };
      const due = Math.min(NOW + leaseMs + 1, rowAt ?? Infinity);
      const set = nextAlarm({ alarmAt, schedule, observations }, NOW);
      expect(Math.min(set ?? Infinity, alarmAt ?? Infinity)).toBeLessThanOrEqual(due);
      if (alarmAt !== null && alarmAt <= due) expect(set).toBeNull();
      else expect(set).toBe(due);
    }),
  );
});
