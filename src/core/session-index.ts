/** All that a session is, but for its state and its log: stored with the newest segment, as JSON. */
import type { EventCount, Lane, Completeness, Summary } from "./answers.ts";
import type { Series } from "./series.ts";
import { type Observations, newObservations, verdict } from "./status.ts";
import type { PathValues } from "./values.ts";

/** Events of one name and category, with the first few messages. */
export type NameCount = EventCount & { examples: string[] };
/** One exception of this session, however often it happened. */
export type Failure = {
  fingerprint: string;
  type: string;
  message: string;
  count: number;
  firstAt: number;
  lastAt: number;
  firstSeq: number;
};

/** All that a session is, but for its state and its log. Stored with the newest segment, as JSON. */
export type SessionIndex = {
  id: string;
  product: string;
  version: string;
  tags: string[];
  machineId: string;
  bootId: string;
  hostname: string;
  createdAt: number;
  updatedAt: number;
  /** The newest op; also the session's revision. */
  seq: number;
  /** The running maximum of times, by which state travels. */
  clockAt: number;
  clockSkewMs: number;
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
  series: Series[];
  names: NameCount[];
  failures: Failure[];
  values: PathValues[];
  observations: Observations;
  /** Lanes whose newest records may have been in a damaged segment, so that a gap is expected. */
  forgiven: string[];
  /** Of what there was more than is listed one by one. */
  beyond: ("event_names" | "exceptions" | "state_paths")[];
  /** Rows this session cost in its object. */
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
    createdAt: at,
    updatedAt: at,
    seq: 0,
    clockAt: 0,
    clockSkewMs: 0,
    lanes: [],
    counts: { states: 0, events: 0, exceptions: 0, points: 0, heartbeats: 0 },
    accepted: 0,
    dropped: {},
    series: [],
    names: [],
    failures: [],
    values: [],
    observations: newObservations(at, now),
    forgiven: [],
    beyond: [],
    rowsWritten: 0,
  };
}

export function completenessOf(index: SessionIndex): Completeness {
  const lost = Object.values(index.dropped).reduce((sum, count) => sum + count, 0);
  return {
    accepted: index.accepted,
    stored: Math.max(0, index.accepted - lost),
    dropped: index.dropped,
  };
}

export function summaryOf(
  index: SessionIndex,
  now: number,
  stored: Pick<Summary, "segments" | "damaged_segments" | "bytes" | "rows_written">,
): Summary {
  const { observations } = index;
  return {
    id: index.id,
    product: index.product,
    version: index.version,
    tags: index.tags,
    machine_id: index.machineId,
    hostname: index.hostname,
    created_at: index.createdAt,
    updated_at: index.updatedAt,
    ended_at: observations.end?.at ?? observations.crash?.at ?? null,
    last_heartbeat_at: observations.lastHeartbeatAt,
    heartbeat_timeout_ms:
      observations.lastHeartbeatAt === null ? null : observations.heartbeatTimeoutMs,
    exit_code: observations.end?.exit_code ?? observations.crash?.exit_code ?? null,
    signal: observations.end?.signal ?? observations.crash?.signal ?? null,
    verdict: verdict(observations, now),
    ever_hung: observations.everHung,
    transitions: observations.transitions,
    counts: { ...index.counts, series: index.series.length },
    ledger: completenessOf(index),
    ...(index.beyond.length > 0 && { beyond: index.beyond }),
    lanes: index.lanes,
    clock_skew_ms: index.clockSkewMs,
    revision: index.seq,
    ...stored,
  };
}
