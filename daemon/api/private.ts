/**
 * Private daemons, as in 1.x: each program has its own, with a home below the user's, and the daemon ends when its program does.
 * The next daemon adopts the lanes that it could not send.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Home, homeAt, makePrivate } from "../home.ts";
import { listLanes } from "../lanes/listing.ts";
import { PRIVATE_LINGER_MS } from "../limits.ts";
import { Lock } from "../lock.ts";
import { type Log, reason } from "../log.ts";
import type { LocalSessions } from "./local.ts";

const FOLDER = "private";

export function privateHome(userHome: Home, port: number): Home {
  const home = homeAt(join(userHome.folder, FOLDER, String(port)));
  makePrivate(home);
  return home;
}

/** Moves the lanes of private daemons that have ended into this daemon's home. */
export async function adoptPrivate(userHome: Home, own: Home, id: string, log: Log): Promise<void> {
  const folder = join(userHome.folder, FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const left = homeAt(join(folder, name));
    if (left.folder === own.folder || !existsSync(left.lanes)) continue;
    try {
      await adopt(left, own, id, log);
    } catch (error) {
      log.failed(`adopting lanes from ${left.folder}`, reason(error)); // the others are adopted
    }
  }
}

async function adopt(left: Home, own: Home, id: string, log: Log): Promise<void> {
  const lock = await Lock.take(left.lock, id);
  if (!lock) return; // its daemon runs
  const lanes = listLanes(left.lanes).size;
  moveFiles(left.lanes, own.lanes);
  moveFiles(left.rejected, own.rejected);
  rmSync(left.folder, { recursive: true, force: true });
  if (lanes > 0) log.write(`adopted ${lanes} lanes from ${left.folder}`);
}

function moveFiles(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isFile()) renameSync(join(from, entry.name), join(to, entry.name));
  }
}

/** What decides when a private daemon ends. Times are the monotonic clock's. */
type PrivateState = {
  /** A session was registered, and every session has ended and was sent, since then. */
  idleSince: number | undefined;
  /** The program that started the daemon ended then. */
  orphanedSince: number | undefined;
};

/** A private daemon ends a while after its last session, or after its program. */
export function isPrivateOver({ idleSince, orphanedSince }: PrivateState, now: number): boolean {
  const since = orphanedSince ?? idleSince;
  return since !== undefined && now - since >= PRIVATE_LINGER_MS;
}

/** Observes a private daemon's sessions and the program that started it. */
export class PrivateLife {
  readonly #local: LocalSessions;
  readonly #parent = process.ppid;
  readonly #monotonic: () => number;
  readonly #orphaned: () => void;
  #state: PrivateState = { idleSince: undefined, orphanedSince: undefined };

  /** `orphaned` is called once, when the program that started this daemon has ended. */
  constructor(local: LocalSessions, monotonic: () => number, orphaned: () => void) {
    this.#local = local;
    this.#monotonic = monotonic;
    this.#orphaned = orphaned;
  }

  isOver(): boolean {
    const now = this.#monotonic();
    const isIdle = this.#local.registered > 0 && this.#local.all.length === 0;
    const isOrphaned = process.ppid !== this.#parent;
    const isNew = isOrphaned && this.#state.orphanedSince === undefined;
    this.#state = {
      idleSince: isIdle ? (this.#state.idleSince ?? now) : undefined,
      orphanedSince: isOrphaned ? (this.#state.orphanedSince ?? now) : undefined,
    };
    if (isNew) this.#orphaned();
    return isPrivateOver(this.#state, now);
  }
}
