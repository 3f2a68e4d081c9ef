/** The daemon, put together: one home, its lanes, the loop that follows them, and the local API. */
import { readFileSync, rmSync } from "node:fs";
import * as v from "valibot";
import { Budget } from "./lanes/budget.ts";
import { loadCheckpoint, saveCheckpoint, writeAtomically } from "./lanes/checkpoint.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Config, readConfig } from "./config.ts";
import { Facts } from "./watch/observations.ts";
import { type Environment, type Home, openHome } from "./home.ts";
import { type Handler, type Listener, listen, routed } from "./api/http.ts";
import { newId } from "./id.ts";
import { Lanes } from "./lanes/lanes.ts";
import { legacyApi, legacyError } from "./api/legacy.ts";
import { IDLE_MS, LOCK_PATIENCE_MS, RESCUE_MS, STOP_MS } from "./limits.ts";
import { LocalSessions } from "./api/local.ts";
import { Lock } from "./lock.ts";
import { Log, reason } from "./log.ts";
import { Loop } from "./loop.ts";
import { thisMachine, thisProcess } from "./watch/machine.ts";
import { staySmall } from "./memory.ts";
import { Monitor } from "./watch/monitor.ts";
import { Farewell, privateHome, rescue } from "./api/private.ts";
import { Relay, relayError } from "./api/relay.ts";
import { Sender } from "./send/sender.ts";
import { statusApi } from "./api/status.ts";
import { Uploader } from "./send/uploader.ts";

export const DAEMON_VERSION = "2.0.0";

export type DaemonOptions = {
  env: Environment;
  /** Where `./daemon_config.json` is looked for; 1.x's clients start the daemon in the program's folder. */
  folder?: string;
  /** Overrides the configured port; 0 takes a free one. */
  port?: number;
  /** Asked when there is nothing left to do: stays all the same. */
  stay?: () => boolean;
  clock?: Clock;
  random?: () => number;
  /** How long it waits without anything to do before it stops. */
  idleMs?: number;
};

export type Daemon = {
  home: Home;
  port: number;
  /** Settles when the daemon has stopped, by itself or by `stop`, with the process's exit code. */
  stopped: Promise<number>;
  /** Sends all there is now; false if that did not work in time. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Sends what it can in a short time, leaves the rest in the lanes, and lets go of the home. */
  stop(): Promise<void>;
};

/** `daemon.json`: who serves a home. */
const Info = v.object({
  pid: v.number(),
  pid_started: v.optional(v.string()),
  port: v.number(),
  version: v.string(),
});
export type DaemonInfo = v.InferOutput<typeof Info>;

export function readInfo(home: Home): DaemonInfo | undefined {
  try {
    return v.parse(Info, JSON.parse(readFileSync(home.info, "utf8")));
  } catch {
    return undefined;
  }
}

