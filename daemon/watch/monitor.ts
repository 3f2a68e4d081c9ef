/** Watches the programs behind the lanes, and says what happened to them: died, hung, recovered, slept. Verdicts are the server's. */
import { DAEMON_LEASE_MS } from "../../src/core/limits.ts";
import type { Crash, Op, Writer } from "../../src/core/wire.ts";
import { type Clock, gap, type Look, look } from "../clock.ts";
import type { Facts } from "./observations.ts";
import { activity, beat, missed } from "./hang.ts";
import type { Lane, Lanes } from "../lanes/lanes.ts";
import { ABANDONED_MS, WATCH_MS } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Machine } from "./machine.ts";
import { type OomWatch, wasKilledForMemory, watchOom } from "./oom.ts";
import { lastRecordAt, type News } from "../lanes/tail.ts";
import { isAlive, readProcess } from "./processes.ts";

export type Fate = "alive" | "dead" | "rebooted" | "unknown";

/** What became of a lane's writer. `alive` looks a process up in this machine's (or container's) table. */
export function fate(
  writer: Writer,
  started: string | undefined,
  machine: Machine,
  alive: (pid: number, started?: string) => boolean,
): Fate {
  if (writer.pid === undefined) return "unknown";
  const isElsewhere = writer.hostname !== undefined && writer.hostname !== machine.hostname;
  if (writer.boot_id && machine.boot_id && writer.boot_id !== machine.boot_id) {
    return isElsewhere ? "unknown" : "rebooted";
  }
  if (alive(writer.pid, started)) {
    // Another container's pids mean nothing here, unless it is the very same process.
    return isElsewhere && started === undefined ? "unknown" : "alive";
  }
  return isElsewhere ? "unknown" : "dead";
}

export class Monitor {
  readonly #lanes: Lanes;
  readonly #facts: Facts;
  readonly #clock: Clock;
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #oom = new Map<string, OomWatch>();
  /** What the daemon has said before it was started again: crashes by lane, and hangs that have not ended. */
  readonly #saidCrashed = new Set<string>();
  readonly #saidHung = new Map<string, number>();
  #before: Look;

  constructor(lanes: Lanes, facts: Facts, clock: Clock, machine: Machine, log: Log) {
    this.#lanes = lanes;
    this.#facts = facts;
    this.#clock = clock;
    this.#machine = machine;
    this.#log = log;
    this.#before = look(clock);
  }

  /** Takes in what a lane's end says. */
  learn(lane: Lane, news: News): void {
    for (const op of news.ops) {
      if (lane.header.role === "facts") this.#remember(op);
      else this.#hear(lane, op);
    }
  }

  /** Looks at every writer. To be called after the lanes were looked at, so that a beat just written counts. */
  tick(): void {
    this.#facts.retry();
    this.#noteSleep();
    for (const lane of this.#lanes.all.values()) {
      if (lane.header.role === "facts") this.#closeFacts(lane);
      else if (!lane.isOver) this.#watch(lane);
    }
  }

  #hear(lane: Lane, op: Op): void {
    if (op.op === "event") lane.hasThrown = op.handled === false;
    const { pulse, recovered } = beat(lane.pulse, op, this.#clock.monotonic());
    lane.pulse = pulse;
    if (recovered) this.#facts.record(lane, recovered);
  }

