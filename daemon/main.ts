/** Starts a daemon in this process. */
import type { EarlyListener } from "./api/early.ts";
import { type Clock, systemClock } from "./clock.ts";
import { readConfig } from "./config.ts";
import { useRules } from "./send/check.ts";
import { Daemon } from "./daemon.ts";
import { type Environment, homesOf, openHome } from "./home.ts";
import { newId } from "./id.ts";
import { IDLE_MS, LOCK_PATIENCE_MS } from "./limits.ts";
import { Lock } from "./lock.ts";
import { Log } from "./log.ts";
import { limitHeapGrowth } from "./memory.ts";
import { privateHome } from "./api/private.ts";

export type DaemonOptions = {
  env: Environment;
  /** What a relative DATACAT_CONFIG is relative to: 1.x's clients start the daemon in the program's folder. */
  folder?: string;
  /** Overrides the configured port; 0 takes a free one. */
  port?: number;
  /** Whether it continues with nothing to do. */
  stay?: () => boolean;
  clock?: Clock;
  /** From 0 to 1, for the jitter of retries. */
  random?: () => number;
  /** How long it waits without anything to do before it stops. */
  idleMs?: number;
  /** Listeners on the configured port that are open already. */
  early?: EarlyListener[];
};

/** Undefined if another daemon serves the home already. Throws if a private daemon's port is taken. */
export async function runDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  limitHeapGrowth();
  const {
    env,
    clock = systemClock,
    random = Math.random,
    stay = () => false,
    early = [],
  } = options;
  const userHome = openHome(env, process.platform);
  // The settings and keys are in the usual home, also while only the last resort can be written.
  const [{ config: settings } = userHome] = homesOf(env, process.platform);
  const config = readConfig(env, options.folder ?? workingFolder(), settings);
  useRules(config.redact);
  const port = options.port ?? config.port;
  const home = config.isPrivate ? privateHome(userHome, port) : userHome;

  const id = newId(clock.now());
  const lock = await Lock.take(home.lock, id, LOCK_PATIENCE_MS);
  if (!lock) return undefined;

  const log = new Log(home.log, () => clock.now());
  const idleMs = options.idleMs ?? IDLE_MS;
  const daemon = new Daemon({
    env,
    config,
    userHome,
    home,
    id,
    lock,
    log,
    clock,
    random,
    idleMs,
    stay,
    early,
  });
  await daemon.start(port);
  return daemon;
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/"; // the folder was deleted
  }
}
