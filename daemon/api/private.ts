/**
 * Private daemons, 1.x's way: each program has one of its own, with a home below the user's, and it goes when the program does. What
 * it could not send is taken over by whichever daemon comes next.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Home, homeAt, makePrivate } from "../home.ts";
import { listLanes } from "../lanes/lane-file.ts";
import { PRIVATE_LINGER_MS } from "../limits.ts";
import type { LocalSessions } from "./local.ts";
import { Lock } from "../lock.ts";
import type { Log } from "../log.ts";

const FOLDER = "private";

export function privateHome(userHome: Home, port: number): Home {
  const home = homeAt(join(userHome.folder, FOLDER, String(port)));
  makePrivate(home);
  return home;
}

/** Takes over the lanes that private daemons left behind. */
export async function rescue(userHome: Home, own: Home, id: string, log: Log): Promise<void> {
  const folder = join(userHome.folder, FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const left = homeAt(join(folder, name));
    if (left.folder === own.folder || !existsSync(left.lanes)) continue;
    const lock = await Lock.take(left.lock, id);
    if (!lock) continue; // its daemon lives
    const lanes = listLanes(left.lanes).size;
    moveFiles(left.lanes, own.lanes);
    moveFiles(left.dead, own.dead);
    rmSync(left.folder, { recursive: true, force: true });
    if (lanes > 0) log.write(`took over ${lanes} lanes from ${left.folder}`);
  }
}

function moveFiles(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
}

/** When a private daemon is done: a while after its last session was ended and sent, or its program went. */
export class Farewell {
  readonly #local: LocalSessions;
  readonly #parent = process.ppid;
  readonly #monotonic: () => number;
  readonly #orphaned: () => void;
  #quietSince: number | undefined;
  #orphanedSince: number | undefined;

  /** `orphaned` is called once, when the program that started this daemon is gone. */
  constructor(local: LocalSessions, monotonic: () => number, orphaned: () => void) {
    this.#local = local;
    this.#monotonic = monotonic;
    this.#orphaned = orphaned;
  }

  isDue(): boolean {
    const now = this.#monotonic();
    // A new session calls it off.
    const isQuiet = this.#local.registered > 0 && this.#local.all.length === 0;
    this.#quietSince = isQuiet ? (this.#quietSince ?? now) : undefined;
    if (process.ppid !== this.#parent && this.#orphanedSince === undefined) {
      this.#orphanedSince = now;
      this.#orphaned();
    }
    const since = this.#orphanedSince ?? this.#quietSince;
    return since !== undefined && now - since >= PRIVATE_LINGER_MS;
  }
}
