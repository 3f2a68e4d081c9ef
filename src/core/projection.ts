/**
 * The projection of a session's log: its state and its index, which applying an op changes, in memory and without I/O. The
 * session object loads it, applies a batch and stores the outcome. After a Refusal the object discards it and loads it again,
 * so that nothing of a refused batch remains.
 */
import type { Change, Lane } from "./answers.ts";
import { utf8 } from "./bytes.ts";
import { eventRow, isException } from "./event.ts";
import { type SessionIndex, type NameCount, newIndex } from "./session-index.ts";
import {
  MAX_ARGUMENTS_LENGTH,
  MAX_DROP_CAUSES,
  MAX_EVENT_NAMES,
  MAX_EVENT_NAMES_BYTES,
  MAX_EXAMPLE_LENGTH,
  MAX_EXAMPLES,
  MAX_FINGERPRINTS,
  MAX_LABELS,
  MAX_LANES,
  MAX_LEASE_MS,
  MAX_NAME_LENGTH,
  MAX_SERIES,
  MAX_SERIES_BYTES,
  MAX_STATE_BYTES,
  MAX_STATE_KEYS,
  MAX_WHOLE_WRITERS,
} from "./limits.ts";
import { checkDepth, countKeys, merge } from "./merge.ts";
import { redact } from "./redact.ts";
import { Refusal } from "./refusal.ts";
import { type Contents, newContents } from "./segment.ts";
import {
  addHistogram,
  addPoints,
  addScalar,
  boundsOf,
  type Columns,
  keyOf,
  newSeries,
  type Series,
  seriesKey,
} from "./series.ts";
import { observe, noteTransition } from "./status.ts";
import { type Arrival, boundTimes, latestTime, skewOf } from "./times.ts";
import { noteValues } from "./values.ts";
import { DAEMON_GROUP, EVENT_CRASHED, EVENT_HUNG, EVENT_RECOVERED } from "./vocabulary.ts";
import type { Batch, Event, JsonObject, Metric, Op, Points, Writer } from "./wire.ts";

/** What a batch changed, for publishing and for watchers. */
export type Outcome = {
  /** What the segment gains. */
  contents: Contents;
  kinds: Set<Change["kinds"][number]>;
  /** The catalog must be updated at once: start, a new exception, or another status. */
  urgent: boolean;
};

/** The lane of ops from 1.x's routes, which name none. The object numbers them in order of arrival. */
export const API_LANE = "api";

/** Entry of `SessionIndex.gapsExpected` for lanes that only the damaged segment may have named. No lane has this id. */
const ANY_NEW_LANE = "*";
/** Counts all causes of loss after the first MAX_DROP_CAUSES. */
const OTHER_CAUSES = "other";
/** A UTF-16 code unit takes at most three bytes of UTF-8. */
const MAX_UTF8_BYTES = 3;

export class Projection {
  readonly index: SessionIndex;
  readonly state: JsonObject;
  readonly #series = new Map<string, Series>();
  #seriesBytes = 0;
  /** Upper bounds of the state's size. The state is measured only when they exceed the limits. */
  #byteBound = Infinity;
  #keyBound = Infinity;

  constructor(index: SessionIndex, state: JsonObject) {
    this.index = index;
    this.state = state;
    for (const series of index.series) this.#register(series);
  }

  /** A new session, whose first op has the time `at`. */
  static open(id: string, at: number, arrival: Arrival): Projection {
    return new Projection(newIndex(id, Math.min(at, latestTime(arrival)), arrival.now), {});
  }

  applied(lane: string): number {
    return this.index.lanes.find((entry) => entry.lane === lane)?.applied ?? 0;
  }

  /** Marks the newest segment as unreadable. The next batch of each lane may start after a gap, which is counted as damaged. */
  loseTail(): void {
    this.index.gapsExpected = [...this.index.lanes.map(({ lane }) => lane), ANY_NEW_LANE];
  }

