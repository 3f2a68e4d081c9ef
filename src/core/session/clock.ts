/**
 * The clocks of senders. Each op has the time that its machine's clock showed. That clock may differ from the server's, and may be set
 * while a session runs. Here an op gets the time that the server's clock showed when it happened, as far as that is known.
 *
 * A request states when it was sent by the sender's clock, and the server knows when it came: their difference is the clock's offset at
 * the end of the batch. Sequences give the order of ops whatever their times are. So within a batch, from its end to its start:
 *
 *   a time later than the one that follows      the clock was set back between them
 *   a difference from the lane's offset before  the clock was set within the longest pause that is long enough
 *   a time before 2020, followed by a later one the clock had not been set yet
 *
 * A pause alone is no evidence: the machine may have slept. Offsets that the network's delay explains are not corrected.
 */
import {
  CLOCK_DELAY_MS,
  CLOCK_JITTER_MS,
  CLOCK_PAUSE_MS,
  CLOCK_TOLERANCE_MS,
  UNSET_CLOCK_BEFORE,
} from "../limits.ts";
import { type Arrival, boundTimes, countBounded, latestTime, oldestTime } from "./times.ts";
import type { Op, Points } from "../wire.ts";

/**
 * A clock as its last batch showed it: how far it was ahead of the server's, and the last time that it showed. `isOwn`: a lane's clock is
 * not that of its sender, as in a process whose time is simulated. `isFresh`: the offset is from one request only, so it is too low by the
 * delay of that request.
 */
export type ClockState = { offsetMs: number; lastAt: number; isOwn?: boolean; isFresh?: boolean };

/** What is known of the clock behind a batch: by its lane, and by all lanes of its machine. */
type KnownClocks = { lane?: ClockState; machine?: ClockState };

/** `at` is the corrected time of the first op after it; `byMs` is positive if the clock was set forward. */
type ClockStep = { at: number; byMs: number };

type Corrected = {
  /** The ops with corrected times; points of two offsets are two ops. */
  ops: Op[];
  /** How many ops were of a later time than their arrival, and have that now. */
  late: number;
  /** For each of them, what its own clock showed minus its corrected time. */
  offsets: number[];
  steps: ClockStep[];
  /** Undefined before the first time of the clock. */
  lane: ClockState | undefined;
  machine: ClockState | undefined;
  /** The clock minus the server's at the end of the batch, delay included. */
  skewMs: number;
  /** The offset of earlier batches was too low by this much, because of a delay: their corrected times are too late. */
  wasLateMs: number;
};

/** Consecutive times of one offset, by the sender's clock. */
type Frame = { low: number; high: number; offsetMs: number };
type Mark = { index: number; at: number; offsetMs: number };

export function correctTimes(ops: Op[], known: KnownClocks, arrival: Arrival): Corrected {
  const { now } = arrival;
  const marks = marksOf(ops, known, arrival);
  const { sentAt, isOwn } = sendersTime(marks, known, arrival);
  const skewMs = sentAt - now;
  const machine = isOwn ? known.lane : (known.machine ?? known.lane);
  const offsetMs = offsetAtEnd(marks, sentAt, skewMs, machine);
  const isFresh = isFreshAfter(offsetMs, skewMs, machine) || undefined;

  setOffsets(marks, sentAt, offsetMs);
  const wasLateMs = known.lane ? setBefore(marks, sentAt, offsetMs, known.lane) : 0;

  const steps = stepsOf(marks, sentAt, offsetMs, { lane: known.lane, machine });
  const frames = framesOf(marks, sentAt, offsetMs);
  const parts =
    frames.length === 1 ? ops.map((op) => ({ op, offsetMs })) : partsOf(ops, marks, frames);
  const rest = Math.min(Math.max(0, skewMs - offsetMs), CLOCK_TOLERANCE_MS);
  const latest = latestTime({ now, sentAt: arrival.sentAt === null ? null : now + rest });
  const corrected = parts.map(({ op, offsetMs: by }) => shifted(op, by));
  const bounded = boundTimes(corrected, latest);

  const last = marks.at(-1);
  return {
    ops: bounded,
    late: countBounded(corrected, bounded, latest),
    offsets: bounded.map(({ at }, index) => (parts[index]?.op.at ?? at) - at),
    steps,
    lane:
      last && last.index >= 0
        ? {
            offsetMs,
            lastAt: last.at - last.offsetMs + offsetMs,
            isOwn: isOwn || undefined,
            isFresh,
          }
        : known.lane,
    machine:
      isOwn || arrival.sentAt === null ? known.machine : { offsetMs, lastAt: sentAt, isFresh },
    skewMs,
    wasLateMs,
  };
}

