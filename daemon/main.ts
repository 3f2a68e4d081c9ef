/** The daemon, put together. */
import type { Environment } from "./home.ts";

export type DaemonOptions = {
  env: Environment;
  /** Where `./daemon_config.json` is looked for; 1.x's clients start the daemon in the program's folder. */
  folder?: string;
  /** Overrides the configured port; 0 takes a free one. */
  port?: number;
  /** Does not stop when there is nothing left to do. */
  stay?: boolean;
};

export type Daemon = {
  port: number;
  /** Settles when the daemon has stopped by itself, or by `stop`. The number is the process's exit code. */
  stopped: Promise<number>;
  /** Sends what it can in a short time, saves the rest for later, and lets go of the home. */
  stop(): Promise<void>;
};

/** Starts a daemon in this process; nothing if another one serves the home already. */
export async function runDaemon(_options: DaemonOptions): Promise<Daemon | undefined> {
  await Promise.resolve();
  throw new Error("being written");
}
