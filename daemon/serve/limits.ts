/** The numbers of `npm start`, each with its reason. Times are milliseconds. */

/** The port, unless PORT or --port gives another one: 1.x's. */
export const DEFAULT_PORT = 8080;
/** A server that was killed keeps its port until its guard has ended workerd, which takes less than a second. */
export const PORT_ATTEMPTS = 5;
export const PORT_RETRY_MS = 200;
/** How long the program that has the port may take to answer `/health`. */
export const HEALTH_TIMEOUT_MS = 2_000;
/** How often a daemon that has stopped is started again: it may have had no work, or been killed. */
export const DAEMON_CHECK_MS = 2_000;
/** The first run of the jobs after the start, for machines that never run for an hour. */
export const FIRST_JOBS_MS = 60_000;
/** How often the files of the databases are checked: each check takes microseconds. */
export const FILE_CHECK_MS = 1_000;
/** A restart takes a second or two. What it cannot repair must not cause one restart after another. */
export const REPAIR_PAUSE_MS = 60_000;
/** The wait after a step of the rebuild that changed nothing; each failure is in the log. */
export const REBUILD_RETRY_MS = 1_000;
/** Objects in one request to `POST /api/reindex`: its limit, REINDEX_AT_ONCE in src/session/limits.ts. */
export const OBJECTS_AT_ONCE = 20;
/** Characters of a folder for sockets: their paths have at most 103 on any Unix, and two names and a random part follow. */
export const MAX_SOCKET_FOLDER = 70;
