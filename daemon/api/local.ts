/** Sessions of programs that use 1.x's local API. Each has a lane that the daemon writes, so it survives the daemon like any other. */
import { existsSync } from "node:fs";
import { MAX_EVENT_BYTES, MAX_STATE_BYTES } from "../../src/core/limits.ts";
import { merge } from "../../src/core/state/merge.ts";
import { Refusal } from "../../src/core/refusal.ts";
import type { JsonObject, Op } from "../../src/core/wire.ts";
import { checked } from "../send/check.ts";
import type { Clock } from "../clock.ts";
import { Cursor } from "../lanes/cursor.ts";
import { newId } from "../id.ts";
import { withNamesCut } from "../../src/core/text/cut-names.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import { MAX_REMEMBERED } from "../limits.ts";
import type { Caller, Registrant } from "./caller.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Tail } from "../lanes/tail.ts";
import type { Machine } from "../watch/machine.ts";
import { readProcess } from "../watch/processes.ts";

export type LocalSession = {
  id: string;
  registrant: Registrant;
  writer: LaneWriter;
  state: JsonObject;
  createdAt: number;
  updatedAt: number;
  endedAt: number | undefined;
};

type LocalOptions = {
  folder: string;
  lanes: Lanes;
  tail: Tail;
  clock: Clock;
  machine: Machine;
  /** Written to the lanes' headers, so that any daemon sends them to the same server. */
  server: string;
  /** Called after each write. */
  wake: () => void;
};

export class LocalSessions {
  readonly #options: LocalOptions;
  readonly #sessions = new Map<string, LocalSession>();
  /** Every session that was opened here, also after it has gone to the server; the newest last. */
  readonly #opened = new Map<string, Registrant>();
  #registered = 0;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  /** Sessions that have not ended, or whose end is not on the server yet. */
  get all(): LocalSession[] {
    this.#dropDone();
    return [...this.#sessions.values()];
  }

  /** How many of them another user's programs have. */
  openOf(uid: number): number {
    return this.all.filter(({ registrant }) => registrant === uid).length;
  }

  /** How many were registered with this daemon. */
  get registered(): number {
    return this.#registered;
  }

  /** Opens a session. `parentPid` is the process to watch; 0 for none. */
  open(
    product: string,
    version: string,
    parentPid: number,
    isOnline: boolean,
    registrant: Registrant,
  ): LocalSession {
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
        pid: parentPid > 0 ? parentPid : undefined,
        pid_started: started,
        ...machine,
      },
      role: "local",
      registrant,
    });
    const session: LocalSession = {
      id,
      registrant,
      writer,
      state: { product, version },
      createdAt: now,
      updatedAt: now,
      endedAt: undefined,
    };
    try {
      this.append(session, { op: "start", at: now, product, version });
    } catch (error) {
      writer.close();
      throw error;
    }
    this.#sessions.set(id, session);
    this.#remember(id, registrant);
    return session;
  }

  /** A session by its id, also one that an earlier daemon opened, if the caller may use it. */
  async findFor(id: string, caller: Caller): Promise<LocalSession | undefined> {
    this.#dropDone();
    const session = this.#sessions.get(id) ?? this.#adopt(id);
    return session && (await mayUse(caller, session.registrant)) ? session : undefined;
  }

  /** Whether the caller opened a session here that may have gone to the server already. */
  async hasOpened(id: string, caller: Caller): Promise<boolean> {
    return this.#opened.has(id) && mayUse(caller, this.#opened.get(id));
  }

  /** The sessions that the caller may read; undefined if this system does not show who asks. Their ids allow to write to them. */
  async listFor(caller: Caller): Promise<string[] | undefined> {
    const registrant = await caller.registrant();
    if (registrant === "none" || (registrant === undefined && !(await caller.isOwner()))) {
      return undefined;
    }
    return [...this.#opened].flatMap(([id, owner]) => (owner === registrant ? [id] : []));
  }

  /** Writes an op to the session's lane. Throws if the op is invalid or the disk is full, so that the program gets an error. */
  append(session: LocalSession, unchecked: Op): void {
    const [within = unchecked, ...reports] = withNamesCut(unchecked);
    const op = checked(within);
    if (!op) throw new Refusal("invalid_body", `This ${unchecked.op} op is invalid.`);
    if (op.op === "event" && JSON.stringify(op).length > MAX_EVENT_BYTES) {
      throw new Refusal("too_large", `An event may have at most ${MAX_EVENT_BYTES} bytes.`);
    }
    const state = op.op === "state" ? merged(session, op.patch) : session.state;
    if (!session.writer.tryAppend(op, ...reports)) {
      throw new Refusal(
        "unavailable",
        "The daemon's disk is full or failing; nothing was recorded.",
      );
    }
    session.state = state;
    session.updatedAt = op.at;
    if (op.op === "end") session.endedAt = op.at;
    this.#options.wake();
  }

  close(): void {
    for (const { writer } of this.#sessions.values()) writer.close();
    this.#sessions.clear();
  }

  #remember(id: string, registrant: Registrant): void {
    this.#opened.set(id, registrant);
    if (this.#opened.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined) this.#opened.delete(oldest);
  }

  /** 1.x's id of a session opened offline. The random part makes it unique, because it remains the session's id, and hard to guess. */
  #offlineId(now: number): string {
    const random = newId(now).replaceAll("-", "").slice(-16);
    return `local-session-${Math.floor(now / 1000)}-${this.#registered}-${random}`;
  }

  /** Removes sessions that have ended and are on the server, as 1.x does. */
  #dropDone(): void {
    const { lanes, tail } = this.#options;
    for (const [id, { endedAt, writer }] of this.#sessions) {
      const lane = lanes.all.get(writer.header.lane);
      // The lane was deleted: sent, or its session was deleted on the server.
      const isGone = lane === undefined && !existsSync(writer.path);
      if (!isGone && !(lane && tail.isDone(lane) && endedAt !== undefined)) continue;
      writer.close();
      this.#sessions.delete(id);
    }
  }

  #adopt(id: string): LocalSession | undefined {
    for (const lane of this.#options.lanes.ofSession(id)) {
      if (lane.header.role !== "local") continue;
      const { registrant } = lane.header;
      const session = {
        id,
        registrant,
        writer: LaneWriter.resume(lane.folder, lane.id),
        ...readBack(lane),
        createdAt: lane.header.at,
      };
      this.#sessions.set(id, session);
      this.#remember(id, registrant);
      return session;
    }
    return undefined;
  }
}

/** Where the system does not show users, the id is enough: only the session's program has it. */
async function mayUse(caller: Caller, registrant: Registrant): Promise<boolean> {
  return (await caller.registrant()) === registrant;
}

/** The session as its lane's remaining files have it. */
function readBack(lane: Lane): Pick<LocalSession, "state" | "updatedAt" | "endedAt"> {
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

/** Applies the server's limit here, where the program still gets the error. */
function merged({ state }: LocalSession, patch: JsonObject): JsonObject {
  const next = structuredClone(state);
  merge(next, patch);
  if (Buffer.byteLength(JSON.stringify(next)) > MAX_STATE_BYTES) {
    throw new Refusal("too_large", `The state would be larger than ${MAX_STATE_BYTES} bytes.`);
  }
  return next;
}