/** Ops whose time is not always the clock's at their place in the sequence: a program may choose it, or the daemon derives it from records. */
const CHOSEN = new Set<Op["op"]>([
  "event",
  "hang",
  "recovered",
  "slept",
  "stacks",
  "attachment",
  "crash",
]);

/**
 * The times that show the clock's course, in order of sequence. A time that was chosen counts where it fits between its neighbours, or
 * where those show that the clock was set back.
 */
function marksOf(ops: Op[], known: KnownClocks, arrival: Arrival): Mark[] {
  const { sentAt } = arrival;
  const lastAt = known.lane?.lastAt;
  const marks: Mark[] = [];
  let before = lastAt ?? -Infinity;
  if (lastAt !== undefined) marks.push({ index: -1, at: lastAt, offsetMs: 0 });
  let chosen: Mark[] = [];
  const close = (after: number) => {
    const isSetBack = after < before - CLOCK_JITTER_MS;
    for (const mark of chosen) {
      const isAhead = mark.at > after + CLOCK_TOLERANCE_MS;
      const fits = mark.at >= before - CLOCK_TOLERANCE_MS && !isAhead;
      if (!fits && !isSetBack && !(isAhead && seemsSetBack(known, arrival))) continue;
      marks.push(mark);
      before = Math.max(before, mark.at);
    }
    chosen = [];
  };
  for (const [index, op] of ops.entries()) {
    const mark = { index, at: op.at, offsetMs: 0 };
    if (CHOSEN.has(op.op)) {
      chosen.push(mark);
      continue;
    }
    close(op.at);
    marks.push(mark);
    before = op.at;
  }
  close(sentAt ?? Infinity);
  return marks;
}

/** The lane's clock at the time of sending: the sender's, unless the lane has later times, which then are of a clock of its own. */
function sendersTime(
  marks: Mark[],
  known: KnownClocks,
  { now, sentAt }: Arrival,
): { sentAt: number; isOwn: boolean } {
  const expected = sentAt ?? now + (known.lane?.offsetMs ?? 0);
  const last = marks.at(-1);
  if (!last || last.index < 0 || last.at <= expected + CLOCK_TOLERANCE_MS)
    return { sentAt: expected, isOwn: false };
  return seemsSetBack(known, { now, sentAt }) && !known.lane?.isOwn
    ? { sentAt: expected, isOwn: false }
    : { sentAt: last.at, isOwn: true };
}

/** The sender's clock shows an earlier time than expected, whether it was set back or the request was slow. */
function seemsSetBack({ machine }: KnownClocks, { now, sentAt }: Arrival): boolean {
  return (
    machine !== undefined && sentAt !== null && sentAt - now < machine.offsetMs - CLOCK_TOLERANCE_MS
  );
}

/** The clock's offset at the end of the batch. It stays as it was where the delay of the request explains the difference. */
function offsetAtEnd(
  marks: Mark[],
  sentAt: number,
  skewMs: number,
  machine: ClockState | undefined,
): number {
  const before = machine?.offsetMs ?? 0;
  const change = skewMs - before;
  if (Math.abs(change) <= CLOCK_TOLERANCE_MS) return before;
  if (Math.abs(skewMs) <= CLOCK_TOLERANCE_MS) return 0;
  const isSetBack =
    (machine !== undefined && sentAt < machine.lastAt - CLOCK_JITTER_MS) ||
    marks.some(({ at }, index) => (marks[index + 1]?.at ?? sentAt) < at - CLOCK_JITTER_MS);
  return change < 0 && change > -CLOCK_DELAY_MS && !isSetBack ? before : Math.round(skewMs);
}

