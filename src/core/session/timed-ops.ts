/** The ops of a request by the server's clock. What they show of the sender's clock is noted in the index. */
import { noteClockStep, shiftBack } from "../status/observations.ts";
import type { Batch } from "../batch.ts";
import type { Op } from "../wire.ts";
import { correctTimes } from "./clock.ts";
import { noteBoundTimes } from "./counts.ts";
import { laneOf } from "./lanes.ts";
import type { Lane, SessionIndex } from "./session-index.ts";
import { type Arrival, boundTimes, countBounded, latestTime, newestTime } from "./times.ts";

/** An op by the server's clock, and by how much its own clock showed a later time. */
export type TimedOp = { op: Op; offsetMs: number };

/** The ops of a batch, whose times are corrected. */
export function correctedOps(
  index: SessionIndex,
  { lane: id, ops }: Batch,
  arrival: Arrival,
): TimedOp[] {
  const lane = laneOf(index, id);
  // Lanes of one machine have one clock.
  const machine = lane.writer.machine_id || lane.writer.hostname || id;
  const known = index.machineClocks.find((clock) => clock.machine === machine);
  const result = correctTimes(ops, { lane: lane.clock, machine: known }, arrival);

  lane.clock = result.lane;
  if (known && result.machine) Object.assign(known, result.machine);
  else if (result.machine) index.machineClocks.push({ machine, ...result.machine });
  noteBoundTimes(index, "future_time", result.late);
  for (const step of result.steps) noteClockStep(index.observations, step);
  if (arrival.sentAt !== null || result.lane?.offsetMs)
    index.clockSkewMs = Math.round(result.skewMs);
  index.clockOffsetMs = result.lane?.offsetMs ?? index.clockOffsetMs;
  if (result.wasLateMs > 0) shiftBack(index.observations, result.wasLateMs);
  return result.ops.map((op, i) => ({ op, offsetMs: result.offsets[i] ?? 0 }));
}

/** Ops without a clock of their own, none later than their arrival. */
export function boundedOps(index: SessionIndex, ops: Op[], arrival: Arrival): TimedOp[] {
  const latest = latestTime(arrival);
  const bounded = boundTimes(ops, latest);
  noteBoundTimes(index, "future_time", countBounded(ops, bounded, latest));
  return bounded.map((op) => ({ op, offsetMs: 0 }));
}

/**
 * A program's own crash is later than the ops before it in its lane, whatever their times are: an error of the clock that is not corrected
 * could make them contradict it. The daemon, whose batches are observed, reports a crash later than it happened.
 */
export function orderCrash(lane: Lane, ops: TimedOp[], now: number): void {
  for (const timed of ops) {
    const { op, offsetMs } = timed;
    if (op.op === "crash") {
      const at = Math.max(op.at, Math.min(lane.newestAt ?? 0, now));
      timed.op = { ...op, at };
      timed.offsetMs = op.at + offsetMs - at;
    }
    lane.newestAt = Math.max(lane.newestAt ?? 0, newestTime(timed.op));
  }
}
