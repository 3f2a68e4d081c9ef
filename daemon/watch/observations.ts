/** What the daemon observed of sessions (hung, recovered, slept, crashed): written to disk first, in one lane per session. */
import type { Op } from "../../src/core/wire.ts";
import type { Clock } from "../clock.ts";
import { newId } from "../id.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { type Machine, thisProcess } from "./machine.ts";

type ObservationsOptions = {
  folder: string;
  lanes: Lanes;
  clock: Clock;
  machine: Machine;
};

export class Observations {
  readonly #options: ObservationsOptions;
  readonly #writers = new Map<string, LaneWriter>();
  /** What could not be written yet. */
  #waiting: { about: Lane; op: Op }[] = [];

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  /** Records an op about a lane's writer. It names the lane, so that a later daemon knows what was recorded. */
  record(about: Lane, op: Op): void {
    this.#waiting.push({ about, op });
    this.retry();
  }

  /** Writes what a full disk refused before. */
  retry(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { about, op } of waiting) {
      if (!this.#write(about, op)) this.#waiting.push({ about, op });
    }
  }

  /** The session has ended: its lane gets no further op. */
  close(session: string): void {
    this.#writers.get(session)?.close();
    this.#writers.delete(session);
  }

  closeAll(): void {
    for (const session of this.#writers.keys()) this.close(session);
  }

  #write(about: Lane, op: Op): boolean {
    try {
      const writer = this.#writers.get(about.session) ?? this.#open(about);
      this.#writers.set(about.session, writer);
      // For the next daemon; the batcher's schema removes it.
      const named = { ...op, lane: about.id };
      return writer.tryAppend(named);
    } catch {
      return false;
    }
  }

  #open(about: Lane): LaneWriter {
    const { folder, lanes, clock, machine } = this.#options;
    for (const lane of lanes.ofSession(about.session)) {
      if (lane.isObservations) return LaneWriter.resume(lane.folder, lane.id);
    }
    const now = clock.now();
    const header = {
      lane: newId(now),
      session: about.session,
      server: about.header.server,
      at: now,
      monotonic_ms: Math.round(clock.monotonic()),
      writer: { program: "datacat-daemon", ...thisProcess(), ...machine },
      role: "observations" as const,
    };
    // If the home has no room or can't be written, the lane's own folder may: the last resort.
    return LaneWriter.create(folder, header, { spare: () => about.folder });
  }
}
