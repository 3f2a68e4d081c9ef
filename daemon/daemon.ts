/** One daemon: a home, its lanes, the loop that reads them, and the local API. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { type Handler, listen, type Listener, routed } from "./api/http.ts";
import { legacyApi, legacyError } from "./api/legacy.ts";
import { LocalSessions } from "./api/local.ts";
import { adoptPrivate, PrivateLife } from "./api/private.ts";
import { Relay, relayError } from "./api/relay.ts";
import { statusApi } from "./api/status.ts";
import type { EarlyListener } from "./api/early.ts";
import { lostAttachment } from "../src/core/attachments/lost.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { type Environment, type Home, homesOf } from "./home.ts";
import { Budget } from "./lanes/budget.ts";
import { loadCheckpoint, saveCheckpoint, writeAtomically } from "./lanes/checkpoint.ts";
import type { Lane } from "./lanes/lane.ts";
import { Lanes } from "./lanes/lanes.ts";
import { OtherHomes } from "./lanes/other-homes.ts";
import { Tail } from "./lanes/tail.ts";
import { ADOPT_MS, STOP_MS, TEND_MS } from "./limits.ts";
import type { Lock } from "./lock.ts";
import { type Log, reason } from "./log.ts";
import { Loop } from "./loop.ts";
import { Attachments } from "./send/attachments.ts";
import { Sender } from "./send/sender.ts";
import { Uploader } from "./send/uploader.ts";
import { VERSION } from "./version.ts";
import { thisMachine, thisProcess } from "./watch/machine.ts";
import { Monitor } from "./watch/monitor.ts";
import { Observations } from "./watch/observations.ts";

type DaemonParts = {
  env: Environment;
  config: Config;
  userHome: Home;
  /** The user's home, or a private one below it. */
  home: Home;
  id: string;
  lock: Lock;
  log: Log;
  clock: Clock;
  random: () => number;
  idleMs: number;
  stay: () => boolean;
  early: EarlyListener[];
};

export class Daemon {
  readonly home: Home;
  port = 0;
  /** Settles with the process's exit code when the daemon has stopped, by itself or by `stop`. */
  readonly stopped: Promise<number>;
  readonly #parts: DaemonParts;
  readonly #lanes: Lanes;
  readonly #tail: Tail;
  readonly #observations: Observations;
  readonly #monitor: Monitor;
  readonly #uploader: Uploader;
  readonly #sender: Sender;
  readonly #attachments: Attachments;
  readonly #local: LocalSessions;
  readonly #relay: Relay;
  readonly #loop: Loop;
  /** For programs that can read `daemon.json`: the owner's. */
  readonly #token = randomBytes(32).toString("base64url");
  #listener: Listener | undefined;
  readonly #others: OtherHomes;
  /** `daemon.json` was written. */
  #isPublished = false;
  #isClosing = false;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(parts: DaemonParts) {
    const { env, config, home, id, lock, log, clock, random, idleMs, stay } = parts;
    const monotonic = () => clock.monotonic();
    const machine = thisMachine();
    this.#parts = parts;
    this.home = home;

