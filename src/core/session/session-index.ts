/** The index of a session: everything but its state and its log. Stored as JSON with the newest segment. */
import type { Completeness, LeftOut, LossTimes } from "../answers/completeness.ts";
import type { EventCount } from "../answers/events.ts";
import type { LaneProgress, Summary } from "../answers/summary.ts";
import type { Attachment } from "../attachments/attachments.ts";
import type { ClockState } from "./clock.ts";
import { lastMomentOf, ranMs, statusMs, type Timed } from "./duration.ts";
import {
  MAX_LISTED_EVENT_NAMES,
  MAX_LISTED_EXCEPTIONS,
  MAX_LISTED_SERIES,
  MAX_WHOLE_WRITERS,
} from "../limits.ts";
import type { Series } from "../metrics/series.ts";
import { newObservations, type Observations } from "../status/observations.ts";
import { verdict } from "../status/status.ts";
import { failedTests, testRunOf } from "../tests/verdict.ts";
import type { PathValues } from "../state/values.ts";

/** All exceptions of this session with one fingerprint. */
export type ExceptionCount = {
  fingerprint: string;
  type: string;
  message: string;
  /** Where the first one arose (stack/where.ts); "" if it is not known. */
  place: string;
  /** The frames of the program's own code in the stacks of the first one and its causes (stack/where.ts); "" if there are none. */
  calls: string;
  count: number;
  /** Those that ended the program or its thread. */
  unhandled: number;
  firstAt: number;
  lastAt: number;
  firstSeq: number;
};

/** A text of the log, and where it is. */
type RecordedText = { text: string; at: number; seq: number };

/** A text of an event that is no message, with the name that it has there (events/data-texts.ts). */
type RecordedDatum = RecordedText & { name: string };

/** Texts that a search looks through (searched.ts), the newest last. */
export type RecordedTexts = {
  messages: RecordedText[];
  output: RecordedText[];
  data: RecordedDatum[];
  /** Characters of each list; of data with the names. */
  lengths: { messages: number; output: number; data: number };
  /** How many were added: a message that is repeated only moves to the end. */
  added: number;
  /** A message or a text of data was cut, or removed for a newer one. */
  leftOut?: true;
};

/** Lists of the index that count what they leave out. */
export type CountedOut = "event_names" | "exceptions" | "state_paths" | "tags" | "attachments";
/**
 * `opener`: the key that wrote its first batch (core/access/authority.ts); undefined for the lane of 1.x's routes, which every writer shares.
 * `newestAt`: the latest time of its ops, by the server's clock.
 */
export type Lane = LaneProgress & { clock?: ClockState; opener?: string; newestAt?: number };

export type SessionIndex = {
  id: string;
  /** The key that opened the session (core/access/authority.ts); undefined after its index was lost. */
  opener?: string;
  product: string;
  version: string;
  tags: string[];
  machineId: string;
  bootId: string;
  hostname: string;
  /** The browser and its system, if a page records; else "". */
  browser: string;
  createdAt: number;
  updatedAt: number;
  /** When the server received the newest op. */
  receivedAt: number;
  /** The newest op; also the session's revision. */
  seq: number;
  /** The running maximum of state times: time travel goes by it, so that it never goes back. */
  clockAt: number;
  clockSkewMs: number;
  clockOffsetMs: number;
  /** Clocks by machine, as their last requests showed them. */
  machineClocks: ({ machine: string } & ClockState)[];
  lanes: Lane[];
  counts: {
    states: number;
    events: number;
    exceptions: number;
    points: number;
    heartbeats: number;
  };
  accepted: number;
  dropped: { [cause: string]: number };
  /** Stored ops of which a value was cut or described, by cause. */
  altered: { [cause: string]: number };
  /** Which of their fields, for the first MAX_ALTERED_FIELDS. */
  alteredFields: string[];
  /** When ops were lost, by cause. */
  lossTimes: LossTimes[];
  series: Series[];
  names: EventCount[];
  exceptions: ExceptionCount[];
  values: PathValues[];
  /** In the order of their ops. */
  attachments: Attachment[];
  texts: RecordedTexts;
  observations: Observations;
  /** Lanes whose newest records may have been in a damaged segment: their next batch may start after a gap. */
  gapsExpected: string[];
  /** Ops that were counted again from a segment without its index (core/segments/restore.ts), whose lanes have not continued yet. */
  unclaimed: number;
  /** How many entries are in no list of the index, because the list is full. */
  leftOut: { [what in CountedOut]?: number };
  /** Rows that the object has written for this session. */
  rowsWritten: number;
};

export function newIndex(id: string, at: number, now: number): SessionIndex {
  return {
    id,
    product: "",
    version: "",
    tags: [],
    machineId: "",
    bootId: "",
    hostname: "",
    browser: "",
    createdAt: at,
    updatedAt: at,
    receivedAt: now,
    seq: 0,
    clockAt: 0,
    clockSkewMs: 0,
    clockOffsetMs: 0,
    machineClocks: [],
    lanes: [],
    counts: { states: 0, events: 0, exceptions: 0, points: 0, heartbeats: 0 },
    accepted: 0,
    dropped: {},
    altered: {},
    alteredFields: [],
    lossTimes: [],
    series: [],
    names: [],
    exceptions: [],
    values: [],
    attachments: [],
    texts: {
      messages: [],
      output: [],
      data: [],
      lengths: { messages: 0, output: 0, data: 0 },
      added: 0,
    },
    observations: newObservations(at, now),
    gapsExpected: [],
    unclaimed: 0,
    leftOut: {},
    rowsWritten: 0,
  };
}

