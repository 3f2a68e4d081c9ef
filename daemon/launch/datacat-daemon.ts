/**
 * The `datacat-daemon` executable, which clients find on PATH or by DATACAT_DAEMON. Its only argument is `--while=PID`: the daemon
 * then continues with nothing to do as long as that process runs.
 */
import { runDaemon } from "../main.ts";
import { isAlive, readProcess } from "../watch/processes.ts";

const keeper = Number(/--while=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 0);
const keeperStarted = keeper > 0 ? readProcess(keeper)?.started : undefined;
const stay = () => keeper > 0 && isAlive(keeper, keeperStarted);

const daemon = await runDaemon({ env: process.env, stay });
// Another daemon serves this home already.
if (!daemon) process.exit(0);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => void daemon.stop());
process.exit(await daemon.stopped);
