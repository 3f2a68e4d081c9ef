/**
 * Observes the processes behind the lanes, and records what happened to them: crashed, hung, recovered, slept. The server decides
 * the verdict.
 */
import { existsSync } from "node:fs";
import { DAEMON_LEASE_MS } from "../../src/core/limits.ts";
import { signalName } from "../../src/core/status/signals.ts";
import type { Op } from "../../src/core/wire.ts";
import type { Writer } from "../../src/core/batch.ts";
import { type Clock, gap, type Reading, read } from "../clock.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Growth, Tail } from "../lanes/tail.ts";
import { ABANDONED_MS, SAMPLE_MS, WATCH_MS } from "../limits.ts";
import type { Log } from "../log.ts";
import { Deaths } from "./deaths.ts";
import { DiskWatch } from "./disk.ts";
import { activityOf, afterOp, hangOf, type Heartbeats } from "./hang.ts";
import { HungStacks } from "./hung-stacks.ts";
import { LastSeen } from "./last-seen.ts";
import type { Machine } from "./machine.ts";
import type { Observations } from "./observations.ts";
import { type OomWatch, watchOom } from "./oom.ts";
import type { ProcessInfo } from "./process-info.ts";
import { isAlive, readProcess } from "./processes.ts";

/** `unknown`: the process is on another machine or in another container, or the header names none. */
type WriterState = "alive" | "ended" | "rebooted" | "unknown" | "thread_ended";

/** The state of a lane's writer. `alive` looks a process up in this machine's (or container's) process table. */
export function writerState(
  writer: Writer,
  started: string | undefined,
  machine: Machine,
  alive: (pid: number, started?: string) => boolean,
): WriterState {
  if (writer.pid === undefined) return "unknown";
  const isElsewhere = writer.hostname !== undefined && writer.hostname !== machine.hostname;
  if (writer.boot_id && machine.boot_id && writer.boot_id !== machine.boot_id) {
    return isElsewhere ? "unknown" : "rebooted";
  }
  if (alive(writer.pid, started)) {
    // Another container's pids mean nothing here, unless it is the very same process.
    if (isElsewhere && started === undefined) return "unknown";
    return hasThread(writer) ? "alive" : "thread_ended";
  }
  return isElsewhere ? "unknown" : "ended";
}

/** Whether the thread of the process that wrote still runs. A header without one is of the process. */
function hasThread({ pid, thread }: Writer): boolean {
  return (
    thread === undefined || !existsSync("/proc/self") || existsSync(`/proc/${pid}/task/${thread}`)
  );
}

type MonitorOptions = {
  lanes: Lanes;
  tail: Tail;
  observations: Observations;
  clock: Clock;
  machine: Machine;
  log: Log;
  /** When disks were full. */
  disk?: DiskWatch;
  /** The system's processes, unless a test has others. */
  processes?: { isAlive: typeof isAlive; readProcess: typeof readProcess };
  /** Called when a lane's writer is gone. */
  closed: (lane: Lane) => void;
  /** Called when the machine has slept or the daemon was stopped for a while. */
  resumed: () => void;
};

/** What the monitor keeps of one lane's writer. */
type Watched = {
  /** When the process started, as the system writes it. */
  started: string | undefined;
  heartbeats: Heartbeats | undefined;
  /** Its last exception was not caught. */
  hasThrown: boolean;
  wasSeenAlive: boolean;
  /** For CPU use over the last seconds. */
  sample: { process: ProcessInfo; monotonic: number } | undefined;
  oom: OomWatch | undefined;
  lastSeen: LastSeen;
  /** The time by which a client on another disk has to send again. */
  leaseUntil: number;
  /** It did not send in time, so nothing shows that the writer still runs. */
  isSilent: boolean;
};

/** A lane whose writer's process is gone. */
type Ended = { lane: Lane; watched: Watched; state: "ended" | "rebooted" | "thread_ended" };

export class Monitor {
  readonly #options: Required<MonitorOptions>;
  /** A lane's entry goes when the lane does. */
  readonly #watched = new WeakMap<Lane, Watched>();
  /** What an earlier daemon recorded, by lane id: crashes, and hangs that have not ended. */
  readonly #recordedCrashes = new Set<string>();
  readonly #recordedHangs = new Map<string, number>();
  readonly #stacks: HungStacks;
  readonly #deaths: Deaths;
  #before: Reading;

  constructor(options: MonitorOptions) {
    this.#options = { processes: { isAlive, readProcess }, disk: new DiskWatch(), ...options };
    this.#stacks = new HungStacks(options.observations);
    this.#deaths = new Deaths({ ...options, disk: this.#options.disk });
    this.#before = read(options.clock);
  }

  /** Whether a lane's writer may still append to it. */
  isLiveLane(lane: Lane): boolean {
    return !lane.isClosed && !lane.isObservations && !this.#of(lane).isSilent;
  }