/** Whether no second request has confirmed the offset yet. An offset of 0 is that of a clock that is right, so it needs no second one. */
function isFreshAfter(offsetMs: number, skewMs: number, before: ClockState | undefined): boolean {
  if (offsetMs === 0) return false;
  if (before?.offsetMs !== offsetMs) return true;
  return before.isFresh === true && Math.abs(skewMs - offsetMs) > CLOCK_TOLERANCE_MS;
}

/** The delay of one request explains why the offset before was too low. */
function wasDelayed(before: ClockState, offsetMs: number): boolean {
  const change = offsetMs - before.offsetMs;
  return before.isFresh === true && change > 0 && change <= CLOCK_DELAY_MS;
}

/** Sets each mark's offset from the end to the start. Between two offsets no time is assumed to have passed. */
function setOffsets(marks: Mark[], sentAt: number, offsetMs: number): void {
  const end = { at: sentAt, offsetMs };
  let after = end;
  for (let i = marks.length - 1; i >= 0; i--) {
    const mark = marks[i];
    if (!mark) continue;
    const change = mark.at - after.at;
    const isStep =
      change > CLOCK_JITTER_MS ||
      // A lane may wait for its server for longer.
      (change < -CLOCK_PAUSE_MS && after !== end) ||
      (mark.at < UNSET_CLOCK_BEFORE && after.at >= UNSET_CLOCK_BEFORE);
    mark.offsetMs = isStep ? after.offsetMs + change : after.offsetMs;
    after = mark;
  }
}

/**
 * Sets the offset with which the lane began, up to where the clock was set. Returns by how much that offset was too low, if the clock
 * was not set.
 */
function setBefore(marks: Mark[], sentAt: number, offsetMs: number, lane: ClockState): number {
  const first = marks[0]?.offsetMs ?? offsetMs;
  const rest = first - lane.offsetMs;
  const hasSteps = marks.some((mark) => mark.offsetMs !== offsetMs);
  if (Math.abs(rest) <= CLOCK_TOLERANCE_MS && !hasSteps) return 0;

  if (rest > CLOCK_TOLERANCE_MS) {
    if (!hasSteps && wasDelayed(lane, first)) return rest;
    const pauses = pausesIn(marks, { at: sentAt, offsetMs });
    // Set forward, the clock skipped at least so much.
    if (pauses.reduce((sum, { ms }) => sum + ms, 0) < rest) return hasSteps ? 0 : rest;
    let left = rest;
    for (const { ms, end } of pauses) {
      if (left <= CLOCK_TOLERANCE_MS) break;
      for (const mark of marks.slice(0, end)) mark.offsetMs -= Math.min(left, ms);
      left -= ms;
    }
  } else if (rest < -CLOCK_TOLERANCE_MS && !hasSteps) {
    const [longest] = pausesIn(marks, { at: sentAt, offsetMs });
    for (const mark of marks.slice(0, longest?.end)) mark.offsetMs = lane.offsetMs;
  }
  // What is left is the time that passed while the clock was set.
  const start = marks[0]?.offsetMs;
  for (const mark of marks) {
    if (mark.offsetMs !== start) break;
    mark.offsetMs = lane.offsetMs;
  }
  return 0;
}

