/** The daemon's loop: reads lanes, checks programs and disk in turn, ten times a second while lanes grow and once a second otherwise. */
import { existsSync, type FSWatcher, watch } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "./clock.ts";
import type { Home } from "./home.ts";
import { attachmentPath } from "./lanes/attachment-file.ts";
import type { Budget } from "./lanes/budget.ts";
import type { Lane } from "./lanes/lane.ts";
import type { Lanes } from "./lanes/lanes.ts";
import type { Growth, Tail } from "./lanes/tail.ts";
import {
  BUDGET_MS,
  GIVE_UP_MS,
  LOCK_CHECK_MS,
  MIN_WAIT_MS,
  POLL_MS,
  QUIET_AFTER_MS,
  QUIET_POLL_MS,
  SYNC_MS,
  WATCH_MS,
} from "./limits.ts";
import type { Lock } from "./lock.ts";
import { type Log, reason } from "./log.ts";
import type { Attachments } from "./send/attachments.ts";
import type { Sender } from "./send/sender.ts";
import type { Monitor } from "./watch/monitor.ts";

type LoopOptions = {
  home: Home;
  lanes: Lanes;
  tail: Tail;
  monitor: Monitor;
  sender: Sender;
  attachments: Attachments;
  budget: Budget;
  lock: Lock;
  log: Log;
  clock: Clock;
  /** How long it continues without anything to do… */
  idleMs: number;
  /** …unless this is true then. */
  isWanted: () => boolean;
  /** Whether it stops now, whatever there is to do. */
  isOver: () => boolean;
};

/** What decides whether a daemon still has something to do. Times are the monotonic clock's. */
export type Workload = {
  lanes: number;
  /** A program may still write to one of them. */
  isLive: boolean;
  grewAt: number;
  /** When a server last accepted a request. */
  acceptedAt: number;
};

/** Busy: a program runs, or there are unsent lanes and within the last hour a lane grew or a server accepted a request. */
export function isBusy({ lanes, isLive, grewAt, acceptedAt }: Workload, now: number): boolean {
  return isLive || (lanes > 0 && now - Math.max(grewAt, acceptedAt) <= GIVE_UP_MS);
}

export class Loop {
  readonly stopped: Promise<void>;
  readonly #options: LoopOptions;
  #settle: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #folderWatch: FSWatcher | undefined;
  #isStopped = false;
  #grewAt: number;
  #busyAt: number;
  #next = { watch: 0, sync: 0, lock: 0, budget: 0 };
  #isSyncing = false;
  /** Files that were written to since they were last synced. */
  #unsynced = new Set<string>();