  /** Whether a program may still write to a session. */
  isLive(session: string): boolean {
    for (const lane of this.#options.lanes.ofSession(session)) {
      if (this.isLiveLane(lane)) return true;
    }
    return false;
  }

  /** When the writer's process started, if that is known. */
  startOf(lane: Lane): string | undefined {
    return this.#of(lane).started;
  }

  /** A client on another disk has to send again within this time. */
  extendLease(lane: Lane, leaseMs: number): void {
    const watched = this.#of(lane);
    watched.leaseUntil = this.#options.clock.monotonic() + leaseMs;
    watched.isSilent = false;
  }

  /** A lane grew. */
  note(lane: Lane, { ops }: Growth): void {
    for (const op of ops) {
      if (lane.isObservations) this.#noteRecorded(op);
      else this.#noteOp(lane, op);
    }
  }

  /** Checks every writer. Call it after the lanes were read, so that a heartbeat just written counts. */
  tick(): void {
    this.#options.observations.retry();
    this.#noteGap();
    const folders = [...this.#options.lanes.all.values()].map(({ folder }) => folder);
    this.#options.disk.tick(folders, this.#options.clock.now(), WATCH_MS);
    const ended: Ended[] = [];
    for (const lane of this.#options.lanes.all.values()) {
      if (lane.isObservations) this.#closeObservations(lane);
      else if (!lane.isClosed) this.#check(lane, ended);
    }
    const seen = ended.filter(({ watched }) => watched.wasSeenAlive);
    this.#deaths.begin(seen.map(({ lane }) => lane));
    for (const each of ended) this.#close(each);
  }

  #of(lane: Lane): Watched {
    let watched = this.#watched.get(lane);
    if (!watched) {
      watched = {
        started: lane.header.writer.pid_started ?? this.#options.lanes.checkpointed(lane)?.started,
        heartbeats: undefined,
        hasThrown: false,
        wasSeenAlive: false,
        sample: undefined,
        oom: undefined,
        lastSeen: new LastSeen(),
        leaseUntil: 0,
        isSilent: false,
      };
      this.#watched.set(lane, watched);
    }
    return watched;
  }

