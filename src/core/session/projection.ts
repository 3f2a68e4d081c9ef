/**
 * The projection of a session's log: its state and its index, updated in memory by each op that is applied, without I/O. The
 * session object loads it, applies a batch and stores the outcome. After a Refusal the object discards it and loads it again,
 * so that nothing of a refused batch remains.
 */
import type { Change } from "../answers/change.ts";
import {
  ATTACHMENT_LIMITS,
  type AttachmentLimits,
  listAttachment,
  refusalFor,
} from "../attachments/attachments.ts";
import {
  addTags,
  countEvent,
  countException,
  countLoss,
  noteAltered,
  noteBoundTimes,
  noteDropped,
  noteLeftOut,
} from "./counts.ts";
import { eventRow, isException } from "../events/event.ts";
import { newIndex, type SessionIndex } from "./session-index.ts";
import { noteTexts } from "./searched.ts";
import { advanceLane, API_LANE, expectGaps, laneOf, noteWriter } from "./lanes.ts";
import { legacyEventOf } from "./legacy-event.ts";
import { checkNesting } from "./nesting.ts";
import { SeriesTable } from "./series-table.ts";
import { boundedOps, correctedOps, orderCrash, type TimedOp } from "./timed-ops.ts";
import { MAX_LEASE_MS } from "../limits.ts";
import { merge } from "../state/merge.ts";
import { StateSize } from "../state/size.ts";
import { redactOp, Redactor } from "../secrets/redact.ts";
import { redactedFields } from "../secrets/marks.ts";
import { type Contents, newContents } from "../segments/contents.ts";
import { observe, observeDaemonHeartbeat } from "../status/observations.ts";
import { noteTransition } from "../status/status.ts";
import { type Arrival, isSentAtWrong, latestTime, newestTime } from "./times.ts";
import { noteValues } from "../state/values.ts";
import type { Batch, Writer } from "../batch.ts";
import type { Event, JsonObject, Metric, Op, Points } from "../wire.ts";

/** What a batch changed, for publishing and for watchers. */
export type BatchOutcome = {
  /** What the segment gains. */
  contents: Contents;
  kinds: Set<Change["kinds"][number]>;
  /** The catalog must be updated at once: start, a new exception, or another status. */
  urgent: boolean;
};

/** The redaction of a server without rules of its own. */
const BUILT_IN = new Redactor();

export class Projection {
  readonly index: SessionIndex;
  readonly state: JsonObject;
  readonly #redactor: Redactor;
  readonly #attachmentLimits: AttachmentLimits;
  readonly #series: SeriesTable;
  /** The position of the lane whose ops are applied. */
  #lane = 0;
  readonly #size = new StateSize();

  constructor(
    index: SessionIndex,
    state: JsonObject,
    redactor = BUILT_IN,
    attachmentLimits = ATTACHMENT_LIMITS,
  ) {
    this.index = index;
    this.state = state;
    this.#redactor = redactor;
    this.#attachmentLimits = attachmentLimits;
    this.#series = new SeriesTable(index.series);
  }

  /** A new session, whose first op has the time `at`. */
  static open(
    id: string,
    at: number,
    arrival: Arrival,
    redactor = BUILT_IN,
    attachmentLimits = ATTACHMENT_LIMITS,
  ): Projection {
    const index = newIndex(id, Math.min(at, latestTime(arrival)), arrival.now);
    return new Projection(index, {}, redactor, attachmentLimits);
  }

  applied(lane: string): number {
    return this.index.lanes.find((entry) => entry.lane === lane)?.applied ?? 0;
  }

  /** Marks the newest segment as unreadable. The next batch of each lane may start after a gap, which is counted as damaged. */
  loseTail(): void {
    expectGaps(this.index);
  }

  /**
   * Applies the next batch of its lane, which `opener` opens if it is new (core/batch.ts). Throws a Refusal, after which the
   * projection must be discarded.
   */
  apply(batch: Batch, stated: Arrival, opener?: string): BatchOutcome {
    const { dropped = {}, ops, last } = batch;
    const isWrong = isSentAtWrong(stated);
    const arrival = isWrong ? { ...stated, sentAt: null } : stated;
    const before = this.applied(batch.lane);
    const missing = advanceLane(this.index, batch, opener);
    this.#lane = this.index.lanes.findIndex(({ lane }) => lane === batch.lane);
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, missing);
    // A `dropped` op has a sequence, but the program did not issue it.
    const reports = ops.filter(({ op }) => op === "dropped").length;
    if (!batch.observed)
      this.index.accepted += Math.max(last - before - reports, itemsOf(ops) + lost);
    for (const [cause, count] of Object.entries(dropped)) countLoss(this.index, cause, count);

