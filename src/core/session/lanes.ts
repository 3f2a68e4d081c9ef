/** The lanes of a session: the sequence that each has reached, and its writer. */
import { browserOf } from "./browser.ts";
import { countLoss, sequencesOf } from "./counts.ts";
import { MAX_ARGUMENTS_LENGTH, MAX_LANES, MAX_NAME_LENGTH, MAX_WHOLE_WRITERS } from "../limits.ts";
import type { Redactor } from "../secrets/redact.ts";
import { redactArguments } from "../secrets/arguments.ts";
import { Refusal } from "../refusal.ts";
import type { Lane, SessionIndex } from "./session-index.ts";
import type { Batch, Writer } from "../batch.ts";
import type { Op } from "../wire.ts";

/** The lane of ops from 1.x's routes, which name none. The object numbers them in order of arrival. */
export const API_LANE = "api";

/** Entry of `SessionIndex.gapsExpected` for lanes that only the damaged segment may have named. No lane has this id. */
const ANY_NEW_LANE = "*";

/** The lane of an id, added if it is new with the key that opens it. Throws a Refusal (too_large). */
export function laneOf({ lanes }: SessionIndex, id: string, opener?: string): Lane {
  const known = lanes.find(({ lane }) => lane === id);
  if (known) return known;
  if (lanes.length >= MAX_LANES) {
    throw new Refusal(
      "too_large",
      `A session has at most ${MAX_LANES} lanes; open a new session for further processes.`,
    );
  }
  const lane: Lane = { lane: id, applied: 0, writer: {}, opener };
  lanes.push(lane);
  return lane;
}

/** From now on, the next batch of each lane may start after a gap: the records before it may have been in a damaged segment. */
export function expectGaps(index: SessionIndex): void {
  index.gapsExpected = [...index.lanes.map(({ lane }) => lane), ANY_NEW_LANE];
}

/**
 * Advances the lane of a batch to its last sequence. Returns how many records before it are lost, which is 0 unless a gap was
 * expected. Throws a Refusal: invalid_body, too_large, lane_gap, lane_overlap.
 */
export function advanceLane(index: SessionIndex, batch: Batch, opener?: string): number {
  checkRange(batch);
  const { first, last, writer } = batch;
  const isKnown = index.lanes.some(({ lane }) => lane === batch.lane);
  const lane = laneOf(index, batch.lane, opener);
  const { applied } = lane;
  const missing = first - applied - 1;
  const isGapExpected = index.gapsExpected.includes(isKnown ? batch.lane : ANY_NEW_LANE);
  if (missing > 0 && !isGapExpected) {
    throw new Refusal(
      "lane_gap",
      `Lane ${batch.lane} has ${applied} records here, and this batch starts at ${first}; send the records between.`,
      { applied },
    );
  }
  if (missing < 0) {
    throw new Refusal(
      "lane_overlap",
      `Lane ${batch.lane} has ${applied} records here, and this batch starts at ${first}; send the records after those.`,
      { applied },
    );
  }
  // Some of the missing records may have been read again from the damaged segment.
  const claimed = Math.min(index.unclaimed, missing);
  index.unclaimed -= claimed;
  countLoss(index, "damaged", missing - claimed);
  if (isKnown) index.gapsExpected = index.gapsExpected.filter((id) => id !== batch.lane);
  lane.applied = last;
  if (writer) noteWriter(index, lane, writer);
  return missing - claimed;
}

/**
 * Refuses a batch that ends before it starts, that carries more ops than the records it covers, or that covers records without an
 * account of them: they would be acknowledged, and what the writer really recorded there would be refused as a repetition.
 */
export function checkRange(batch: Batch): void {
  const { lane, first, last, ops } = batch;
  const records = last - first + 1;
  if (records < 0 || ops.length > records) {
    throw new Refusal(
      "invalid_body",
      `A batch of lane ${lane} with the records ${first} to ${last} cannot carry ${ops.length} ops.`,
    );
  }
  const accounted = accountedFor(batch);
  if (records <= accounted) return;
  throw new Refusal(
    "invalid_body",
    `A batch of lane ${lane} names the ${records} records ${first} to ${last}, and accounts for ${accounted}: by its ops, points, losses and aggregated records.`,
  );
}

/** How many records the ops of a batch, its losses and its aggregated records can stand for. */
function accountedFor({ ops, dropped = {}, aggregated = 0 }: Batch): number {
  let records = aggregated;
  for (const count of Object.values(dropped)) records += count;
  for (const op of ops) records += recordsOf(op);
  return records;
}

/** How many records an op can stand for. */
export function recordsOf(op: Op): number {
  if (op.op === "points") return Math.max(1, op.values.length);
  return op.op === "dropped" ? sequencesOf(op) : 1;
}

/** Stores the writer of a lane: whole for the first lanes, its process alone for the others. */
export function noteWriter(
  index: SessionIndex,
  lane: Lane,
  writer: Writer,
  redactor?: Redactor,
): void {
  const isWhole = index.lanes.indexOf(lane) < MAX_WHOLE_WRITERS;
  lane.writer = isWhole ? wholeWriter(writer, redactor) : processOf(writer);
  index.machineId ||= writer.machine_id ?? "";
  index.hostname ||= writer.hostname ?? "";
  index.browser ||= browserOf(writer.language ?? "");
  // The newest one counts: a program may continue in a new process after the machine restarted.
  index.bootId = writer.boot_id || index.bootId;
}

function wholeWriter(writer: Writer, redactor?: Redactor): Writer {
  const short = Object.fromEntries(
    Object.entries(writer).map(([key, value]) => [
      key,
      typeof value === "string" ? value.slice(0, MAX_NAME_LENGTH) : value,
    ]),
  ) as Writer; // the same keys, shorter texts
  if (!writer.arguments) return short;
  const args = redactArguments(writer.arguments, redactor);
  let room = MAX_ARGUMENTS_LENGTH;
  // Three characters for the quotes and the comma of each.
  const kept = args.filter((argument) => (room -= argument.length + 3) >= 0);
  return { ...short, arguments: kept.length < args.length ? [...kept, "…"] : kept };
}

function processOf({ pid, pid_started, boot_id }: Writer): Writer {
  return {
    pid,
    pid_started: pid_started?.slice(0, MAX_NAME_LENGTH),
    boot_id: boot_id?.slice(0, MAX_NAME_LENGTH),
  };
}
