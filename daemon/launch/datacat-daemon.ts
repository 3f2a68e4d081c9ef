/**
 * The `datacat-daemon` executable, found on PATH or named by DATACAT_DAEMON. It takes no arguments but `--while=PID`, of those that
 * want one at hand: then it does not stop for want of work as long as that process lives.
 */
import { runDaemon } from "../main.ts";
import { isAlive, readProcess } from "../watch/processes.ts";

const keeper = Number(/--while=(\d+)/.exec(process.argv.join(" "))?.[1] ?? 0);
const keeperStarted = keeper > 0 ? readProcess(keeper)?.started : undefined;
const stay = () => keeper > 0 && isAlive(keeper, keeperStarted);

const daemon = await runDaemon({ env: process.env, stay });
// Another daemon serves this home already, which is just as well.
if (!daemon) process.exit(0);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => void daemon.stop());
process.exit(await daemon.stopped);
