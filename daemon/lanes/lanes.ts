/** The lanes of a home: finds them in its folder, and removes what the server has. */
import { lstatSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Home, homeAt } from "../home.ts";
import { HEADERLESS_MS, MTIME_STEP_MS } from "../limits.ts";
import { type Log, reason } from "../log.ts";
import type { LaneCheckpoint } from "./checkpoint.ts";
import { attachmentPath } from "./attachment-file.ts";
import { type Header, laneFile, readHeader } from "./lane-file.ts";
import { attachmentId, listFolder } from "./listing.ts";
import { Lane } from "./lane.ts";
import { SIDE_FILES, sideFilePath } from "./side-file.ts";

type Listing = ReturnType<typeof listFolder>;
const NOTHING: Listing = { lanes: new Map(), attachments: new Map() };

export class Lanes {
  readonly all = new Map<string, Lane>();
  readonly #home: Home;
  readonly #log: Log;
  readonly #checkpoint: Map<string, LaneCheckpoint>;
  readonly #sessions = new Map<string, Set<Lane>>();
  /** Lanes without a readable header, and when each was first seen. */
  readonly #headerless = new Map<string, number>();
  /** By folder, when it last changed. */
  #scanned = new Map<string, number>();
  /** Folders of lanes besides the home's. */
  readonly #others: () => string[];

  constructor(
    home: Home,
    log: Log,
    checkpoint: Map<string, LaneCheckpoint>,
    others: () => string[] = () => [],
  ) {
    this.#home = home;
    this.#log = log;
    this.#checkpoint = checkpoint;
    this.#others = others;
  }

  ofSession(session: string): ReadonlySet<Lane> {
    return this.#sessions.get(session) ?? new Set();
  }

  /** What the checkpoint held of a lane when this daemon started. */
  checkpointed(lane: Lane): LaneCheckpoint | undefined {
    return this.#checkpoint.get(lane.id);
  }

  /** Finds lanes and parts that were added or removed, in the folders that have changed. */
  scan(monotonic: number): void {
    const folders = [this.#home.lanes, ...this.#others()];
    for (const lane of this.all.values()) if (!folders.includes(lane.folder)) this.#remove(lane);
    for (const folder of folders) this.#scan(folder, monotonic);
  }

  #scan(folder: string, monotonic: number): void {
    // A folder that was removed has no lanes. The next program makes it again.
    const mtime = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (mtime === this.#scanned.get(folder) && this.#headerless.size === 0) return;
    // A second change within one step of the file system's clock leaves the same mtime.
    this.#scanned.set(
      folder,
      mtime === undefined || Date.now() - mtime < MTIME_STEP_MS ? -1 : mtime,
    );

    const found = mtime === undefined ? NOTHING : listFolder(folder);
    for (const [id, lane] of this.all) {
      if (lane.folder !== folder) continue;
      const parts = found.lanes.get(id);
      if (parts) lane.parts = parts;
      else this.#remove(lane);
    }
    for (const [id, parts] of found.lanes) {
      if (this.all.has(id)) continue;
      try {
        this.#add(folder, id, parts, monotonic);
      } catch (error) {
        // It may be another user's, or vanish at this moment. It does not keep the others from being read.
        this.#log.failed(`opening lane ${id}`, reason(error));
      }
    }
    for (const lane of this.all.values())
      if (lane.folder === folder) lane.attachments = found.attachments.get(lane.id) ?? [];
    this.#removeOrphans(folder, found);
  }