/** Starts a daemon in this process; nothing if another one serves the home already. Throws if a private one's port is taken. */
export async function runDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  staySmall();
  const { env, clock = systemClock } = options;
  const userHome = openHome(env, process.platform);
  const config = readConfig(env, options.folder ?? workingFolder(), userHome.config);
  const port = options.port ?? config.port;
  const home = config.isPrivate ? privateHome(userHome, port) : userHome;
  const id = newId(clock.now());
  const lock = await Lock.take(home.lock, id, LOCK_PATIENCE_MS);
  if (!lock) return undefined;

  const log = new Log(home.log, () => clock.now());
  log.write(`daemon ${DAEMON_VERSION} starts for ${home.folder}, sending to ${config.server}`);
  for (const complaint of config.complaints) log.write(complaint);

  const machine = thisMachine();
  const lanes = new Lanes(home, log, loadCheckpoint(home.checkpoint));
  const facts = new Facts(home.lanes, lanes, clock, machine);
  const monitor = new Monitor(lanes, facts, clock, machine, log);
  const uploader = new Uploader({ env, insecure: config.insecure, keys: config.keys });
  const sender: Sender = new Sender({
    lanes,
    uploader,
    log,
    dead: home.dead,
    server: config.server,
    calmMs: config.calmMs,
    monotonic: () => clock.monotonic(),
    now: () => clock.now(),
    random: options.random ?? Math.random,
    acknowledged: () => saveProgress(home, lanes, sender, log),
  });
  const wake = () => loop.wake();
  const written = { folder: home.lanes, lanes, clock, server: config.server, wake };
  const local = new LocalSessions({ ...written, machine });
  const relay = new Relay(written);
  /** Sessions that named no process to watch lived and died with the program that started this daemon, as in 1.x. */
  const orphaned = () => {
    for (const { writer, endedAt } of local.all) {
      const lane = lanes.all.get(writer.header.lane);
      if (!lane || endedAt !== undefined || writer.header.writer.pid !== undefined) continue;
      const reason = "daemon_parent_process_exited";
      facts.record(lane, { op: "crash", at: clock.now(), reason });
    }
  };
  const farewell = config.isPrivate
    ? new Farewell(local, () => clock.monotonic(), orphaned)
    : undefined;
  const loop: Loop = new Loop({
    home,
    lanes,
    monitor,
    sender,
    lock,
    log,
    clock,
    idleMs: options.idleMs ?? IDLE_MS,
    isWanted: () => config.isPrivate || (options.stay?.() ?? false),
    budget: new Budget({ lanes, dead: home.dead, maxBytes: config.maxDiskBytes, log }),
    isFinished: () => farewell?.isDue() ?? false,
  });

  const routes = {
    ...statusApi({ home, lanes, sender, config, version: DAEMON_VERSION }),
    ...legacyApi({ local, sender, uploader, ...config, now: () => clock.now() }),
    ...relay.routes(),
  };
  const handler = routed(routes, (error, { path }) =>
    path.startsWith("/api/") ? relayError(error) : legacyError(error),
  );
  let listener: Listener;
  try {
    listener = await open(handler, config, port, log);
  } catch (error) {
    lock.release();
    await uploader.close();
    throw error;
  }
  const info = { ...thisProcess(), port: listener.port, version: DAEMON_VERSION };
  writeAtomically(home.info, JSON.stringify(info));
  const takeOver = () =>
    rescue(userHome, home, id, log).catch((error: unknown) =>
      log.failed("taking over what was left behind", reason(error)),
    );
  await takeOver();
  const rescues = setInterval(() => void takeOver(), RESCUE_MS); // never rejects
  loop.start();

  const stopped = loop.stopped.then(async () => {
    // First, so that a program that opens a session from now on starts the next daemon.
    if (lock.isHeld()) rmSync(home.info, { force: true });
    clearInterval(rescues);
    await sender.flush(undefined, STOP_MS);
    await listener.close();
    saveProgress(home, lanes, sender, log);
    local.close();
    relay.close();
    facts.close();
    await uploader.close();
    lock.release();
    log.write("daemon stops");
    return 0;
  });
  return {
    home,
    port: listener.port,
    stopped,
    flush: (timeoutMs) => sender.flush(undefined, timeoutMs),
    stop: async () => {
      loop.stop();
      await stopped;
    },
  };
}

/** The shared daemon takes any port if its own is taken: `daemon.json` says which. A private one's program knows only the one. */
async function open(handler: Handler, config: Config, port: number, log: Log): Promise<Listener> {
  const options = {
    addresses: config.listen,
    hosts: config.hosts,
    origins: [new URL(config.server).origin],
  };
  try {
    return await listen(handler, { ...options, port });
  } catch (error) {
    if (config.isPrivate) throw error;
    log.write(`port ${port} cannot be had (${reason(error)}); taking another`);
    return listen(handler, { ...options, port: 0 });
  }
}

/** Notes what was acknowledged, and removes what is done with. */
function saveProgress(home: Home, lanes: Lanes, sender: Sender, log: Log): void {
  lanes.reap();
  lanes.boundKnowledge();
  const memories = [...lanes.all].map(
    ([id, lane]) => [id, lane.memory(sender.serverOf(lane))] as const,
  );
  try {
    saveCheckpoint(home.checkpoint, new Map(memories));
    log.worked("saving the checkpoint");
  } catch (error) {
    log.failed("saving the checkpoint", reason(error));
  }
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/"; // it was deleted under us
  }
}
