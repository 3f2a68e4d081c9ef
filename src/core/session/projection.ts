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
import { correctTimes } from "./clock.ts";
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
import { advanceLane, expectGaps, laneOf, noteWriter } from "./lanes.ts";
import { MAX_LEASE_MS, MAX_SERIES, MAX_SERIES_BYTES } from "../limits.ts";
import { checkDepth, merge } from "../state/merge.ts";
import { StateSize } from "../state/size.ts";
import { redactOp, Redactor } from "../secrets/redact.ts";
import { redactedFields } from "../secrets/marks.ts";
import { type Contents, newContents } from "../segments/segment.ts";
import { addHistogram, boundsOf } from "../metrics/histogram.ts";
import { addPoints, addScalar, noteLane } from "../metrics/points.ts";
import { type Columns, noteRecorded } from "../metrics/columns.ts";
import { keyOf, newSeries, type Series, seriesKey } from "../metrics/series.ts";
import {
  noteClockStep,
  shiftBack,
  observe,
  observeDaemonHeartbeat,
} from "../status/observations.ts";
import { noteTransition } from "../status/status.ts";
import {
  type Arrival,
  boundTimes,
  countBounded,
  isSentAtWrong,
  latestTime,
  newestTime,
} from "./times.ts";
import { noteValues } from "../state/values.ts";
import { DAEMON_GROUP, EVENT_CRASHED, EVENT_HUNG, EVENT_RECOVERED } from "../vocabulary.ts";
import type { Batch, Event, JsonObject, Metric, Op, Points, Writer } from "../wire.ts";

/** What a batch changed, for publishing and for watchers. */
export type BatchOutcome = {
  /** What the segment gains. */
  contents: Contents;
  kinds: Set<Change["kinds"][number]>;
  /** The catalog must be updated at once: start, a new exception, or another status. */
  urgent: boolean;
};

/** An op by the server's clock, and by how much its own clock showed a later time. */
type TimedOp = { op: Op; offsetMs: number };

/** The lane of ops from 1.x's routes, which name none. The object numbers them in order of arrival. */
export const API_LANE = "api";

/** The redaction of a server without rules of its own. */
const BUILT_IN = new Redactor();

export class Projection {
  readonly index: SessionIndex;
  readonly state: JsonObject;
  readonly #redactor: Redactor;
  readonly #attachmentLimits: AttachmentLimits;
  readonly #series = new Map<string, Series>();
  /** The position of the lane whose ops are applied. */
  #lane = 0;
  #seriesBytes = 0;
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
    for (const series of index.series) this.#register(series);
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