/** The pauses between marks by their corrected times, the longest first; `end` is the index of the mark after one. */
function pausesIn(marks: Mark[], end: Omit<Mark, "index">): { ms: number; end: number }[] {
  const correctedAt = (mark: Omit<Mark, "index">) => mark.at - mark.offsetMs;
  return marks
    .map((mark, index) => ({
      ms: correctedAt(marks[index + 1] ?? end) - correctedAt(mark),
      end: index + 1,
    }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms);
}

function stepsOf(
  marks: Mark[],
  sentAt: number,
  offsetMs: number,
  { lane, machine }: KnownClocks,
): ClockStep[] {
  const steps: ClockStep[] = [];
  const add = (before: number, after: { at: number; offsetMs: number }) => {
    const byMs = after.offsetMs - before;
    if (Math.abs(byMs) > CLOCK_TOLERANCE_MS) steps.push({ at: after.at - after.offsetMs, byMs });
  };
  const [first] = marks;
  // A new lane of a machine whose clock is known.
  if (first && !lane && machine && !wasDelayed(machine, first.offsetMs))
    add(machine.offsetMs, first);
  for (const [index, mark] of marks.entries()) {
    const after = marks[index + 1];
    // Before the first op after it, it is not known yet when the clock was set.
    if (after) add(mark.offsetMs, after);
    else if (mark.index >= 0) add(mark.offsetMs, { at: sentAt, offsetMs });
  }
  return steps;
}

function framesOf(marks: Mark[], sentAt: number, offsetMs: number): Frame[] {
  const frames: Frame[] = [];
  for (const mark of [...marks, { at: sentAt, offsetMs }]) {
    const frame = frames.at(-1);
    if (frame?.offsetMs === mark.offsetMs) {
      frame.low = Math.min(frame.low, mark.at);
      frame.high = Math.max(frame.high, mark.at);
    } else frames.push({ low: mark.at, high: mark.at, offsetMs: mark.offsetMs });
  }
  return frames;
}

/** The ops with the offset of their clock. */
function partsOf(ops: Op[], marks: Mark[], frames: Frame[]): { op: Op; offsetMs: number }[] {
  const byIndex = new Map(marks.map((mark) => [mark.index, mark.offsetMs]));
  return ops.flatMap((op, index) => {
    if (op.op === "points" && op.dt.length > 0) return partsOfPoints(op, frames);
    return [{ op, offsetMs: byIndex.get(index) ?? nearest(frames, op.at) }];
  });
}

/** The op with its times by the server's clock. No time is before 1970. */
function shifted(op: Op, offsetMs: number): Op {
  if (offsetMs === 0) return op;
  if (op.op === "points") return { ...op, at: op.at - Math.min(offsetMs, oldestTime(op)) };
  const at = Math.max(0, op.at - offsetMs);
  if (op.op === "hang" && op.last_heartbeat_at !== undefined)
    return { ...op, at, last_heartbeat_at: Math.max(0, op.last_heartbeat_at - offsetMs) };
  return { ...op, at };
}

/** Points of one offset each: the points of a batch may have been measured before and after the clock was set. */
function partsOfPoints(op: Points, frames: Frame[]): { op: Op; offsetMs: number }[] {
  const parts: { op: Points; offsetMs: number }[] = [];
  let { at } = op;
  let before = 0;
  for (const [i, step] of op.dt.entries()) {
    at += step;
    const offsetMs = nearest(frames, at);
    let part = parts.at(-1);
    if (part?.offsetMs !== offsetMs) {
      part = { offsetMs, op: { ...op, at, dt: [], values: [], counts: op.counts && [] } };
      parts.push(part);
      before = at;
    }
    part.op.dt.push(at - before);
    part.op.values.push(op.values[i] ?? 0);
    if (op.counts) part.op.counts?.push(op.counts[i] ?? 0);
    before = at;
  }
  return parts;
}

/** The offset of the frame that a time is in, or nearest to; of two, the later one. */
function nearest(frames: Frame[], at: number): number {
  let best = { distance: Infinity, offsetMs: 0 };
  for (const { low, high, offsetMs } of frames) {
    const distance = at < low ? low - at : at > high ? at - high : 0;
    if (distance <= best.distance) best = { distance, offsetMs };
  }
  return best.offsetMs;
}