  /** Applies the next batch of its lane (`Batch` in wire.ts). Throws a Refusal, after which the projection must be discarded. */
  apply(batch: Batch, arrival: Arrival): Outcome {
    checkRange(batch);
    const isKnown = this.index.lanes.some(({ lane }) => lane === batch.lane);
    const lane = this.#lane(batch.lane);
    const missing = batch.first - lane.applied - 1;
    const isGapExpected = this.index.gapsExpected.includes(isKnown ? batch.lane : ANY_NEW_LANE);
    if (missing > 0 && !isGapExpected) {
      throw new Refusal(
        "lane_gap",
        `Lane ${batch.lane} has ${lane.applied} records here, and this batch starts at ${batch.first}; send the records between.`,
        { applied: lane.applied },
      );
    }
    if (missing < 0) {
      throw new Refusal(
        "lane_overlap",
        `Lane ${batch.lane} has ${lane.applied} records here, and this batch starts at ${batch.first}; send the records after those.`,
        { applied: lane.applied },
      );
    }
    if (missing > 0) this.#drop("damaged", missing);
    if (isKnown)
      this.index.gapsExpected = this.index.gapsExpected.filter((lane) => lane !== batch.lane);

    const lost = Object.values(batch.dropped ?? {}).reduce((sum, count) => sum + count, missing);
    this.index.accepted += Math.max(batch.last - lane.applied, itemsOf(batch.ops) + lost);
    lane.applied = batch.last;
    if (batch.writer) this.#noteWriter(lane, batch.writer);
    for (const [cause, count] of Object.entries(batch.dropped ?? {})) this.#drop(cause, count);

    return this.#applyOps(batch.ops, arrival, batch.lease_ms, batch.lane !== API_LANE);
  }

  /** Applies ops that came without a lane. */
  record(ops: Op[], arrival: Arrival, leaseMs?: number, writer?: Writer): Outcome {
    const lane = this.#lane(API_LANE);
    if (writer) this.#noteWriter(lane, writer);
    lane.applied += ops.length;
    this.index.accepted += itemsOf(ops);
    return this.#applyOps(ops, arrival, leaseMs, false);
  }

  /** Applies an op that the server itself derived, such as a crash after the machine restarted. */
  conclude(op: Op, now: number): Outcome {
    return this.#applyOps([op], { now, sentAt: null }, undefined, true);
  }

  #applyOps(ops: Op[], arrival: Arrival, leaseMs: number | undefined, mayRevive: boolean): Outcome {
    const { now, sentAt } = arrival;
    const { observations } = this.index;
    const outcome: Outcome = { contents: newContents(), kinds: new Set(), urgent: false };
    const crash = observations.crash;
    // What arrived earlier cannot have happened after its arrival. Its time says so if the sender's clock was set back since; such
    // an op does not contradict the crash.
    if (ops.some(({ op }) => op === "crash"))
      observations.lastOpAt = Math.min(
        observations.lastOpAt,
        observations.lastContactAt + skewOf(arrival),
      );

    observations.lastContactAt = now;
    if (leaseMs !== undefined) observations.leaseMs = Math.min(MAX_LEASE_MS, Math.round(leaseMs));
    if (sentAt !== null) this.index.clockSkewMs = Math.round(skewOf(arrival));
    let hasChanged = false;

    for (const op of boundTimes(ops, latestTime(arrival))) {
      this.index.seq++;
      this.#applyOp(op, outcome);
      observe(observations, op);
      // A hang may start and end within one batch that was delayed.
      if (op.op === "hang" || observations.transitions.at(-1)?.status === "hung")
        hasChanged = noteTransition(observations, now) || hasChanged;
      this.index.updatedAt = Math.max(this.index.updatedAt, op.at);
    }
    // Requests to a crashed session over 1.x's routes are recorded, but do not revert the crash.
    if (crash && !mayRevive) observations.crash ??= crash;