  #remember(op: Op & { lane?: string }): void {
    if (op.lane === undefined) return;
    if (op.op === "crash") this.#saidCrashed.add(op.lane);
    if (op.op === "hang") this.#saidHung.set(op.lane, op.last_heartbeat_at ?? op.at);
    if (op.op === "recovered") this.#saidHung.delete(op.lane);
  }

  #watch(lane: Lane): void {
    this.#resumeHang(lane);
    const { writer, role } = lane.header;
    const became =
      role === "relay" ? "unknown" : fate(writer, lane.started, this.#machine, isAlive);
    switch (became) {
      case "alive":
        this.#seeAlive(lane);
        this.#checkPulse(lane);
        return;
      case "dead":
      case "rebooted":
        this.#bury(lane, became);
        return;
      case "unknown":
        this.#checkPulse(lane);
        lane.isSilent =
          this.#clock.monotonic() > Math.max(lane.leaseUntil, lane.grewAt + DAEMON_LEASE_MS);
        if (this.#clock.monotonic() - lane.grewAt > ABANDONED_MS) {
          this.#log.write(`lane ${lane.lane} has been silent for a day; taken as over`);
          lane.isOver = true;
        }
        return;
      default:
        became satisfies never;
    }
  }

  #seeAlive(lane: Lane): void {
    const { pid } = lane.header.writer;
    if (pid === undefined || lane.wasSeenAlive) return;
    lane.wasSeenAlive = true;
    lane.started ??= readProcess(pid)?.started;
    const oom = watchOom(pid);
    if (oom) this.#oom.set(lane.lane, oom);
  }

  #checkPulse(lane: Lane): void {
    const { pid } = lane.header.writer;
    if (!lane.pulse || lane.pulse.isHung) return;
    const monotonic = this.#clock.monotonic();
    // Its last seconds are what tells whether it is busy, so it is looked at while it is merely late.
    const silent = monotonic - lane.pulse.seen;
    if (silent < WATCH_MS * 2) return;
    const process = pid === undefined ? undefined : readProcess(pid);
    const before = lane.sample;
    const doing =
      process && before && activity(before.process, process, monotonic - before.monotonic);
    if (process && (!before || monotonic - before.monotonic > SAMPLE_MS)) {
      lane.sample = { process, monotonic };
    }
    const hang = missed(lane.pulse, this.#clock.now(), monotonic, doing);
    if (!hang) return;
    lane.pulse = { ...lane.pulse, isHung: true };
    this.#facts.record(lane, hang);
  }

  /** A hang that was told before this daemon started. */
  #resumeHang(lane: Lane): void {
    const last = this.#saidHung.get(lane.lane);
    if (last === undefined || !lane.pulse) return;
    this.#saidHung.delete(lane.lane);
    if (lane.pulse.lastAt > last) {
      const duration_ms = lane.pulse.lastAt - last;
      this.#facts.record(lane, { op: "recovered", at: lane.pulse.lastAt, duration_ms });
    } else {
      lane.pulse = { ...lane.pulse, isHung: true };
    }
  }

  /** The writer is gone. What it wrote last decides whether that was a crash. */
  #bury(lane: Lane, became: "dead" | "rebooted"): void {
    this.learn(lane, lane.look(this.#clock.monotonic()));
    const { hasEnded, hasRecords, isJoiner } = lane.tail;
    if (!hasEnded && hasRecords && !isJoiner && !this.#saidCrashed.has(lane.lane)) {
      this.#facts.record(lane, this.#crash(lane, became));
      this.#saidCrashed.add(lane.lane);
    }
    // A process that joined the session and went without a word: the session goes on without it.
    lane.isOver = true;
    lane.isUrgent = true;
    this.#oom.delete(lane.lane);
  }

  #crash(lane: Lane, became: "dead" | "rebooted"): Crash {
    const oom = this.#oom.get(lane.lane);
    const out_of_memory = oom !== undefined && wasKilledForMemory(oom);
    const lastAt = lastRecordAt(lane) ?? lane.header.at;
    let reason = "process_died";
    if (became === "rebooted") reason = "rebooted";
    else if (out_of_memory) reason = "out_of_memory";
    else if (lane.hasThrown) reason = "uncaught_exception";
    return {
      op: "crash",
      // Seen alive a moment ago, it died now; found dead, all that is known is when it last spoke.
      at: lane.wasSeenAlive ? Math.max(this.#clock.now(), lastAt) : lastAt,
      reason: lane.header.role === "local" && reason === "process_died" ? LEGACY_REASON : reason,
      ...(out_of_memory && { out_of_memory }),
      ...(became === "rebooted" && { rebooted: true }),
      ...(!lane.wasSeenAlive && {
        message: "Nobody watched when it died; this is the time of its last record",
      }),
    };
  }

  /** Its session's lanes are gone, and with them what there is to say. */
  #closeFacts(lane: Lane): void {
    if (lane.isOver || this.#lanes.ofSession(lane.session).size > 1) return;
    lane.isOver = true;
    this.#facts.forget(lane.session);
  }

  #noteSleep(): void {
    const now = look(this.#clock);
    const { sleptMs, heldUpMs } = gap(this.#before, now, WATCH_MS);
    this.#before = now;
    if (sleptMs === 0 && heldUpMs === 0) return;
    const told = new Set<string>();
    for (const lane of this.#lanes.all.values()) {
      // Nobody could beat, or nobody was here to hear it: the wait starts again.
      if (lane.pulse) lane.pulse = { ...lane.pulse, seen: now.monotonic };
      lane.sample = undefined;
      // The server did not hear of it either, by its own clock.
      lane.heardAt = Number.NEGATIVE_INFINITY;
      if (sleptMs === 0 || told.has(lane.session) || !this.#lanes.isLive(lane.session)) continue;
      told.add(lane.session);
      this.#facts.record(lane, { op: "slept", at: now.now, duration_ms: Math.round(sleptMs) });
    }
    const [what, ms] = sleptMs > 0 ? ["The machine slept", sleptMs] : ["Held up", heldUpMs];
    this.#log.write(`${what} for ${(ms / 1000).toFixed(1)} s`);
  }
}

/** CPU use is judged over at least this long. */
const SAMPLE_MS = 2_000;
/** What 1.x calls the death of a program that registered with its pid. */
const LEGACY_REASON = "parent_process_terminated";
