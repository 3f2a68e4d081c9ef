/** All that a session is, but for its state and its log: stored with the newest segment, as JSON. */
import type { EventCount, Lane, Ledger, Summary } from "./answers.ts";
import type { Series } from "./series.ts";
import { type Facts, newFacts, verdict } from "./status.ts";
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
export type Head = {
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
  facts: Facts;
  /** Lanes whose newest records may have been in a damaged segment, so that a gap is expected. */
  forgiven: string[];
  /** Of what there was more than is listed one by one. */
  beyond: ("event_names" | "exceptions" | "state_paths")[];
  /** Rows this session cost in its object. */
  rowsWritten: number;
};

export function newHead(id: string, at: number, now: number): Head {
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
    facts: newFacts(at, now),
    forgiven: [],
    beyond: [],
    rowsWritten: 0,
  };
}

export function ledgerOf(head: Head): Ledger {
  const lost = Object.values(head.dropped).reduce((sum, count) => sum + count, 0);
  return {
    accepted: head.accepted,
    stored: Math.max(0, head.accepted - lost),
    dropped: head.dropped,
  };
}

export function summaryOf(
  head: Head,
  now: number,
  stored: Pick<Summary, "segments" | "damaged_segments" | "bytes" | "rows_written">,
): Summary {
  const { facts } = head;
  return {
    id: head.id,
    product: head.product,
    version: head.version,
    tags: head.tags,
    machine_id: head.machineId,
    hostname: head.hostname,
    created_at: head.createdAt,
    updated_at: head.updatedAt,
    ended_at: facts.end?.at ?? facts.crash?.at ?? null,
    last_heartbeat_at: facts.lastHeartbeatAt,
    heartbeat_timeout_ms: facts.lastHeartbeatAt === null ? null : facts.heartbeatTimeoutMs,
    exit_code: facts.end?.exit_code ?? facts.crash?.exit_code ?? null,
    signal: facts.end?.signal ?? facts.crash?.signal ?? null,
    verdict: verdict(facts, now),
    ever_hung: facts.everHung,
    transitions: facts.transitions,
    counts: { ...head.counts, series: head.series.length },
    ledger: ledgerOf(head),
    ...(head.beyond.length > 0 && { beyond: head.beyond }),
    lanes: head.lanes,
    clock_skew_ms: head.clockSkewMs,
    revision: head.seq,
    ...stored,
  };
}
