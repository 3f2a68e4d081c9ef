/**
 * What is recorded when a writer's process is gone without an end: the fatal error that its runtime wrote, and the crash with what is known of
 * the seconds before.
 */
import { isStopRequest } from "../../src/core/status/signals.ts";
import { DAEMON_GROUP, EVENT_PROCESS_GONE } from "../../src/core/vocabulary.ts";
import type { Crash, Dropped, Op } from "../../src/core/wire.ts";
import type { Clock } from "../clock.ts";
import type { Lane } from "../lanes/lane.ts";
import { emptySideFile, sideFileExists } from "../lanes/side-file.ts";
import { endsWithLoss, lastRecordAt } from "../lanes/tail.ts";
import { FORKED_FATAL_MS, SAME_END_MS, SAMPLE_JITTER_MS } from "../limits.ts";
import type { DiskWatch } from "./disk.ts";
import { type FatalEnd, fatalOf, fatalOps, takeFatalOf } from "./fatal.ts";
import type { LastSeen } from "./last-seen.ts";
import type { Observations } from "./observations.ts";
import { type OomWatch, wasKilledForMemory } from "./oom.ts";

type DeathsOptions = { clock: Clock; observations: Observations; disk: DiskWatch };

/** What is known of a process that is gone. */
type Death = {
  /** `thread_ended`: the process runs on without the thread that wrote. */
  state: "ended" | "rebooted" | "thread_ended";
  isJoiner: boolean;
  hasRecords: boolean;
  hasThrown: boolean;
  wasSeenAlive: boolean;
  /** That ended it, if the system still has it. */
  signal: string | undefined;
  oom: OomWatch | undefined;
  lastSeen: LastSeen;
};

export class Deaths {
  readonly #options: DeathsOptions;
  /** When this daemon began to observe. */
  readonly #since: number;
  /** Writers that ended within SAME_END_MS. */
  #recent: { session: string; pid: number | undefined; monotonic: number }[] = [];

  constructor(options: DeathsOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /** These lanes' writers were found ended in one check, and ran at the one before. */
  begin(lanes: Lane[]): void {
    const monotonic = this.#options.clock.monotonic();
    const isRecent = (each: { monotonic: number }) => monotonic - each.monotonic <= SAME_END_MS;
    this.#recent = this.#recent.filter(isRecent);
    for (const { session, header } of lanes)
      this.#recent.push({ session, pid: header.writer.pid, monotonic });
  }

  /** The ops about a writer that is gone and did not end its session. */
  opsOf(lane: Lane, death: Death): Op[] {
    const lastAt = lastRecordAt(lane) ?? lane.header.at;
    const found = takeFatalOf(lane);
    // Records after it show that the writer went on: it was of a process that the writer forked, or a signal that did not end it.
    const isOwn = found !== undefined && found.at >= lastAt - SAMPLE_JITTER_MS;
    const fatal = isOwn ? found : undefined;
    const ops: Op[] = [];
    // Pools end their processes by such a signal: it is no event of the session.
    const isStopped = death.isJoiner && fatal?.type === undefined && isStop(fatal?.signal);
    if (!isStopped && (found?.type !== undefined || isOwn))
      ops.push(...fatalOps(found, lane, !isOwn ? "forked" : death.isJoiner ? "joined" : "writer"));
    const loss = death.hasRecords ? this.#unknownLoss(lane, lastAt) : undefined;
    if (death.isJoiner) {
      const gone =
        fatal?.type === undefined && !isStopped
          ? this.#gone(lane, death, fatal, lastAt)
          : undefined;
      if (gone) ops.push(gone);
    } else {
      const end = this.#end(lane, death, fatal, lastAt);
      ops.push(loss && end.op === "crash" ? { ...end, message: UNWRITTEN_END } : end);
    }
    return loss ? [...ops, loss] : ops;
  }

  /** Records the fatal error of a process that a writer forked, which writes to the same file. */
  noteForked(lane: Lane): void {
    const fatal = sideFileExists(lane, "fatal", 1) ? fatalOf(lane) : undefined;
    if (!fatal || this.#options.clock.now() - fatal.at < FORKED_FATAL_MS) return;
    if (!emptySideFile(lane, "fatal") || fatal.type === undefined) return;
    for (const op of fatalOps(fatal, lane, "forked")) this.#options.observations.record(lane, op);
  }

  #end(lane: Lane, death: Death, fatal: FatalEnd | undefined, lastAt: number): Op {
    const { state, hasThrown, wasSeenAlive, oom, lastSeen } = death;
    if (state === "thread_ended")
      return { op: "end", at: this.#endedAt(wasSeenAlive, undefined, lastAt), thread_ended: true };
    const isOutOfMemory = oom !== undefined && wasKilledForMemory(oom);
    const signal = fatal?.signal ?? death.signal;
    if (fatal?.type === undefined && isStop(signal))
      return { op: "end", at: this.#endedAt(wasSeenAlive, fatal, lastAt), signal };
    let reason = lane.header.role === "local" ? LEGACY_REASON : "process_died";
    if (state === "rebooted") reason = "rebooted";
    else if (isOutOfMemory) reason = "out_of_memory";
    else if (fatal) reason = fatal.type === undefined ? "killed" : "fatal_error";
    else if (hasThrown) reason = "uncaught_exception";
    else if (death.signal !== undefined) reason = "killed";
    const isUnknown = reason === "process_died";
    // A process that begins and ends between two checks was not seen alive; the time of its last record is its end.
    const isTimeKnown = wasSeenAlive || lastAt >= this.#since;
    return {
      op: "crash",
      at: this.#endedAt(wasSeenAlive, fatal, lastAt),
      reason,
      signal,
      out_of_memory: isOutOfMemory || undefined,
      rebooted: state === "rebooted" || undefined,
      message: messageOf(lane, isTimeKnown || fatal !== undefined, isUnknown),
      last: lastSeen.summary(),
      also_ended: wasSeenAlive ? this.#alsoEnded(lane) || undefined : undefined,
    };
  }

  /** The end of a process that joined the session and did not end by itself (clients/README.md, "Processes that join"). */
  #gone(lane: Lane, death: Death, fatal: FatalEnd | undefined, lastAt: number): Op | undefined {
    const { state, oom, wasSeenAlive, lastSeen } = death;
    const signal = fatal?.signal ?? death.signal;
    if (state !== "ended" || isStop(signal) || !sideFileExists(lane, "running")) return undefined;
    const isOutOfMemory = oom !== undefined && wasKilledForMemory(oom);
    const { pid } = lane.header.writer;
    const last = lastSeen.summary();
    return {
      op: "event",
      at: this.#endedAt(wasSeenAlive, fatal, lastAt),
      name: EVENT_PROCESS_GONE,
      category: "error",
      group: DAEMON_GROUP,
      message: isOutOfMemory ? OUT_OF_MEMORY : signal ? `${ENDED_BY} ${signal}` : GONE,
      data: {
        ...(pid !== undefined && { pid }),
        ...(signal !== undefined && { signal }),
        ...(isOutOfMemory && { out_of_memory: true }),
        ...(last && { last: { ...last } }),
      },
    };
  }

  /** If it ran at the last check, it ended just now. Otherwise only the time of its last record is known. */
  #endedAt(wasSeenAlive: boolean, fatal: FatalEnd | undefined, lastAt: number): number {
    if (fatal) return Math.max(fatal.at, lastAt);
    return wasSeenAlive ? Math.max(this.#options.clock.now(), lastAt) : lastAt;
  }

  /** Other processes, of other sessions. */
  #alsoEnded({ session, header }: Lane): number {
    const others = this.#recent.filter(
      (each) => each.session !== session && each.pid !== header.writer.pid,
    );
    return new Set(others.map(({ pid }) => pid)).size;
  }