  /** Removes attachments whose lane is gone: their session is unknown. */
  #removeOrphans(folder: string, { lanes, attachments }: Listing): void {
    for (const [id, numbers] of attachments) {
      if (lanes.has(id)) continue;
      for (const number of numbers) {
        const path = join(folder, `${attachmentId(id, number)}.attachment`);
        const changedAt = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
        // The program makes its lane before, but may have made it again after it was deleted.
        if (Date.now() - changedAt > HEADERLESS_MS) this.#removeFile(path);
      }
    }
  }

  /** Deletes a lane's files. On a disk that became read-only it stays, and is not sent again. */
  delete(lane: Lane): void {
    const reserve = join(lane.folder, `${lane.id}.reserve`); // of a program that did not end its session
    const beside = SIDE_FILES.map((kind) => sideFilePath(lane, kind));
    for (const number of lane.attachments) beside.push(attachmentPath({ lane, number }));
    // The lane last: without it the others could not be found again.
    const paths = [...beside, reserve, ...lane.parts.map((part) => lane.path(part))];
    if (paths.every((path) => this.#removeFile(path))) this.#remove(lane);
  }

  /** Deletes the parts before the acknowledged position. The newest part stays, because its writer appends to it. */
  trim(lane: Lane): void {
    const newest = lane.parts.at(-1);
    lane.parts = lane.parts.filter(
      (part) => part >= lane.position.part || part === newest || !this.#removeFile(lane.path(part)),
    );
  }

  #removeFile(path: string): boolean {
    try {
      rmSync(path, { force: true });
      this.#log.worked("removing sent lanes");
      return true;
    } catch (error) {
      this.#log.failed("removing sent lanes", reason(error));
      return false;
    }
  }

  #add(folder: string, id: string, parts: number[], monotonic: number): void {
    const header = this.#findHeader(folder, id, parts);
    if (!header) return this.#reject(folder, id, parts, monotonic);
    this.#headerless.delete(id);
    const saved = this.#checkpoint.get(id);
    const position = saved && {
      part: saved.part,
      offset: saved.offset,
      seq: saved.seq,
      inode: saved.inode ?? 0, // an older checkpoint: no file has inode 0, so the part is read from its start
    };
    const lane = new Lane(folder, parts, header, position);
    lane.isShared = saved?.isShared ?? false;
    for (const part of parts) if (readHeader(lane.path(part))?.reduced) lane.reduced.add(part);
    this.all.set(id, lane);
    const session = this.#sessions.get(lane.session) ?? new Set();
    this.#sessions.set(lane.session, session.add(lane));
    markShared(session);
  }

  #remove(lane: Lane): void {
    this.all.delete(lane.id);
    this.#checkpoint.delete(lane.id);
    const session = this.#sessions.get(lane.session);
    session?.delete(lane);
    if (session?.size === 0) this.#sessions.delete(lane.session);
  }

  #setAside(path: string, rejected: string, name: string): void {
    try {
      mkdirSync(rejected, { recursive: true, mode: 0o700 });
      renameSync(path, join(rejected, name));
      this.#log.write(`${name} has no readable header; moved to ${rejected}`);
    } catch (error) {
      this.#log.failed("setting lanes without a header aside", reason(error));
    }
  }

  /** Any part's header identifies the lane, and so does the checkpoint: they agree on session and server. */
  #findHeader(folder: string, id: string, parts: number[]): Header | undefined {
    for (const part of parts) {
      const header = readHeader(join(folder, laneFile(id, part)));
      if (header?.lane === id) return header;
    }
    const saved = this.#checkpoint.get(id);
    if (!saved) return undefined;
    const { session, server, part, seq } = saved;
    return { lane: id, format: 1, part, first: seq + 1, session, server, at: 0, writer: {} };
  }

  /** Moves a lane without a header to the rejected files: its session is unknown. Its writer gets time to write the header first. */
  #reject(folder: string, id: string, parts: number[], monotonic: number): void {
    const since = this.#headerless.get(id) ?? monotonic;
    this.#headerless.set(id, since);
    if (monotonic - since < HEADERLESS_MS) return;
    this.#headerless.delete(id);
    const { rejected } = homeAt(dirname(folder)); // on the same disk
    for (const part of parts) {
      const name = laneFile(id, part);
      const path = join(folder, name);
      // A full disk had no room for the header.
      if (statSync(path, { throwIfNoEntry: false })?.size === 0) this.#removeFile(path);
      else this.#setAside(path, rejected, name);
    }
  }
}

/** With several writers, a patch that changes nothing in one lane may change what another lane wrote. */
function markShared(session: Set<Lane>): void {
  const writers = [...session].filter((lane) => !lane.isObservations);
  if (writers.length < 2) return;
  for (const writer of writers) writer.isShared = true;
}
