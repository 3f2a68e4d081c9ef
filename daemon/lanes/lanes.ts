/** The lanes of a home, and what the daemon knows of each. */
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Position } from "./cursor.ts";
import { StateFilter } from "../send/filter.ts";
import type { Pulse } from "../watch/hang.ts";
import type { Home } from "../home.ts";
import { type Header, laneFile, listLanes, readHeader } from "./lane-file.ts";
import { HEADLESS_MS, MAX_KNOWN_VALUES_IN_ALL } from "../limits.ts";
import type { Log } from "../log.ts";
import { type News, Tail } from "./tail.ts";
import type { ProcessInfo } from "../watch/processes.ts";

/** What the checkpoint keeps of a lane. Everything else is found out again from its files and the server's answers. */
export type LaneMemory = Position & {
  session: string;
  server: string;
  isJoiner?: boolean;
  /** Other lanes wrote to the session too, so what this one knows of the state is not the whole. */
  isShared?: boolean;
  /** The writer's start, where the header does not say it. */
  started?: string;
};

export class Lane {
  readonly folder: string;
  readonly lane: string;
  readonly header: Header;
  readonly tail: Tail;
  readonly filter = new StateFilter();
  parts: number[];
  thinned = new Set<number>();
  /** What the server has acknowledged. */
  position: Position;
  /** The server has everything up to here, whatever `position` says: read past it. */
  skipTo = 0;
  /** Its writer is gone or has ended: nothing more will come. */
  isOver = false;
  /** It is over, and was read to its very end. */
  isRead = false;
  isShared: boolean;

  // Sending.
  pendingSince: number | undefined;
  isUrgent = false;
  isWatched = false;
  /** When the server last heard of it. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** After a refusal, batches get smaller until the record that caused it stands alone… */
  maxRecords = Number.POSITIVE_INFINITY;
  /** …and is left out. */
  refusedSeq = 0;
  failures = 0;
  notBefore = 0;

  // Watching.
  started: string | undefined;
  pulse: Pulse | undefined;
  /** Its last exception ended the program, or should have. */
  hasThrown = false;
  wasSeenAlive = false;
  sample: { process: ProcessInfo; monotonic: number } | undefined;
  grewAt: number;
  /** A writer that cannot be looked at was promised to be heard until then. */
  leaseUntil = 0;
  /** It was not. */
  isSilent = false;

  constructor(
    folder: string,
    parts: number[],
    header: Header,
    memory: LaneMemory | undefined,
    monotonic: number,
  ) {
    this.folder = folder;
    this.lane = header.lane;
    this.header = header;
    this.parts = parts;
    this.position = memory
      ? { part: memory.part, offset: memory.offset, seq: memory.seq, inode: memory.inode ?? 0 }
      : // The header may be a later part's, if the first one's is damaged.
        { part: parts[0] ?? 1, offset: 0, seq: header.part === parts[0] ? header.first - 1 : 0 };
    this.tail = new Tail(parts.find((part) => part >= this.position.part) ?? parts[0] ?? 1);
    this.tail.isJoiner = memory?.isJoiner ?? false;
    this.isShared = memory?.isShared ?? false;
    this.started = header.writer.pid_started ?? memory?.started;
    this.grewAt = monotonic;
  }

  get session(): string {
    return this.header.session;
  }

  /** There are bytes that the server has not acknowledged. */
  get isPending(): boolean {
    return this.tail.part !== this.position.part || this.tail.offset > this.position.offset;
  }

  get unsentBytes(): number {
    if (this.tail.part === this.position.part) return this.tail.offset - this.position.offset;
    return Number.POSITIVE_INFINITY;
  }

  /** Its writer may still write to it. */
  get speaks(): boolean {
    return !this.isOver && !this.isSilent && this.header.role !== "facts";
  }

  /** Everything in it is on the server, and nothing more will come. */
  get isDone(): boolean {
    return this.isRead && !this.isPending;
  }

  /** Reads what its writer has added. */
  look(monotonic: number): News {
    const news = this.tail.read(this);
    if (news.grew) {
      this.grewAt = monotonic;
      this.pendingSince ??= monotonic;
    }
    if (news.isUrgent) this.isUrgent = true;
    // The daemon's own word on a session ends when the session's lanes do.
    if (this.tail.hasEnded && this.header.role !== "facts") this.isOver = true;
    return news;
  }

  /** Reads on from here, or reads again: whatever was known of the state is not sure any more. */
  moveTo(applied: number): void {
    if (applied < this.position.seq) {
      this.position = { part: this.parts[0] ?? 1, offset: 0, seq: applied };
    }
    this.skipTo = Math.max(0, applied);
    this.filter.forget();
  }

  memory(server: string): LaneMemory {
    return {
      ...this.position,
      session: this.session,
      server,
      ...(this.tail.isJoiner && { isJoiner: true }),
      ...(this.isShared && { isShared: true }),
      ...(this.started !== undefined && { started: this.started }),
    };
  }

  path(part: number): string {
    return join(this.folder, laneFile(this.lane, part));
  }
}