    if (noteTransition(observations, now) || hasChanged) {
      outcome.kinds.add("status");
      outcome.urgent = true;
    }
    return outcome;
  }

  #applyOp(op: Op, outcome: Outcome): void {
    const { index } = this;
    const { contents, kinds } = outcome;
    switch (op.op) {
      case "start": {
        const { state, ...start } = op;
        index.createdAt = Math.min(index.createdAt, op.at);
        index.product ||= op.product ?? "";
        index.version ||= op.version ?? "";
        index.tags = [...new Set([...index.tags, ...(op.tags ?? [])])].slice(0, MAX_LABELS);
        contents.others.push({ seq: index.seq, ...start });
        if (state) this.#applyPatch(op.at, state, true, contents);
        outcome.urgent = true;
        break;
      }
      case "state":
        this.#applyPatch(op.at, op.patch, false, contents);
        kinds.add("state");
        break;
      case "event":
        this.#applyEvent(op, outcome);
        break;
      case "metric":
        this.#applyMetric(op, contents);
        kinds.add("metric");
        break;
      case "points":
        this.#applyPoints(op, contents);
        kinds.add("metric");
        break;
      case "heartbeat":
        contents.heartbeats.push(op.at);
        index.counts.heartbeats++;
        kinds.add("heartbeat");
        break;
      case "dropped":
        // Ops that were lost before they got a sequence number count as accepted, too.
        index.accepted += op.count;
        this.#drop(op.cause, op.count);
        contents.others.push({ seq: index.seq, ...op });
        break;
      default:
        contents.others.push({ seq: index.seq, ...op });
        this.#addLegacyEvent(op, outcome);
    }
  }

  #applyPatch(at: number, raw: JsonObject, initial: boolean, contents: Contents): void {
    checkDepth(raw, initial ? "The initial state" : "The state");
    const patch = redact(raw);
    merge(this.state, patch);
    this.#checkState(patch);
    this.index.clockAt = Math.max(this.index.clockAt, at);
    contents.states.push({
      seq: this.index.seq,
      at,
      patch,
      effectiveAt: this.index.clockAt,
      initial,
    });
    if (!initial) this.index.counts.states++;
    if (!noteValues(this.index.values, patch, this.state, this.index.clockAt))
      this.#noteOverLimit("state_paths");
  }

  #checkState(patch: JsonObject): void {
    this.#byteBound += JSON.stringify(patch).length * MAX_UTF8_BYTES;
    this.#keyBound += countKeys(patch);
    if (this.#byteBound <= MAX_STATE_BYTES && this.#keyBound <= MAX_STATE_KEYS) return;
    const bytes = utf8(JSON.stringify(this.state)).length;
    if (bytes > MAX_STATE_BYTES) {
      throw new Refusal(
        "too_large",
        `The state would have ${bytes} bytes; the limit is ${MAX_STATE_BYTES}. Delete keys that are no longer needed, or log events instead.`,
      );
    }
    const keys = countKeys(this.state);
    if (keys > MAX_STATE_KEYS) {
      throw new Refusal(
        "too_many_keys",
        `The state would have ${keys} keys; the limit is ${MAX_STATE_KEYS}. Delete keys that are no longer needed, or use lists.`,
      );
    }
    this.#byteBound = bytes;
    this.#keyBound = keys;
  }

  #applyEvent(op: Event, outcome: Outcome): void {
    const { index } = this;
    const { contents, kinds } = outcome;
    if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
    const row = eventRow(op.data ? { ...op, data: redact(op.data) } : op, index.seq);
    contents.events.push(row);
    index.counts.events++;
    kinds.add("event");
    this.#countName(row.name, row.category, row.at, row.message ?? row.exception_msg ?? "");
    if (!isException(row)) return;
    index.counts.exceptions++;
    kinds.add("exception");
    if (this.#countException(row.fingerprint ?? "", op, row.seq)) outcome.urgent = true;
  }

  #applyMetric(op: Metric, contents: Contents): void {
    const bounds = op.type === "histogram" ? boundsOf(op) : [];
    const target = this.#target(op, bounds, contents);
    if (!target) return this.#drop("series_limit", 1);
    const before = target.series.points;
    if (op.type === "histogram") addHistogram(target.series, target.columns, op);
    else addScalar(target.series, target.columns, op);
    this.index.counts.points += target.series.points - before;
    // 1.x's daemon sends histograms again that did not change: no point was added.
    if (target.columns.at.length === 0) contents.series.delete(target.series.id);
  }

  #applyPoints(op: Points, contents: Contents): void {
    if (op.values.length === 0) return;
    const target = this.#target(op, [], contents);
    if (!target) return this.#drop("series_limit", op.values.length);
    addPoints(target.series, target.columns, op);
    this.index.counts.points += op.values.length;
  }

  /** The series of an op, created if new, and its columns in `contents`. Undefined when a limit of series is reached. */
  #target(
    op: Metric | Points,
    bounds: number[],
    contents: Contents,
  ): { series: Series; columns: Columns } | undefined {
    const key = seriesKey(op.name, op.type, op.tags ?? [], bounds);
    let series = this.#series.get(key);
    if (!series) {
      if (op.metadata) checkDepth(op.metadata, `The metadata of metric "${op.name}"`);
      series = newSeries(
        this.index.series.length,
        op.metadata ? { ...op, metadata: redact(op.metadata) } : op,
        bounds,
      );
      const size = JSON.stringify(series).length;
      if (this.index.series.length >= MAX_SERIES || this.#seriesBytes + size > MAX_SERIES_BYTES)
        return undefined;
      this.index.series.push(series);
      this.#register(series);
    }
    let columns = contents.series.get(series.id);
    if (!columns) contents.series.set(series.id, (columns = { at: [], fields: [] }));
    return { series, columns };
  }

  #register(series: Series): void {
    this.#series.set(keyOf(series), series);
    this.#seriesBytes += JSON.stringify(series).length;
  }

  /** Adds the event by which 1.x reported a hang, a recovery or a crash: its programs search for these names. */
  #addLegacyEvent(op: Op, outcome: Outcome): void {
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

  #countName(name: string, category: string, at: number, message: string): void {
    const { names } = this.index;
    let entry = names.find(
      (candidate) => candidate.name === name && candidate.category === category,
    );
    if (!entry) {
      const size = names.reduce((sum, one) => sum + sizeOf(one), name.length + category.length);
      if (names.length >= MAX_EVENT_NAMES || size > MAX_EVENT_NAMES_BYTES)
        return this.#noteOverLimit("event_names");
      entry = { name, category, count: 0, first_at: at, last_at: at, examples: [] };
      names.push(entry);
    }
    entry.count++;
    entry.first_at = Math.min(entry.first_at, at);
    entry.last_at = Math.max(entry.last_at, at);
    if (message && entry.examples.length < MAX_EXAMPLES)
      entry.examples.push(message.slice(0, MAX_EXAMPLE_LENGTH));
  }

  /** True if it is the first with this fingerprint in the session. */
  #countException(
    fingerprint: string,
    { at, exception_type = "", exception_msg = "" }: Event,
    seq: number,
  ): boolean {
    const { exceptions } = this.index;
    let entry = exceptions.find((candidate) => candidate.fingerprint === fingerprint);
    if (!entry) {
      if (exceptions.length >= MAX_FINGERPRINTS) {
        this.#noteOverLimit("exceptions");
        return false;
      }
      entry = {
        fingerprint,
        type: exception_type.slice(0, MAX_EXAMPLE_LENGTH),
        message: exception_msg.slice(0, MAX_EXAMPLE_LENGTH),
        count: 0,
        firstAt: at,
        lastAt: at,
        firstSeq: seq,
      };
      exceptions.push(entry);
    }
    entry.count++;
    entry.firstAt = Math.min(entry.firstAt, at);
    entry.lastAt = Math.max(entry.lastAt, at);
    return entry.count === 1;
  }

  #drop(cause: string, count: number): void {
    if (count === 0) return;
    const { dropped } = this.index;
    const isListed = Object.hasOwn(dropped, cause) || Object.keys(dropped).length < MAX_DROP_CAUSES;
    // An assignment to __proto__ would set the prototype and count nothing.
    const key = isListed && cause !== "__proto__" ? cause : OTHER_CAUSES;
    dropped[key] = (Object.hasOwn(dropped, key) ? (dropped[key] ?? 0) : 0) + count;
  }

  #noteOverLimit(what: SessionIndex["overLimit"][number]): void {
    if (!this.index.overLimit.includes(what)) this.index.overLimit.push(what);
  }

  #lane(id: string): Lane {
    const { lanes } = this.index;
    let lane = lanes.find((candidate) => candidate.lane === id);
    if (!lane) {
      if (lanes.length >= MAX_LANES) {
        throw new Refusal(
          "too_large",
          `A session has at most ${MAX_LANES} lanes; open a new session for further processes.`,
        );
      }
      lanes.push((lane = { lane: id, applied: 0, writer: {} }));
    }
    return lane;
  }

  #noteWriter(lane: Lane, writer: Writer): void {
    const { index } = this;
    const { pid, pid_started, boot_id } = writer;
    const short = {
      ...(pid !== undefined && { pid }),
      ...(pid_started && { pid_started: pid_started.slice(0, MAX_NAME_LENGTH) }),
      ...(boot_id && { boot_id }),
    };
    lane.writer = index.lanes.indexOf(lane) < MAX_WHOLE_WRITERS ? trimmed(writer) : short;
    index.machineId ||= writer.machine_id ?? "";
    index.hostname ||= writer.hostname ?? "";
    // The newest one counts: a program may continue in a new process after the machine restarted.
    index.bootId = boot_id || index.bootId;
  }
}

