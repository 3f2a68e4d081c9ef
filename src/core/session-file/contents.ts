/**
 * Reads the ops of a segment from a file as if a sender had sent them: each has its shape and its limits, and is redacted. Only what the
 * server adds to an op is taken from the file: its sequence, its time by the program's own clock, why an attachment was refused. The
 * contents are then stored anew, so that no byte of the file reaches the storage.
 */
import * as v from "valibot";
import { REFUSAL_TEXTS } from "../attachments/attachments.ts";
import type { EventRow } from "../answers/events.ts";
import { eventRow } from "../events/event.ts";
import { MAX_TIME } from "../limits.ts";
import { FIRST_BUCKET, type Columns, MARKS } from "../metrics/columns.ts";
import type { Series } from "../metrics/series.ts";
import { LANE_CHANGED, RESET } from "../metrics/rate.ts";
import { parse } from "../parse.ts";
import { Refusal } from "../refusal.ts";
import { redactedFields } from "../secrets/marks.ts";
import { redactOp, type Redactor } from "../secrets/redact.ts";
import type { Contents, StoredOp, StoredState } from "../segments/contents.ts";
import type { SegmentReader } from "../segments/segment-reader.ts";
import { checkNesting } from "../session/nesting.ts";
import { Op } from "../wire.ts";

type Context = {
  /** Undefined: they are read as they are. */
  redactor?: Redactor;
  /** The latest time at which something can have happened, by the server's clock. */
  latest: number;
  /** Those of the session's index. */
  series: Series[];
};

/** `altered`: the fields that were redacted now. */
type Read = { contents: Contents; altered: string[] };

/** Throws a Refusal for an op that no sender could record. */
export function readContents(reader: SegmentReader, context: Context): Read {
  const altered: string[] = [];
  const opOf = (value: object, what: string) => {
    const op = parsedOp(value, what);
    checkNesting(op);
    const clean = context.redactor ? redactOp(op, context.redactor) : op;
    if (clean !== op) {
      const before = redactedFields(op);
      altered.push(...redactedFields(clean).filter((field) => !before.includes(field)));
    }
    return clean;
  };
  const heartbeats = reader.heartbeatTimes();
  checkTimes(heartbeats.heartbeats, context.latest, "A heartbeat");
  checkTimes(heartbeats.recorded.at, context.latest, "A heartbeat");
  checkTimes(heartbeats.recorded.recordedAt, MAX_TIME, "A heartbeat");
  const contents: Contents = {
    states: reader.states().map((state) => readState(state, opOf, context)),
    events: reader.events().map((event) => readEvent(event, opOf, context)),
    others: reader.others().map((op) => readOther(op, opOf, context)),
    ...heartbeats,
    series: new Map(
      reader.seriesIds().map((id) => [id, readColumns(reader, id, context)] as const),
    ),
  };
  return { contents, altered };
}

type OpOf = (value: object, what: string) => Op;

const Sequence = v.pipe(v.number(), v.integer(), v.minValue(1));
const Recorded = v.pipe(v.number(), v.minValue(-MAX_TIME), v.maxValue(MAX_TIME));
const StateRow = v.object({
  seq: Sequence,
  effectiveAt: v.pipe(v.number(), v.minValue(0)),
  initial: v.boolean(),
  recordedAt: v.optional(Recorded),
});
const OpRow = v.object({ seq: Sequence, recorded_at: v.optional(Recorded) });
const Refused = v.optional(
  v.picklist(Object.keys(REFUSAL_TEXTS) as (keyof typeof REFUSAL_TEXTS)[]), // its keys
);

function readState(state: StoredState, opOf: OpOf, { latest }: Context): StoredState {
  const { seq, effectiveAt, initial, recordedAt } = parse(StateRow, state, "A change of the state");
  const op = opOf({ op: "state", at: state.at, patch: state.patch }, "A change of the state");
  if (op.op !== "state") throw new Error("An op was read as another one.");
  checkTime(op.at, latest, "A change of the state");
  checkTime(effectiveAt, latest, "A change of the state");
  return { seq, at: op.at, patch: op.patch, effectiveAt, initial, recordedAt };
}

function readEvent(event: EventRow, opOf: OpOf, { latest }: Context): EventRow {
  const { seq, recorded_at } = parse(OpRow, event, "An event");
  const op = opOf({ ...event, op: "event" }, "An event");
  if (op.op !== "event") throw new Error("An op was read as another one.");
  checkTime(op.at, latest, "An event");
  const row = eventRow(op, seq);
  return recorded_at === undefined ? row : { ...row, recorded_at };
}

/** Ops that a segment has in other sections. */
const ELSEWHERE = ["state", "event", "metric", "points", "heartbeat"] as const;

