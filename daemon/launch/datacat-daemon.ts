/**
 * The `datacat-daemon` executable, which clients find on PATH or by DATACAT_DAEMON. Its only argument is `--while=PID`: the daemon
 * then continues with nothing to do as long as that process runs.
 */
import type { EarlyListener } from "../api/early.ts";
import { reason } from "../log.ts";
import { runDaemon } from "../main.ts";
import { isAlive, readProcess } from "../watch/processes.ts";

const keeper = Number(/--while=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 0);
const keeperStarted = keeper > 0 ? readProcess(keeper)?.started : undefined;
const stay = () => keeper > 0 && isAlive(keeper, keeperStarted);
// as: the launcher sets it (early.mjs). A global, because the bundle has modules of its own.
const early = Reflect.get(globalThis, Symbol.for("datacat.listeners")) as
  | EarlyListener[]
  | undefined;

const daemon = await runDaemon({ env: process.env, stay, early }).catch((error: unknown) =>
  exit(reason(error)),
);
if (!daemon) exit("another daemon serves this home and port already", 0);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => void daemon.stop());
process.exit(await daemon.stopped);

function exit(why: string, code = 1): never {
  process.stderr.write(`datacat-daemon: ${why}\n`);
  process.exit(code);
}