  /** A program that ended while it could not write left no count of what it lost. */
  #unknownLoss(lane: Lane, lastAt: number): Dropped | undefined {
    const { disk, clock } = this.#options;
    const full = disk.fullSince(lane.folder, lastAt);
    if (full === undefined && !endsWithLoss(lane)) return undefined;
    return {
      op: "dropped",
      at: clock.now(),
      cause: full ? "disk_full" : "write_failed",
      count: 0,
      at_least: true,
      first_at: Math.max(lastAt, full?.from ?? 0),
      last_at: full?.to ?? Math.max(lastAt, clock.now()),
    };
  }
}

/** What is known beside the cause, or instead of one. */
function messageOf(lane: Lane, isTimeKnown: boolean, isUnknown: boolean): Crash["message"] {
  const isEmpty = sideFileExists(lane, "fatal") && !sideFileExists(lane, "fatal", 1);
  const texts = [
    isTimeKnown ? [] : UNKNOWN_TIME,
    isUnknown && isEmpty ? UNWRITTEN_CAUSE : [],
  ].flat();
  return texts.length > 0 ? texts.join(". ") : undefined;
}

/** A request to end is no crash. */
function isStop(signal: string | undefined): boolean {
  return signal !== undefined && isStopRequest(signal);
}

const OUT_OF_MEMORY = "A process of the session was killed because memory ran out";
const ENDED_BY = "A process of the session was ended by";
const GONE =
  "A process of the session is gone and has not ended by itself, as after a signal, an immediate exit or exec";
const UNKNOWN_TIME = "No daemon ran when the process ended; this is the time of its last record";
/** Why a crash may be none. */
const UNWRITTEN_END =
  "Its last records could not be written to the disk, so it may have ended the session itself";
/** 1.x's reason for the death of a program that registered with its pid. */
const LEGACY_REASON = "parent_process_terminated";
/** Of a runtime that records its fatal errors. */
const UNWRITTEN_CAUSE =
  "Its runtime wrote no fatal error, as after SIGKILL or an immediate exit (os._exit, os.Exit, process.abort)";