function readOther(stored: StoredOp, opOf: OpOf, { latest }: Context): StoredOp {
  const { seq, recorded_at } = parse(OpRow, stored, "An op");
  const op = opOf(stored, "An op");
  checkTime(op.at, latest, "An op");
  if (isElsewhere(op)) throw new Refusal("invalid_body", `An op ${op.op} is not where it belongs.`);
  const refused = op.op === "attachment" ? parse(Refused, stored.refused, "An op") : undefined;
  // As the object stores it: the initial state is a change of the state.
  if (op.op === "start") delete op.state;
  return {
    seq,
    ...op,
    ...(refused && { refused }),
    ...(recorded_at !== undefined && { recorded_at }),
  };
}

function isElsewhere(op: Op): op is Extract<Op, { op: (typeof ELSEWHERE)[number] }> {
  return (ELSEWHERE as readonly string[]).includes(op.op);
}

/** An op by its shape. A text that redaction made longer than its limit passes: in it, each mark counts as one character. */
function parsedOp(value: object, what: string): Op {
  const result = v.safeParse(Op, value, { abortEarly: true });
  if (result.success) return result.output;
  const text = JSON.stringify(value);
  const short = text.replace(/\[redacted(?::[\w-]{1,40})?\]/g, "*");
  const shape = parse(Op, short === text ? value : JSON.parse(short), what);
  return membersOf(value, shape) as Op; // the members of an op, with the texts of `value`
}

/** What of `value` is in `shape`. */
function membersOf(value: unknown, shape: unknown): unknown {
  if (typeof shape !== "object" || shape === null) return value;
  if (typeof value !== "object" || value === null) return shape;
  if (Array.isArray(shape))
    return shape.map((item, index) => membersOf((value as unknown[])[index], item));
  return Object.fromEntries(
    Object.entries(shape).map(([key, item]) => [
      key,
      Object.hasOwn(value, key) ? membersOf((value as Record<string, unknown>)[key], item) : item,
    ]),
  );
}

/** The points of a series, whose columns fit its type (core/metrics/columns.ts). */
function readColumns(reader: SegmentReader, id: number, { series, latest }: Context): Columns {
  const known = series[id];
  if (!known) throw new Refusal("invalid_body", `Points are of series ${id}, which is not listed.`);
  const what = `A point of "${known.name}"`;
  const { at, fields, recordedAt } = reader.columns(id);
  const [least, most] = widthOf(known);
  const columns = [...fields, ...(recordedAt ? [recordedAt] : [])];
  if (
    fields.length < least ||
    fields.length > most ||
    columns.some(({ length }) => length !== at.length)
  )
    throw new Refusal("invalid_body", `The columns of "${known.name}" do not fit its type.`);
  checkTimes(at, latest, what);
  if (recordedAt) checkTimes(recordedAt, MAX_TIME, what, -MAX_TIME);
  for (const [index, field] of fields.entries()) checkField(known, index, field, what);
  return {
    at: Array.from(at),
    fields: fields.map((field) => Array.from(field)),
    ...(recordedAt && { recordedAt: Array.from(recordedAt) }),
  };
}

/** How many columns a series may have. */
function widthOf({ type, bounds }: Series): [least: number, most: number] {
  if (type === "histogram")
    return [FIRST_BUCKET + bounds.length + 1, FIRST_BUCKET + bounds.length + 1];
  return [1, type === "counter" ? MARKS + 1 : 2];
}

function checkField({ type }: Series, index: number, field: Float64Array, what: string): void {
  const isCount = type === "histogram" ? index === 0 || index >= FIRST_BUCKET : index > 0;
  const most = type === "counter" && index === MARKS ? LANE_CHANGED + RESET : Infinity;
  for (const value of field) {
    const isValid = isCount ? value >= 0 && value <= most : true;
    if (!Number.isFinite(value) || !isValid)
      throw new Refusal("not_finite", `${what} has a value that no sender can record.`);
  }
}

function checkTimes(times: ArrayLike<number>, latest: number, what: string, earliest = 0): void {
  for (let i = 0; i < times.length; i++) checkTime(times[i] ?? 0, latest, what, earliest);
}

function checkTime(at: number, latest: number, what: string, earliest = 0): void {
  if (at >= earliest && at <= latest) return;
  throw new Refusal("invalid_body", `${what} has a time that ${lateText(at, latest)}.`);
}

/** "is later than this server's clock" */
function lateText(at: number, latest: number): string {
  return at > latest && latest < MAX_TIME
    ? "is later than this server's clock shows; if the clock is right, import the file again after that time"
    : "no clock can show";
}
