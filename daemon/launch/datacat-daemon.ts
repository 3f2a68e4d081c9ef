/** The `datacat-daemon` executable: no arguments, found on PATH or named by DATACAT_DAEMON. */
import { runDaemon } from "../main.ts";

const daemon = await runDaemon({ env: process.env });
// Another daemon serves this home already, which is just as well.
if (!daemon) process.exit(0);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => void daemon.stop());
process.exit(await daemon.stopped);