  constructor(options: LoopOptions) {
    this.#options = options;
    const now = options.clock.monotonic();
    this.#grewAt = now;
    this.#busyAt = now;
    this.stopped = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  start(): void {
    this.#turn();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#folderWatch?.close();
    this.#settle();
  }

  /** Something was written, so the next turn comes at once. */
  wake(): void {
    if (this.#isStopped) return;
    this.#grewAt = this.#options.clock.monotonic();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), 0);
  }

  /** A lane grew. */
  note(lane: Lane, { parts, ops }: Growth): void {
    this.#grewAt = this.#options.clock.monotonic();
    for (let part = parts.first; part <= parts.last; part++) this.#unsynced.add(lane.path(part));
    if (ops.some(({ op }) => op === "attachment"))
      for (const number of lane.attachments) this.#unsynced.add(attachmentPath({ lane, number }));
  }

  #turn(): void {
    const { log } = this.#options;
    try {
      this.#work();
      log.worked("reading the lanes");
    } catch (error) {
      // The folder may be missing or the disk failing only for a time, so the daemon tries again in the next turn.
      log.failed("reading the lanes", reason(error));
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#turn(), this.#waitMs());
  }

  #work(): void {
    const { lanes, tail, monitor, sender, attachments, budget, clock, log } = this.#options;
    const monotonic = clock.monotonic();
    if (this.#isDue("lock", monotonic, LOCK_CHECK_MS) && !this.#keepsHome()) {
      log.write("another daemon has taken the home");
      return this.stop();
    }

    lanes.scan(monotonic);
    for (const lane of lanes.all.values()) this.#read(lane);
    if (this.#isDue("watch", monotonic, WATCH_MS)) monitor.tick();
    if (this.#isDue("sync", monotonic, SYNC_MS)) void this.#sync(); // never rejects
    if (this.#isDue("budget", monotonic, BUDGET_MS)) this.#keep(budget);
    sender.pump();
    attachments.pump();
    for (const lane of lanes.all.values()) if (tail.isDone(lane)) lanes.delete(lane);
    this.#stopIfIdle(monotonic);
  }

  /** False if another daemon has the home. One that was removed is taken again when a program has made it again; until then the idle time counts. */
  #keepsHome(): boolean {
    const { home, lock, log } = this.#options;
    if (lock.isHeld() || !existsSync(home.folder)) return true;
    if (!lock.retake()) return !existsSync(home.folder);
    log.write("the home was removed and is there again; what it held and was not sent is lost");
    return true;
  }

  /** A lane that can't be read does not keep the others from being read. */
  #read(lane: Lane): void {
    try {
      this.#options.tail.read(lane);
    } catch (error) {
      this.#options.log.failed(`reading lane ${lane.id}`, reason(error));
    }
  }

  /** A file that can't be examined does not keep the lanes from being sent. */
  #keep(budget: Budget): void {
    const { log } = this.#options;
    try {
      budget.keep();
      log.worked("bounding the disk");
    } catch (error) {
      log.failed("bounding the disk", reason(error));
    }
  }

  #waitMs(): number {
    const { clock, sender } = this.#options;
    const isQuiet = clock.monotonic() - this.#grewAt > QUIET_AFTER_MS;
    this.#watchFolder(isQuiet);
    const untilWatch = this.#next.watch - clock.monotonic();
    const untilDue = sender.nextAt() - clock.monotonic();
    const longest = isQuiet ? QUIET_POLL_MS : POLL_MS;
    return Math.max(MIN_WAIT_MS, Math.min(longest, untilWatch, untilDue));
  }

  /** Only while no lane grows: the watch of a folder reports every write of a busy program. */
  #watchFolder(wanted: boolean): void {
    if (!wanted) {
      this.#folderWatch?.close();
      this.#folderWatch = undefined;
      return;
    }
    if (this.#folderWatch) return;
    try {
      this.#folderWatch = watch(this.#options.home.lanes, { persistent: false }, () => {
        this.#folderWatch?.close();
        this.#folderWatch = undefined;
        this.wake();
      });
      this.#folderWatch.on("error", () => this.#folderWatch?.close());
    } catch {
      // The system has no watches left; QUIET_POLL_MS applies.
    }
  }

  #isDue(what: "watch" | "sync" | "lock" | "budget", monotonic: number, everyMs: number): boolean {
    if (monotonic < this.#next[what]) return false;
    this.#next[what] = monotonic + everyMs;
    return true;
  }

  /** A power cut then costs at most a second. The clients do not sync: a program would wait for the disk. */
  async #sync(): Promise<void> {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const paths = this.#unsynced;
    this.#unsynced = new Set();
    // The folder last: after a power cut a file is only found if its name is on the disk too.
    for (const folder of new Set([...paths].map(dirname))) paths.add(folder);
    for (const path of paths) await syncFile(path);
    this.#isSyncing = false;
  }

  #stopIfIdle(monotonic: number): void {
    const { lanes, monitor, sender, idleMs, log, isOver, isWanted } = this.#options;
    const all = [...lanes.all.values()];
    const workload: Workload = {
      lanes: all.length,
      isLive: all.some((lane) => monitor.isLiveLane(lane)),
      grewAt: this.#grewAt,
      acceptedAt: sender.acceptedAt,
    };
    if (isBusy(workload, monotonic)) this.#busyAt = monotonic;
    if (!isOver() && (monotonic - this.#busyAt < idleMs || isWanted())) return;
    log.write("nothing left to do");
    this.stop();
  }
}

async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path, process.platform === "win32" ? "r+" : "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch {
    // The file was deleted, or the disk fails: the next write shows that.
  }
}
