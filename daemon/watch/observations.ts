/** The daemon's own word on sessions (hung, recovered, slept, crashed): on disk first, in a lane of its own for each session. */
import type { Op } from "../../src/core/wire.ts";
import type { Clock } from "../clock.ts";
import { newId } from "../id.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import type { Lane, Lanes } from "../lanes/lanes.ts";
import type { Machine } from "./machine.ts";
import { thisProcess } from "./machine.ts";

export class Facts {
  readonly #folder: string;
  readonly #lanes: Lanes;
  readonly #clock: Clock;
  readonly #machine: Machine;
  readonly #writers = new Map<string, LaneWriter>();
  /** What could not be written yet. */
  #waiting: { about: Lane; op: Op }[] = [];

  constructor(folder: string, lanes: Lanes, clock: Clock, machine: Machine) {
    this.#folder = folder;
    this.#lanes = lanes;
    this.#clock = clock;
    this.#machine = machine;
  }

  /** Says something about a lane's session. It names the lane, so that a daemon that starts later knows what was said. */
  record(about: Lane, op: Op): void {
    this.#waiting.push({ about, op });
    this.retry();
  }

  /** Writes what a full disk kept back. */
  retry(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { about, op } of waiting) {
      if (!this.#write(about, op)) this.#waiting.push({ about, op });
    }
  }

  /** The session is over and its lane is gone. */
  forget(session: string): void {
    this.#writers.get(session)?.close();
    this.#writers.delete(session);
  }

  close(): void {
    for (const session of this.#writers.keys()) this.forget(session);
  }

  #write(about: Lane, op: Op): boolean {
    try {
      const writer = this.#writers.get(about.session) ?? this.#open(about);
      this.#writers.set(about.session, writer);
      // A key that only the daemon knows: readers ignore what they do not.
      const said = { ...op, lane: about.lane };
      return writer.tryAppend(said);
    } catch {
      return false;
    }
  }

  #open(about: Lane): LaneWriter {
    for (const lane of this.#lanes.ofSession(about.session)) {
      if (lane.header.role === "facts") return LaneWriter.resume(this.#folder, lane.lane);
    }
    const now = this.#clock.now();
    return LaneWriter.create(this.#folder, {
      lane: newId(now),
      session: about.session,
      server: about.header.server,
      at: now,
      monotonic_ms: Math.round(this.#clock.monotonic()),
      writer: { program: "datacat-daemon", ...thisProcess(), ...this.#machine },
      role: "facts",
    });
  }
}