/** The session's times, for its durations. Its end is that of its verdict. */
export function timesOf(index: SessionIndex, now: number): Timed {
  const { status, since } = verdict(index.observations, now);
  return {
    status,
    status_since: since,
    created_at: index.createdAt,
    updated_at: index.updatedAt,
    received_at: index.receivedAt,
    ended_at: status === "ended" || status === "crashed" ? since : null,
  };
}

/** `unreadable`: records that were stored, and are in a damaged part now. */
export function completenessOf(index: SessionIndex, unreadable = 0): Completeness {
  const { damaged = 0, ...others } = index.dropped;
  const dropped = damaged + unreadable > 0 ? { ...others, damaged: damaged + unreadable } : others;
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  const accepted = index.accepted + index.unclaimed;
  return {
    accepted,
    stored: Math.max(0, accepted - lost),
    dropped,
    altered: Object.keys(index.altered).length > 0 ? index.altered : undefined,
    altered_fields: index.alteredFields.length > 0 ? index.alteredFields : undefined,
    loss_times: index.lossTimes.length > 0 ? index.lossTimes : undefined,
    attachments: attachmentsOf(index),
  };
}

function attachmentsOf({ attachments, leftOut }: SessionIndex): Completeness["attachments"] {
  const unlisted = leftOut.attachments ?? 0;
  const announced = attachments.length + unlisted;
  if (announced === 0) return undefined;
  return {
    announced,
    arrived: attachments.filter(({ complete }) => complete).length,
    refused: attachments.filter(({ refused }) => refused !== undefined).length + unlisted,
  };
}

/** How many entries of the index are not in the catalog. */
export function unlistedOf({ series, names, exceptions }: SessionIndex) {
  return {
    catalog_series: Math.max(0, series.length - MAX_LISTED_SERIES),
    catalog_event_names: Math.max(0, names.length - MAX_LISTED_EVENT_NAMES),
    catalog_exceptions: Math.max(0, exceptions.length - MAX_LISTED_EXCEPTIONS),
  };
}

/** Everything that the lists of the index leave out; undefined if they are complete. */
function leftOutOf(index: SessionIndex): LeftOut | undefined {
  const counts: LeftOut = {
    ...index.leftOut,
    ...unlistedOf(index),
    state_values: index.values.filter(({ over }) => over).length,
    writers: Math.max(0, index.lanes.length - MAX_WHOLE_WRITERS),
    transitions: index.observations.transitionsLeftOut,
  };
  const named = Object.entries(counts).filter(([, count]) => (count ?? 0) > 0);
  return named.length > 0 ? (Object.fromEntries(named) as LeftOut) : undefined;
}

export function summaryOf(
  index: SessionIndex,
  now: number,
  stored: Pick<Summary, "segments" | "damaged_segments" | "damaged" | "bytes" | "rows_written">,
): Summary {
  const { observations } = index;
  const current = verdict(observations, now);
  const timed = timesOf(index, now);
  const { created_at, updated_at, received_at, ended_at } = timed;
  const unreadable = stored.damaged?.reduce((sum, { lost = 0 }) => sum + lost, 0);
  return {
    id: index.id,
    product: index.product,
    version: index.version,
    tags: index.tags,
    machine_id: index.machineId,
    hostname: index.hostname,
    browser: index.browser,
    created_at,
    updated_at,
    received_at,
    ended_at,
    last_at: lastMomentOf(timed, now),
    ran_ms: ranMs(timed, now),
    status_ms: statusMs(timed, now),
    last_heartbeat_at: observations.lastHeartbeatAt,
    heartbeat_timeout_ms:
      observations.lastHeartbeatAt === null ? null : observations.heartbeatTimeoutMs,
    exit_code: observations.end?.exit_code ?? observations.crash?.exit_code ?? null,
    signal: observations.end?.signal ?? observations.crash?.signal ?? null,
    uncaught: observations.uncaught,
    failed_tests: failedTests(observations.tests),
    ...(observations.tests && { tests: testRunOf(observations.tests) }),
    verdict: current,
    ever_hung: observations.everHung,
    transitions: observations.transitions,
    counts: { ...index.counts, series: index.series.length },
    ledger: completenessOf(index, unreadable),
    left_out: leftOutOf(index),
    lanes: index.lanes.map(({ clock, opener: _opener, newestAt: _newestAt, ...lane }) => ({
      ...lane,
      lane: shownLane(lane.lane),
      ...(clock?.offsetMs && { clock_offset_ms: clock.offsetMs }),
    })),
    clock_skew_ms: index.clockSkewMs,
    clock_offset_ms: index.clockOffsetMs,
    clock_steps: observations.clockSteps,
    revision: index.seq,
    ...stored,
  };
}

/** A lane's id without the end of a UUID. With the whole id and the key of a lane, a reader could write into it. */
export function shownLane(id: string): string {
  return id.replace(/^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})-[0-9a-f]{12}$/, "$1");
}
