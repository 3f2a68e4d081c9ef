/** One lane on this disk: its files, and how far the server has acknowledged them. */
import { join } from "node:path";
import { type Header, laneFile } from "./lane-file.ts";

/** Every record up to and including `seq` was read; the next line starts at `offset` of `part`. */
export type Position = {
  part: number;
  offset: number;
  seq: number;
  /** The file that `offset` is in. The disk budget replaces files, and an offset into the old one means nothing in the new one. */
  inode?: number;
};

export class Lane {
  readonly folder: string;
  readonly header: Header;
  /** Ascending; never empty. */
  parts: number[];
  /** The numbers of attachments whose content is beside the lane, ascending. */
  attachments: number[] = [];
  /** Parts that the daemon rewrote without some of their records, to free disk space. */
  readonly reduced = new Set<number>();
  /** What the server has acknowledged. */
  position: Position;
  /** The server has every record up to this sequence, even where `position` is before it. */
  skipTo = 0;
  /** The writer ended the session or its process is gone: no record follows. */
  isClosed = false;
  /** The lane is closed, and the server has acknowledged its last record. */
  isSent = false;
  /** Other lanes write to the same session, so this one alone does not determine the session's state. */
  isShared = false;

  constructor(folder: string, parts: number[], header: Header, position?: Position) {
    this.folder = folder;
    this.header = header;
    this.parts = parts;
    // If the first part's header is damaged, the header is a later part's, and its `first` does not apply.
    const seq = header.part === parts[0] ? header.first - 1 : 0;
    this.position = position ?? { part: parts[0] ?? 1, offset: 0, seq };
  }

  get id(): string {
    return this.header.lane;
  }

  get session(): string {
    return this.header.session;
  }

  /** The daemon writes this lane: what it observed of the session's processes. */
  get isObservations(): boolean {
    return this.header.role === "observations";
  }

  /** Continues after what the server has applied, or reads the lane again from its first part if that is less than was acknowledged. */
  moveTo(applied: number): void {
    if (applied < this.position.seq) {
      this.position = { part: this.parts[0] ?? 1, offset: 0, seq: applied };
    }
    this.skipTo = Math.max(0, applied);
  }

  path(part: number): string {
    return join(this.folder, laneFile(this.id, part));
  }
}