    const homes = config.isPrivate
      ? []
      : homesOf(env, process.platform).filter(({ folder }) => folder !== home.folder);
    this.#others = new OtherHomes({ homes, id, log });
    const checkpoint = loadCheckpoint(home.checkpoint);
    const lanes = new Lanes(home, log, checkpoint, () => this.#others.folders);
    const tail = new Tail({
      lanes,
      monotonic,
      grew: (lane, growth) => {
        this.#loop.note(lane, growth);
        this.#sender.note(lane, growth);
        this.#attachments.note(lane, growth);
        this.#monitor.note(lane, growth);
      },
    });
    this.#lanes = lanes;
    this.#tail = tail;
    this.#observations = new Observations({ folder: home.lanes, lanes, clock, machine });
    this.#monitor = new Monitor({
      lanes,
      tail,
      observations: this.#observations,
      clock,
      machine,
      log,
      closed: (lane) => this.#sender.hurry(lane),
      resumed: () => this.#sender.renewContact(),
    });
    this.#uploader = new Uploader({ env, home: parts.userHome, ...config });
    this.#sender = new Sender({
      lanes,
      tail,
      uploader: this.#uploader,
      log,
      rejected: home.rejected,
      server: config.server,
      batchMs: config.batchMs,
      tags: config.tags,
      isLive: (session) => this.#monitor.isLive(session),
      monotonic,
      now: () => clock.now(),
      random,
      acknowledged: () => this.#save(),
    });

    const sender = this.#sender;
    this.#attachments = new Attachments({
      lanes,
      tail,
      uploader: this.#uploader,
      log,
      serverOf: (lane) => sender.serverOf(lane),
      isIdle: (url) => sender.isIdle(url),
      monotonic,
      now: () => clock.now(),
      random,
      accepted: () => {
        sender.acceptedAt = monotonic();
      },
      lost: ({ lane }, name, cause, why) => this.#noteLost(lane, name, cause, why),
    });

    const { server } = config;
    const wake = () => this.#loop.wake();
    const folder = home.lanes;
    this.#local = new LocalSessions({ folder, lanes, tail, clock, machine, server, wake });
    const [monitor, uploader] = [this.#monitor, this.#uploader];
    this.#relay = new Relay({ folder, lanes, monitor, clock, server, uploader, wake });
    const life = config.isPrivate
      ? new PrivateLife(this.#local, monotonic, () => this.#crashOrphans())
      : undefined;
    this.#loop = new Loop({
      home,
      lanes,
      tail,
      monitor: this.#monitor,
      sender,
      attachments: this.#attachments,
      budget: new Budget({
        lanes,
        rejected: home.rejected,
        maxBytes: config.maxDiskBytes,
        log,
        discard: (file, bytes) => this.#attachments.discard(file, bytes),
      }),
      lock,
      log,
      clock,
      idleMs,
      isWanted: () => config.isPrivate || stay(),
      isOver: () => life?.isOver() ?? false,
    });
    this.stopped = this.#loop.stopped.then(() => this.#close());
  }

  /** Listens, publishes the port in `daemon.json`, and starts the loop. Throws if a private daemon's port is taken. */
  async start(port: number): Promise<void> {
    const { config, home, lock, log } = this.#parts;
    log.write(`daemon ${VERSION} starts for ${home.folder}, sending to ${config.server}`);
    for (const problem of config.problems) log.write(problem);
    try {
      this.#listener = await this.#listen(port);
    } catch (error) {
      lock.release();
      await this.#uploader.close();
      throw error;
    }
    this.port = this.#listener.port;
    await this.#adopt();
    await this.#tend();
    this.#timers.push(
      setInterval(() => void this.#adopt(), ADOPT_MS), // neither rejects
      setInterval(() => void this.#tend(), TEND_MS),
    );
    this.#loop.start();
  }

  /**
   * Finds lanes in the user's other homes, and publishes the port: once the disk has room for that, and again if the home was
   * removed and made again.
   */
  async #tend(): Promise<void> {
    const { home, log } = this.#parts;
    await this.#others.refresh();
    const isPublished = this.#isPublished && existsSync(home.info);
    if (isPublished || this.#isClosing || !existsSync(home.folder)) return;
    const info = { ...thisProcess(), port: this.port, version: VERSION, token: this.#token };
    try {
      writeAtomically(home.info, JSON.stringify(info));
      this.#isPublished = true;
      log.worked("writing daemon.json");
    } catch (error) {
      log.failed("writing daemon.json", reason(error));
    }
  }

  /** Sends everything now; false if that did not succeed in time. */
  flush(timeoutMs: number): Promise<boolean> {
    return this.#sender.flush(undefined, timeoutMs);
  }

  /** Sends what it can within STOP_MS, leaves the rest in the lanes, and releases the home. */
  async stop(): Promise<void> {
    this.#loop.stop();
    await this.stopped;
  }

  #handler(): Handler {
    const { home, config, clock } = this.#parts;
    const [lanes, sender, local, uploader] = [
      this.#lanes,
      this.#sender,
      this.#local,
      this.#uploader,
    ];
    const routes = {
      ...statusApi({ home, lanes, sender, attachments: this.#attachments, config }),
      ...legacyApi({ local, lanes, sender, uploader, ...config, now: () => clock.now() }),
      ...this.#relay.routes(),
    };
    return routed(routes, (error, { path }) =>
      path.startsWith("/api/") ? relayError(error) : legacyError(error),
    );
  }

  /** The user's daemon takes another port if its own is taken: `daemon.json` has it. A private daemon's program knows only one. */
  async #listen(port: number): Promise<Listener> {
    const { config, log, early } = this.#parts;
    const handler = this.#handler();
    const options = {
      addresses: config.listen,
      hosts: config.hosts,
      origins: [new URL(config.server).origin],
      token: this.#token,
    };
    try {
      return await listen(handler, { ...options, port, early });
    } catch (error) {
      if (config.isPrivate) {
        const what = `port ${port} is taken by another program; name a free one as daemon_port`;
        throw new Error(what, { cause: error });
      }
      log.write(`port ${port} is not available (${reason(error)}); using another`);
      return listen(handler, { ...options, port: 0, early: [] });
    }
  }

  async #adopt(): Promise<void> {
    const { userHome, home, id, log } = this.#parts;
    try {
      await adoptPrivate(userHome, home, id, log);
    } catch (error) {
      log.failed("adopting lanes of private daemons", reason(error));
    }
  }

  /** The content of an attachment is lost on this machine: in the log, and as an event of its session. */
  #noteLost(lane: Lane, name: string, cause: string, why: string): void {
    const { clock, log } = this.#parts;
    log.write(`attachment ${name} of session ${lane.session} is lost: ${why}`);
    this.#observations.record(lane, lostAttachment(clock.now(), name, cause, why));
  }

  /** As in 1.x, a session that named no process to watch crashes with the program that started a private daemon. */
  #crashOrphans(): void {
    for (const { writer, endedAt } of this.#local.all) {
      const lane = this.#lanes.all.get(writer.header.lane);
      if (!lane || endedAt !== undefined || writer.header.writer.pid !== undefined) continue;
      const at = this.#parts.clock.now();
      const reason = "daemon_parent_process_exited"; // 1.x's
      this.#observations.record(lane, { op: "crash", at, reason });
    }
  }

  /** Deletes lanes that are sent, and saves how far the others were acknowledged. */
  #save(): void {
    const { home, log } = this.#parts;
    for (const lane of this.#lanes.all.values()) {
      if (this.#tail.isDone(lane)) this.#lanes.delete(lane);
    }
    const entries = [...this.#lanes.all].map(([id, lane]) => {
      const { session, isShared, position } = lane;
      const server = this.#sender.serverOf(lane);
      const { isJoiner } = this.#tail.of(lane);
      const started = this.#monitor.startOf(lane);
      return [id, { ...position, session, server, isJoiner, isShared, started }] as const;
    });
    try {
      saveCheckpoint(home.checkpoint, new Map(entries));
      log.worked("saving the checkpoint");
    } catch (error) {
      log.failed("saving the checkpoint", reason(error));
    }
  }

  async #close(): Promise<number> {
    const { home, lock, log } = this.#parts;
    this.#isClosing = true;
    this.#attachments.stop();
    for (const timer of this.#timers) clearInterval(timer);
    // First, so that a program that opens a session from now on starts the next daemon.
    if (lock.isHeld()) rmSync(home.info, { force: true });
    await this.#sender.flush(undefined, STOP_MS);
    await this.#listener?.close();
    this.#save();
    this.#local.close();
    this.#relay.close();
    this.#observations.closeAll();
    await this.#uploader.close();
    this.#others.release();
    lock.release();
    log.write("daemon stops");
    return 0;
  }
}
