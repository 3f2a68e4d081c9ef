/** Sessions of programs that speak the local API: each has a lane that the daemon writes, so they survive it like any other. */
import { existsSync } from "node:fs";
import { MAX_EVENT_BYTES, MAX_STATE_BYTES } from "../../src/core/limits.ts";
import { merge } from "../../src/core/merge.ts";
import { Refusal } from "../../src/core/refusal.ts";
import type { JsonObject, Op } from "../../src/core/wire.ts";
import { checked } from "../send/check.ts";
import type { Clock } from "../clock.ts";
import { Cursor } from "../lanes/cursor.ts";
import { newId } from "../id.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import type { Lane, Lanes } from "../lanes/lanes.ts";
import type { Machine } from "../watch/machine.ts";
import { readProcess } from "../watch/processes.ts";

export type LocalSession = {
  id: string;
  writer: LaneWriter;
  state: JsonObject;
  createdAt: number;
  updatedAt: number;
  endedAt: number | undefined;
};

export type LocalOptions = {
  folder: string;
  lanes: Lanes;
  clock: Clock;
  machine: Machine;
  /** Named in the lanes, so that any daemon that finds them knows where they belong. */
  server: string;
  /** Something was written. */
  wake: () => void;
};

export class LocalSessions {
  readonly #options: LocalOptions;
  readonly #sessions = new Map<string, LocalSession>();
  #registered = 0;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  /** Sessions that go on, or whose end is not on the server yet. */
  get all(): LocalSession[] {
    this.#dropDone();
    return [...this.#sessions.values()];
  }

  /** Ever registered with this daemon. */
  get registered(): number {
    return this.#registered;
  }

  /** Opens a session. `parentPid` is the program whose death ends it. */
  open(product: string, version: string, parentPid: number, isOnline: boolean): LocalSession {
    const { folder, clock, machine, server } = this.#options;
    const now = clock.now();
    this.#registered += 1;
    const started = parentPid > 0 ? readProcess(parentPid)?.started : undefined;
    const id = isOnline ? newId(now) : this.#offlineId(now);
    const writer = LaneWriter.create(folder, {
      lane: newId(now),
      session: id,
      server,
      at: now,
      monotonic_ms: Math.round(clock.monotonic()),
      writer: {
        client: "datacat 1.x",
        ...(parentPid > 0 && { pid: parentPid }),
        ...(started !== undefined && { pid_started: started }),
        ...machine,
      },
      role: "local",
    });
    const session: LocalSession = {
      id,
      writer,
      state: { product, version },
      createdAt: now,
      updatedAt: now,
      endedAt: undefined,
    };
    this.#sessions.set(id, session);
    this.append(session, { op: "start", at: now, product, version });
    return session;
  }

  /** A session by its id: also one that was opened before the daemon was started again. */
  find(id: string): LocalSession | undefined {
    this.#dropDone();
    return this.#sessions.get(id) ?? this.#adopt(id);
  }

  /** Writes an op to the session's lane. Throws if the disk does not take it: the caller has a program to tell. */
  append(session: LocalSession, said: Op): void {
    const op = checked(said);
    if (!op)
      throw new Refusal("invalid_body", `This ${said.op} is not one that a server would take.`);
    if (op.op === "event" && JSON.stringify(op).length > MAX_EVENT_BYTES) {
      throw new Refusal("too_large", `An event may have ${MAX_EVENT_BYTES} bytes.`);
    }
    if (op.op === "state") mergeState(session, op.patch);
    if (!session.writer.tryAppend(op)) {
      throw new Refusal(
        "unavailable",
        "The daemon's disk is full or failing; nothing was recorded.",
      );
    }
    session.updatedAt = op.at;
    if (op.op === "end") session.endedAt = op.at;
    this.#options.wake();
  }

  close(): void {
    for (const { writer } of this.#sessions.values()) writer.close();
    this.#sessions.clear();
  }

  /** What 1.x calls such a session, made unlike any other machine's, because it stays the session's id for ever. */
  #offlineId(now: number): string {
    const random = newId(now).slice(-8);
    return `local-session-${Math.floor(now / 1000)}-${this.#registered}-${random}`;
  }

  /** Ended, and all of it on the server: 1.x does not know them any more either. */
  #dropDone(): void {
    for (const [id, { endedAt, writer }] of this.#sessions) {
      const lane = this.#options.lanes.all.get(writer.header.lane);
      // Its lane was removed: sent, or its session deleted on the server.
      const isGone = lane === undefined && !existsSync(writer.path);
      if (!isGone && !(lane?.isDone && endedAt !== undefined)) continue;
      writer.close();
      this.#sessions.delete(id);
    }
  }

  #adopt(id: string): LocalSession | undefined {
    for (const lane of this.#options.lanes.ofSession(id)) {
      if (lane.header.role !== "local") continue;
      const session = {
        id,
        writer: LaneWriter.resume(this.#options.folder, lane.lane),
        ...remembered(lane),
        createdAt: lane.header.at,
      };
      this.#sessions.set(id, session);
      return session;
    }
    return undefined;
  }
}

/** What a lane's files still tell of its session. */
function remembered(lane: Lane): Pick<LocalSession, "state" | "updatedAt" | "endedAt"> {
  const state: JsonObject = {};
  let updatedAt = lane.header.at;
  let endedAt: number | undefined;
  using cursor = new Cursor(lane, { part: lane.parts[0] ?? 1, offset: 0, seq: 0 });
  while (cursor.next()) {
    const { op } = cursor;
    if (op.op === "start") Object.assign(state, { product: op.product, version: op.version });
    if (op.op === "state") merge(state, op.patch);
    if (op.op === "end") endedAt = op.at;
    updatedAt = op.at;
  }
  return { state, updatedAt, endedAt };
}

/** Within the limits that the server has: refused here, where the program still hears of it. */
function mergeState(session: LocalSession, patch: JsonObject): void {
  const next = structuredClone(session.state);
  merge(next, patch);
  if (Buffer.byteLength(JSON.stringify(next)) > MAX_STATE_BYTES) {
    throw new Refusal("too_large", `The state would be larger than ${MAX_STATE_BYTES} bytes.`);
  }
  session.state = next;
}