    const isOwn = batch.lane !== API_LANE;
    noteBoundTimes(this.index, "sent_at", isWrong ? 1 : 0);
    const timed = isOwn
      ? correctedOps(this.index, batch, arrival)
      : boundedOps(this.index, ops, arrival);
    const lane = this.index.lanes[this.#lane];
    if (isOwn && !batch.observed && lane) orderCrash(lane, timed, arrival.now);
    return this.#applyOps(timed, arrival, batch.lease_ms, isOwn);
  }

  /** Applies ops that came without a lane. */
  record(ops: Op[], arrival: Arrival, leaseMs?: number, writer?: Writer): BatchOutcome {
    const lane = laneOf(this.index, API_LANE);
    this.#lane = this.index.lanes.indexOf(lane);
    if (writer) noteWriter(this.index, lane, writer, this.#redactor);
    lane.applied += ops.length;
    this.index.accepted += itemsOf(ops);
    return this.#applyOps(boundedOps(this.index, ops, arrival), arrival, leaseMs, false);
  }

  /** Applies an op that the server itself derived, such as a crash after the machine restarted. */
  conclude(op: Op, now: number): BatchOutcome {
    const arrival = { now, sentAt: null };
    return this.#applyOps(boundedOps(this.index, [op], arrival), arrival, undefined, true);
  }

  /** `isOwn`: by a lane of ours or by the server, not by a route of 1.x, whose ops revert no crash and end no hang but by name. */
  #applyOps(
    ops: TimedOp[],
    arrival: Arrival,
    leaseMs: number | undefined,
    isOwn: boolean,
  ): BatchOutcome {
    const { now } = arrival;
    const { observations } = this.index;
    const outcome: BatchOutcome = { contents: newContents(), kinds: new Set(), urgent: false };
    const crash = observations.crash;
    // An op cannot be newer than its arrival: one whose clock is ahead does not contradict a crash.
    if (ops.some(({ op }) => op.op === "crash"))
      observations.lastOpAt = Math.min(observations.lastOpAt, observations.lastContactAt);
    if (this.index.seq === 0 && ops[0]) this.#startAt(ops[0].op.at);

    observations.lastContactAt = now;
    if (leaseMs !== undefined) observations.leaseMs = Math.min(MAX_LEASE_MS, Math.round(leaseMs));
    const transition = observations.transitions.at(-1);
    let hasChanged = false;

    for (const { op: raw, offsetMs } of ops) {
      this.index.seq++;
      const op = this.#redacted(raw);
      this.#applyOp(op, offsetMs, outcome);
      if (op.op === "heartbeat" && !isOwn) observeDaemonHeartbeat(observations, op.at);
      else observe(observations, op, this.index.seq);
      // A hang may start and end within one batch that was delayed.
      if (op.op === "hang" || observations.transitions.at(-1)?.status === "hung")
        hasChanged = noteTransition(observations, now) || hasChanged;
      this.#noteTime(newestTime(op), now);
    }
    // Requests to a crashed session over 1.x's routes are recorded, but do not revert the crash.
    if (crash && !isOwn) observations.crash ??= crash;

    hasChanged ||= observations.transitions.at(-1) !== transition;
    if (noteTransition(observations, now) || hasChanged) {
      outcome.kinds.add("status");
      outcome.urgent = true;
    }
    return outcome;
  }