  /** Applies the next batch of its lane, which `opener` opens if it is new (`Batch` in core/wire.ts). Throws a Refusal, after which the projection must be discarded. */
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
    const timed = isOwn ? this.#corrected(batch, arrival) : this.#bounded(ops, arrival);
    if (isOwn && !batch.observed) this.#orderCrash(timed, arrival.now);
    return this.#applyOps(timed, arrival, batch.lease_ms, isOwn);
  }

  /** Applies ops that came without a lane. */
  record(ops: Op[], arrival: Arrival, leaseMs?: number, writer?: Writer): BatchOutcome {
    const lane = laneOf(this.index, API_LANE);
    this.#lane = this.index.lanes.indexOf(lane);
    if (writer) noteWriter(this.index, lane, writer, this.#redactor);
    lane.applied += ops.length;
    this.index.accepted += itemsOf(ops);
    return this.#applyOps(this.#bounded(ops, arrival), arrival, leaseMs, false);
  }

  /** Applies an op that the server itself derived, such as a crash after the machine restarted. */
  conclude(op: Op, now: number): BatchOutcome {
    const arrival = { now, sentAt: null };
    return this.#applyOps(this.#bounded([op], arrival), arrival, undefined, true);
  }

  /** The ops of a batch by the server's clock. Notes what the batch shows of its sender's clock. */
  #corrected({ lane: id, ops }: Batch, arrival: Arrival): TimedOp[] {
    const { index } = this;
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

  /**
   * A program's own crash is later than the ops before it in its lane, whatever their times are: an error of the clock that is not corrected
   * could make them contradict it. The daemon, whose batches are observed, reports a crash later than it happened.
   */
  #orderCrash(ops: TimedOp[], now: number): void {
    const lane = this.index.lanes[this.#lane];
    if (!lane) return;
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

  /** Ops without a clock of their own, none later than their arrival. */
  #bounded(ops: Op[], arrival: Arrival): TimedOp[] {
    const latest = latestTime(arrival);
    const bounded = boundTimes(ops, latest);
    noteBoundTimes(this.index, "future_time", countBounded(ops, bounded, latest));
    return bounded.map((op) => ({ op, offsetMs: 0 }));
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
        this.#applyMetric(op, offsetMs, contents);
        kinds.add("metric");
        break;
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
        this.#addLegacyEvent(op, outcome);
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

  #applyMetric(op: Metric, offsetMs: number, contents: Contents): void {
    const bounds = op.type === "histogram" ? boundsOf(op) : [];
    const target = this.#target(op, bounds, contents);
    if (!target) return countLoss(this.index, "series_limit", 1);
    const before = target.series.points;
    const length = target.columns.at.length;
    if (op.type === "histogram") addHistogram(target.series, target.columns, op);
    else addScalar(target.series, target.columns, op);
    noteRecorded(target.columns, length, offsetMs);
    this.index.counts.points += target.series.points - before;
    // 1.x's daemon sends histograms again that did not change: no point was added.
    if (target.columns.at.length === 0) contents.series.delete(target.series.id);
  }

  #applyPoints(op: Points, offsetMs: number, contents: Contents): void {
    if (op.values.length === 0) return;
    const target = this.#target(op, [], contents);
    if (!target) return countLoss(this.index, "series_limit", op.values.length);
    const length = target.columns.at.length;
    addPoints(target.series, target.columns, op);
    noteRecorded(target.columns, length, offsetMs);
    this.index.counts.points += op.values.length;
  }

  /** The series of an op, created if new, and its columns in `contents`. Undefined when a limit of series is reached. */
  #target(
    op: Metric | Points,
    bounds: number[],
    contents: Contents,
  ): { series: Series; columns: Columns } | undefined {
    const key = seriesKey(op.name, op.legacy_type ?? op.type, op.tags ?? [], bounds);
    let series = this.#series.get(key);
    if (!series) {
      series = newSeries(this.index.series.length, op, bounds);
      const size = JSON.stringify(series).length;
      if (this.index.series.length >= MAX_SERIES || this.#seriesBytes + size > MAX_SERIES_BYTES)
        return undefined;
      this.index.series.push(series);
      this.#register(series);
    }
    let columns = contents.series.get(series.id);
    if (!columns) contents.series.set(series.id, (columns = { at: [], fields: [] }));
    if (series.type === "counter") noteLane(series, columns, this.#lane);
    return { series, columns };
  }

  #register(series: Series): void {
    this.#series.set(keyOf(series), series);
    this.#seriesBytes += JSON.stringify(series).length;
  }

  /** Adds the event by which 1.x reported a hang, a recovery or a crash: its programs search for these names. */
  #addLegacyEvent(op: Op, outcome: BatchOutcome): void {
    const event = (name: string, category: string, labels: string[], data: JsonObject) =>
      this.#applyEvent(
        { op: "event", at: op.at, name, category, group: DAEMON_GROUP, labels, data },
        outcome,
      );
    if (op.op === "hang") {
      event(EVENT_HUNG, "error", ["heartbeat", "hung"], {
        ...(op.last_heartbeat_at !== undefined && {
          seconds_since_heartbeat: Math.round((op.at - op.last_heartbeat_at) / 1_000),
        }),
        ...(op.process_state && { process_state: op.process_state }),
      });
    }
    if (op.op === "recovered") {
      event(
        EVENT_RECOVERED,
        "info",
        ["heartbeat", "recovery"],
        op.duration_ms === undefined ? {} : { duration_ms: op.duration_ms },
      );
    }
    if (op.op === "crash") {
      event(EVENT_CRASHED, "critical", ["crash", "process"], {
        reason: op.reason ?? "",
        ...(op.signal && { signal: op.signal }),
      });
    }
  }
}

/** How many log calls the ops stand for: each point was one, a report of a loss none. */
function itemsOf(ops: Op[]): number {
  return ops.reduce((sum, op) => {
    if (op.op === "dropped") return sum;
    return sum + (op.op === "points" ? op.values.length : 1);
  }, 0);
}

/** Refuses values that are nested too deep, before anything walks through them. */
export function checkNesting(op: Op): void {
  switch (op.op) {
    case "start":
      if (op.state) checkDepth(op.state, "The initial state");
      break;
    case "state":
      checkDepth(op.patch, "The state");
      break;
    case "event":
      if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
      break;
    case "metric":
    case "points":
      if (op.metadata) checkDepth(op.metadata, `The metadata of metric "${op.name}"`);
  }
}