  #noteOp(lane: Lane, op: Op): void {
    const watched = this.#of(lane);
    if (op.op === "event") watched.hasThrown = op.handled === false;
    const monotonic = this.#options.clock.monotonic();
    const before = watched.heartbeats;
    const { heartbeats, recovered } = afterOp(before, op, monotonic);
    watched.heartbeats = heartbeats;
    if (!recovered) return;
    this.#stacks.recovered(lane, before?.lastAt ?? 0, op.at);
    this.#options.observations.record(lane, recovered);
  }

  #noteRecorded(op: Op & { lane?: string }): void {
    if (op.lane === undefined) return;
    this.#stacks.noteRecorded(op);
    if (op.op === "crash" || op.op === "end") this.#recordedCrashes.add(op.lane);
    if (op.op === "hang") this.#recordedHangs.set(op.lane, op.last_heartbeat_at ?? op.at);
    if (op.op === "recovered") this.#recordedHangs.delete(op.lane);
  }

  #check(lane: Lane, ended: Ended[]): void {
    const watched = this.#of(lane);
    this.#resumeHang(lane, watched);
    const { writer, role } = lane.header;
    const { clock, machine, tail, log, processes } = this.#options;
    const state =
      role === "relay"
        ? "unknown"
        : writerState(writer, watched.started, machine, processes.isAlive);
    switch (state) {
      case "alive":
        this.#noteAlive(lane, watched);
        this.#checkHeartbeats(lane, watched);
        return;
      case "ended":
      case "rebooted":
      case "thread_ended":
        ended.push({ lane, watched, state });
        return;
      case "unknown": {
        this.#checkHeartbeats(lane, watched);
        const { grewAt } = tail.of(lane);
        const now = clock.monotonic();
        watched.isSilent = now > Math.max(watched.leaseUntil, grewAt + DAEMON_LEASE_MS);
        if (now - grewAt > ABANDONED_MS) {
          log.write(`lane ${lane.id} has not grown for a day; closed`);
          lane.isClosed = true;
        }
        return;
      }
      default:
        state satisfies never;
    }
  }

  #noteAlive(lane: Lane, watched: Watched): void {
    const { pid } = lane.header.writer;
    if (pid === undefined) return;
    this.#sample(lane, watched, pid);
    if (watched.wasSeenAlive) return;
    watched.wasSeenAlive = true;
    watched.started ??= this.#options.processes.readProcess(pid)?.started;
    watched.oom = watchOom(pid);
  }

  /** Notes its memory, and the end of a process that it forked. Elsewhere than on Linux each reading starts a program. */
  #sample(lane: Lane, { lastSeen }: Watched, pid: number): void {
    const { clock, processes } = this.#options;
    const monotonic = clock.monotonic();
    if (monotonic - lastSeen.at < SAMPLE_MS || process.platform !== "linux") return;
    const found = processes.readProcess(pid);
    if (found) lastSeen.note(found, monotonic);
    this.#deaths.noteForked(lane);
  }

  #checkHeartbeats(lane: Lane, watched: Watched): void {
    const { heartbeats } = watched;
    const { pid } = lane.header.writer;
    if (!heartbeats) return;
    if (heartbeats.isHung) return this.#stacks.follow(lane, heartbeats.lastAt);
    const { clock, observations, processes } = this.#options;
    const monotonic = clock.monotonic();
    // The seconds before the hang show whether the process is busy, so it is sampled once a heartbeat is late.
    if (monotonic - heartbeats.readAt < WATCH_MS * 2) return;
    const process = pid === undefined ? undefined : processes.readProcess(pid);
    const before = watched.sample;
    const activity =
      process && before && activityOf(before.process, process, monotonic - before.monotonic);
    if (process && (!before || monotonic - before.monotonic > SAMPLE_MS)) {
      watched.sample = { process, monotonic };
    }
    const hang = hangOf(heartbeats, clock.now(), monotonic, activity);
    if (!hang) return;
    watched.heartbeats = { ...heartbeats, isHung: true };
    observations.record(lane, hang);
  }

  /** Continues a hang that an earlier daemon recorded. */
  #resumeHang(lane: Lane, watched: Watched): void {
    const lastAt = this.#recordedHangs.get(lane.id);
    const { heartbeats } = watched;
    if (lastAt === undefined || !heartbeats) return;
    this.#recordedHangs.delete(lane.id);
    if (heartbeats.lastAt > lastAt) {
      const duration_ms = heartbeats.lastAt - lastAt;
      const recovered: Op = { op: "recovered", at: heartbeats.lastAt, duration_ms };
      this.#options.observations.record(lane, recovered);
    } else {
      watched.heartbeats = { ...heartbeats, isHung: true };
    }
  }

  /** The writer's process is gone. Its last records decide whether that was a crash. */
  #close({ lane, watched, state }: Ended): void {
    const { tail, observations, closed } = this.#options;
    tail.read(lane);
    const { hasEnded, hasRecords, isJoiner: isKnownJoiner } = tail.of(lane);
    if (!hasEnded && !this.#recordedCrashes.has(lane.id)) {
      // The session of a process that joined it continues without that process. One that opened it has recorded its start.
      const isJoiner = isKnownJoiner || !hasRecords;
      const signal = this.#signalOf(lane, watched);
      const ops = this.#deaths.opsOf(lane, { ...watched, state, isJoiner, hasRecords, signal });
      for (const op of ops) observations.record(lane, op);
      this.#recordedCrashes.add(lane.id);
    }
    lane.isClosed = true;
    closed(lane);
  }

  /** The signal that ended a process which its parent has not asked for yet. */
  #signalOf(lane: Lane, { started }: Watched): string | undefined {
    const { pid } = lane.header.writer;
    const found = pid === undefined ? undefined : this.#options.processes.readProcess(pid);
    const isSame = started === undefined || found?.started === started;
    return isSame && found?.signal !== undefined ? signalName(found.signal) : undefined;
  }

  /** The session's other lanes are gone, so nothing more is observed about it. */
  #closeObservations(lane: Lane): void {
    if (lane.isClosed || this.#options.lanes.ofSession(lane.session).size > 1) return;
    lane.isClosed = true;
    this.#options.observations.close(lane.session);
  }

  #noteGap(): void {
    const { clock, lanes, observations, log, resumed } = this.#options;
    const now = read(clock);
    const { sleptMs, heldUpMs } = gap(this.#before, now, WATCH_MS);
    this.#before = now;
    if (sleptMs === 0 && heldUpMs === 0) return;
    const sessions = new Set<string>();
    for (const lane of lanes.all.values()) {
      const watched = this.#of(lane);
      // No heartbeat could be sent or read meanwhile: the wait for the next one starts again.
      if (watched.heartbeats) {
        watched.heartbeats = { ...watched.heartbeats, readAt: now.monotonic };
      }
      watched.sample = undefined;
      if (sleptMs === 0 || sessions.has(lane.session) || !this.isLive(lane.session)) continue;
      sessions.add(lane.session);
      observations.record(lane, { op: "slept", at: now.now, duration_ms: Math.round(sleptMs) });
    }
    resumed();
    const [what, ms] = sleptMs > 0 ? ["machine slept", sleptMs] : ["daemon was stopped", heldUpMs];
    log.write(`the ${what} for ${(ms / 1000).toFixed(1)} s`);
  }
}