export class Lanes {
  readonly all = new Map<string, Lane>();
  readonly #home: Home;
  readonly #log: Log;
  readonly #memories: Map<string, LaneMemory>;
  readonly #sessions = new Map<string, Set<Lane>>();
  readonly #headless = new Map<string, number>();
  #scannedMtime = -1;

  constructor(home: Home, log: Log, memories: Map<string, LaneMemory>) {
    this.#home = home;
    this.#log = log;
    this.#memories = memories;
  }

  ofSession(session: string): ReadonlySet<Lane> {
    return this.#sessions.get(session) ?? new Set();
  }

  /** Whether a program may still speak in this session. */
  isLive(session: string): boolean {
    for (const lane of this.ofSession(session)) {
      if (lane.speaks) return true;
    }
    return false;
  }

  /** Looks for lanes and parts that came or went, if the folder has changed. */
  scan(monotonic: number): void {
    const mtime = statSync(this.#home.lanes).mtimeMs;
    // Clocks of file systems tick slowly: a folder that has just changed may change again unseen.
    if (mtime === this.#scannedMtime && this.#headless.size === 0) return;
    this.#scannedMtime = Date.now() - mtime < 50 ? -1 : mtime;

    const found = listLanes(this.#home.lanes);
    for (const [id, lane] of this.all) {
      const parts = found.get(id);
      if (parts) lane.parts = parts;
      else this.#forget(lane);
    }
    for (const [id, parts] of found) {
      if (!this.all.has(id)) this.#add(id, parts, monotonic);
    }
  }

  /** Takes a lane's files away. */
  remove(lane: Lane): void {
    for (const part of lane.parts) rmSync(lane.path(part), { force: true });
    this.#forget(lane);
  }

  /** Removes the lanes that are done with. */
  reap(): void {
    for (const lane of this.all.values()) if (lane.isDone) this.remove(lane);
  }

  /** Takes away the parts that the server has all of. */
  trim(lane: Lane): void {
    const [last] = lane.parts.slice(-1);
    for (const part of lane.parts) {
      if (part < lane.position.part && part !== last) rmSync(lane.path(part), { force: true });
    }
    lane.parts = lane.parts.filter((part) => part >= lane.position.part || part === last);
  }

  /** Knowledge of states costs memory, so the lanes with the most lose theirs when it is too much in all. */
  boundKnowledge(): void {
    let sum = 0;
    for (const lane of this.all.values()) sum += lane.filter.size;
    if (sum <= MAX_KNOWN_VALUES_IN_ALL) return;
    const largest = [...this.all.values()].toSorted((a, b) => b.filter.size - a.filter.size);
    for (const lane of largest) {
      if (sum <= MAX_KNOWN_VALUES_IN_ALL) return;
      sum -= lane.filter.size;
      lane.filter.forget();
    }
  }

  #add(id: string, parts: number[], monotonic: number): void {
    const header = this.#findHeader(id, parts);
    if (!header) return this.#setAside(id, parts, monotonic);
    this.#headless.delete(id);
    const lane = new Lane(this.#home.lanes, parts, header, this.#memories.get(id), monotonic);
    for (const part of parts) if (readHeader(lane.path(part))?.thinned) lane.thinned.add(part);
    this.all.set(id, lane);
    const session = this.#sessions.get(lane.session) ?? new Set();
    this.#sessions.set(lane.session, session.add(lane));
    this.#noteSharing(session);
  }

  #forget(lane: Lane): void {
    this.all.delete(lane.lane);
    this.#memories.delete(lane.lane);
    const session = this.#sessions.get(lane.session);
    session?.delete(lane);
    if (session?.size === 0) this.#sessions.delete(lane.session);
  }

  /** A session that several lanes write to has no lane that knows its state. */
  #noteSharing(session: Set<Lane>): void {
    const writers = [...session].filter((lane) => lane.header.role !== "facts");
    if (writers.length < 2) return;
    for (const writer of writers) {
      writer.isShared = true;
      writer.filter.forget();
    }
  }

  /** Any part's header will do, and so will the checkpoint: they agree on all that matters. */
  #findHeader(id: string, parts: number[]): Header | undefined {
    for (const part of parts) {
      const header = readHeader(join(this.#home.lanes, laneFile(id, part)));
      if (header?.lane === id) return header;
    }
    const memory = this.#memories.get(id);
    if (!memory) return undefined;
    const { session, server, part, seq } = memory;
    return { lane: id, format: 1, part, first: seq + 1, session, server, at: 0, writer: {} };
  }

  /** A lane without a header cannot be sent to any session. It may still be being written; else it is kept for a person. */
  #setAside(id: string, parts: number[], monotonic: number): void {
    const since = this.#headless.get(id) ?? monotonic;
    this.#headless.set(id, since);
    if (monotonic - since < HEADLESS_MS) return;
    this.#headless.delete(id);
    for (const part of parts) {
      const name = laneFile(id, part);
      renameSync(join(this.#home.lanes, name), join(this.#home.dead, name));
    }
    this.#log.write(`lane ${id} has no readable header; moved to ${this.#home.dead}`);
  }
}