  /** The session starts with its first op, until an earlier one is applied. */
  #startAt(at: number): void {
    const { index } = this;
    index.createdAt = index.updatedAt = at;
    index.observations.startedAt = index.observations.lastOpAt = at;
  }

  #noteTime(at: number, now: number): void {
    if (at < this.index.updatedAt) return;
    this.index.updatedAt = at;
    this.index.receivedAt = now;
  }

  #applyOp(op: Op, offsetMs: number, outcome: BatchOutcome): void {
    const { index } = this;
    const { contents, kinds } = outcome;
    const own = offsetMs === 0 ? {} : { recorded_at: op.at + offsetMs };
    switch (op.op) {
      case "start": {
        const { state, ...start } = op;
        index.createdAt = Math.min(index.createdAt, op.at);
        index.product ||= op.product ?? "";
        index.version ||= op.version ?? "";
        addTags(index, op.tags ?? []);
        contents.others.push({ seq: index.seq, ...start, ...own });
        if (state) this.#applyPatch(op.at, state, true, contents, own.recorded_at);
        outcome.urgent = true;
        break;
      }
      case "state":
        this.#applyPatch(op.at, op.patch, false, contents, own.recorded_at);
        kinds.add("state");
        break;
      case "event":
        this.#applyEvent({ ...op, ...own }, outcome);
        break;
      case "metric":
      case "points":
        this.#applyPoints(op, offsetMs, contents);
        kinds.add("metric");
        break;
      case "heartbeat":
        if (own.recorded_at === undefined) contents.heartbeats.push(op.at);
        else {
          contents.recorded.at.push(op.at);
          contents.recorded.recordedAt.push(own.recorded_at);
        }
        index.counts.heartbeats++;
        kinds.add("heartbeat");
        break;
      case "attachment": {
        const refused = refusalFor(op, index.attachments, this.#attachmentLimits);
        const isListed = listAttachment(index.attachments, op, index.seq, refused);
        if (!isListed) noteLeftOut(index, "attachments", 1);
        contents.others.push({ seq: index.seq, ...op, ...(refused && { refused }), ...own });
        kinds.add("attachment");
        break;
      }
      case "tags":
        addTags(index, op.tags);
        contents.others.push({ seq: index.seq, ...op, ...own });
        kinds.add("status"); // the panel of the verdict lists them
        break;
      case "dropped":
        noteDropped(index, op);
        contents.others.push({ seq: index.seq, ...op, ...own });
        break;
      default:
        contents.others.push({ seq: index.seq, ...op, ...own });
        // 1.x's programs search for these events.
        const legacy = legacyEventOf(op);
        if (legacy) this.#applyEvent(legacy, outcome);
    }
  }

  /** The op without its secrets. Counts the fields that had some, also those that the client redacted. */
  #redacted(raw: Op): Op {
    if ((raw.op === "metric" || raw.op === "points") && raw.metadata === undefined) return raw;
    checkNesting(raw);
    const op = redactOp(raw, this.#redactor);
    const fields = redactedFields(op);
    noteAltered(this.index, "redacted", fields);
    return op;
  }

  #applyPatch(
    at: number,
    patch: JsonObject,
    initial: boolean,
    contents: Contents,
    recordedAt?: number,
  ): void {
    merge(this.state, patch);
    this.#size.check(this.state, patch);
    this.index.clockAt = Math.max(this.index.clockAt, at);
    contents.states.push({
      seq: this.index.seq,
      at,
      patch,
      effectiveAt: this.index.clockAt,
      initial,
      recordedAt,
    });
    if (!initial) this.index.counts.states++;
    const leftOut = noteValues(this.index.values, patch, this.state, this.index.clockAt);
    noteLeftOut(this.index, "state_paths", leftOut);
  }

  #applyEvent(op: Event & { recorded_at?: number }, outcome: BatchOutcome): void {
    const { index } = this;
    const { contents, kinds } = outcome;
    const row = eventRow(op, index.seq);
    contents.events.push(row);
    index.counts.events++;
    kinds.add("event");
    countEvent(index, row);
    if (isException(row)) {
      index.counts.exceptions++;
      kinds.add("exception");
      if (countException(index, row)) outcome.urgent = true;
    }
    noteTexts(index, row);
  }

  #applyPoints(op: Metric | Points, offsetMs: number, contents: Contents): void {
    const { index } = this;
    const added = this.#series.add(op, contents.series, { lane: this.#lane, offsetMs });
    if (added === null) countLoss(index, "series_limit", itemsOf([op]));
    else index.counts.points += added;
  }
}

/** How many log calls the ops stand for: each point was one, a report of a loss none. */
function itemsOf(ops: Op[]): number {
  return ops.reduce((sum, op) => {
    if (op.op === "dropped") return sum;
    return sum + (op.op === "points" ? op.values.length : 1);
  }, 0);
}