function trimmed(writer: Writer): Writer {
  const short = Object.fromEntries(
    Object.entries(writer).map(([key, value]) => [
      key,
      typeof value === "string" ? value.slice(0, MAX_NAME_LENGTH) : value,
    ]),
  ) as Writer; // the same keys, shorter texts
  if (!writer.arguments) return short;
  let room = MAX_ARGUMENTS_LENGTH;
  const kept = writer.arguments.filter((argument) => (room -= argument.length + 3) >= 0);
  return { ...short, arguments: kept.length < writer.arguments.length ? [...kept, "…"] : kept };
}

/** Refuses a batch that carries more ops than the records it covers, or that ends before it starts. */
function checkRange({ lane, first, last, ops }: Batch): void {
  if (last >= first - 1 && ops.length <= last - first + 1) return;
  throw new Refusal(
    "invalid_body",
    `A batch of lane ${lane} with the records ${first} to ${last} cannot carry ${ops.length} ops.`,
  );
}

/** How many log calls the ops stand for: each point was one. */
function itemsOf(ops: Op[]): number {
  return ops.reduce((sum, op) => sum + (op.op === "points" ? op.values.length : 1), 0);
}

function sizeOf({ name, category, examples }: NameCount): number {
  return examples.reduce((sum, text) => sum + text.length, name.length + category.length);
}
