/** The daemon's heartbeat: looks at lanes, programs and disk in turn, often while something happens, seldom while nothing does. */
import { type FSWatcher, watch } from "node:fs";
import { open } from "node:fs/promises";
import type { Budget } from "./lanes/budget.ts";
import type { Clock } from "./clock.ts";
import type { Home } from "./home.ts";
import type { Lane, Lanes } from "./lanes/lanes.ts";
import {
  BUDGET_MS,
  DOZE_AFTER_MS,
  DOZE_MS,
  GIVE_UP_MS,
  LOCK_CHECK_MS,
  POLL_MS,
  SYNC_MS,
  WATCH_MS,
} from "./limits.ts";
import type { Lock } from "./lock.ts";
import { type Log, reason } from "./log.ts";
import type { Monitor } from "./watch/monitor.ts";
import type { Sender } from "./send/sender.ts";

export type LoopOptions = {
  /** Asked at each turn: a reason of its own to stop. */
  isFinished: () => boolean;
  budget: Budget;
  home: Home;
  lanes: Lanes;
  monitor: Monitor;
  sender: Sender;
  lock: Lock;
  log: Log;
  clock: Clock;
  /** How long it goes on with nothing to do… */
  idleMs: number;
  /** …or for ever, as long as somebody wants that. */
  isWanted: () => boolean;
};

export class Loop {
  readonly stopped: Promise<void>;
  readonly #options: LoopOptions;
  #settle: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #doorbell: FSWatcher | undefined;
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
    this.#doorbell?.close();
    this.#settle();
  }

  /** Something was written: looks at once instead of when it would have. */
  wake(): void {
    if (this.#isStopped) return;
    this.#grewAt = this.#options.clock.monotonic();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), 0);
  }

  #turn(): void {
    const { log } = this.#options;
    try {
      this.#look();
      log.worked("looking at the lanes");
    } catch (error) {
      // A folder that is gone, a disk that fails: it may come back, and a daemon that stops helps nobody.
      log.failed("looking at the lanes", reason(error));
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#turn(), this.#waitMs());
  }

  #look(): void {
    const { lanes, monitor, sender, lock, clock, log } = this.#options;
    const monotonic = clock.monotonic();
    if (this.#isDue("lock", monotonic, LOCK_CHECK_MS) && !lock.isHeld()) {
      log.write("another daemon has the home now");
      return this.stop();
    }

    lanes.scan(monotonic);
    for (const lane of lanes.all.values()) {
      this.#follow(lane, monotonic);
    }
    if (this.#isDue("watch", monotonic, WATCH_MS)) monitor.tick();
    if (this.#isDue("sync", monotonic, SYNC_MS)) void this.#sync(); // never rejects
    if (this.#isDue("budget", monotonic, BUDGET_MS)) this.#options.budget.keep();
    sender.pump();
    lanes.reap();
    this.#stopIfIdle(monotonic);
  }

  /** One lane that cannot be read must not hide the others. */
  #follow(lane: Lane, monotonic: number): void {
    try {
      const before = lane.tail.part;
      const news = lane.look(monotonic);
      if (!news.grew) return;
      this.#grewAt = monotonic;
      for (let part = before; part <= lane.tail.part; part++) this.#unsynced.add(lane.path(part));
      this.#options.monitor.learn(lane, news);
    } catch (error) {
      this.#options.log.failed(`following lane ${lane.lane}`, reason(error));
    }
  }

  #waitMs(): number {
    const { clock, sender } = this.#options;
    const isDozing = clock.monotonic() - this.#grewAt > DOZE_AFTER_MS;
    this.#hangDoorbell(isDozing);
    const untilWatch = this.#next.watch - clock.monotonic();
    const untilDue = sender.nextAt() - clock.monotonic();
    const longest = isDozing ? DOZE_MS : POLL_MS;
    return Math.max(10, Math.min(longest, untilWatch, untilDue));
  }

  /** Watched only while nothing happens: with a busy program there would be an event for each line that it writes. */
  #hangDoorbell(wanted: boolean): void {
    if (!wanted) {
      this.#doorbell?.close();
      this.#doorbell = undefined;
      return;
    }
    if (this.#doorbell) return;
    try {
      this.#doorbell = watch(this.#options.home.lanes, { persistent: false }, () => {
        this.#doorbell?.close();
        this.#doorbell = undefined;
        this.wake();
      });
      this.#doorbell.on("error", () => this.#doorbell?.close());
    } catch {
      // No watches to be had; then it is looked at every now and then.
    }
  }

  #isDue(what: "watch" | "sync" | "lock" | "budget", monotonic: number, everyMs: number): boolean {
    if (monotonic < this.#next[what]) return false;
    this.#next[what] = monotonic + everyMs;
    return true;
  }

  /** A power cut then costs a second at most. The clients do not sync: it would make them wait for the disk. */
  async #sync(): Promise<void> {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const paths = this.#unsynced;
    this.#unsynced = new Set();
    // The folder last: a file is found again only once its name is on the disk too.
    if (paths.size > 0) paths.add(this.#options.home.lanes);
    for (const path of paths) await syncFile(path);
    this.#isSyncing = false;
  }

  /** Nothing runs and nothing is left to send, or nobody takes it. */
  #stopIfIdle(monotonic: number): void {
    const { lanes, sender, idleMs, log, isFinished, isWanted } = this.#options;
    const all = [...lanes.all.values()];
    const isLive = all.some((lane) => lane.speaks);
    const isStuck = monotonic - Math.max(this.#grewAt, sender.acceptedAt) > GIVE_UP_MS;
    if (isLive || (all.length > 0 && !isStuck)) {
      this.#busyAt = monotonic;
    }
    if (!isFinished() && (monotonic - this.#busyAt < idleMs || isWanted())) return;
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
    // Gone meanwhile, or a disk that fails: the data is no safer for our complaint.
  }
}
