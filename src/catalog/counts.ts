/**
 * Counts per version and per exception group, exact without reading the sessions: each change adds the difference between what a
 * session added before (n = -1) and what it adds now (n = 1). Without a difference no row is written.
 */
import { DAY_MS } from "../core/limits.ts";

/** A test run that is over, also one that failed before any test ran. */
const IS_RUN = "((tests > 0 OR failed_tests > 0) AND status IN ('ended', 'crashed'))";

/**
 * `changes`: n, product, version, status, failed, ever_hung, created_at, bytes, tests, failed_tests. Bytes are added when a session is over: while it grows, each
 * publication would write a row here.
 */
export const countSessions = (changes: string): string[] => [
  `INSERT INTO versions (product, version, sessions, active, suspended, hung, crashed, ended, failed, ever_hung, first_at, last_at, bytes, test_runs, failed_runs)
   SELECT product, version, sum(n) AS sessions, sum(n * (status = 'active')) AS active, sum(n * (status = 'suspended')) AS suspended,
     sum(n * (status = 'hung')) AS hung, sum(n * (status = 'crashed')) AS crashed, sum(n * (status = 'ended')) AS ended,
     sum(n * failed) AS failures, sum(n * ever_hung) AS hangs, min(created_at), max(created_at), sum(n * bytes * (status IN ('ended', 'crashed'))) AS stored,
     sum(n * ${IS_RUN}) AS runs, sum(n * ${IS_RUN} * (failed OR status = 'crashed')) AS broken
   FROM (${changes}) GROUP BY product, version
   HAVING sessions <> 0 OR active <> 0 OR suspended <> 0 OR hung <> 0 OR crashed <> 0 OR ended <> 0 OR failures <> 0 OR hangs <> 0 OR stored <> 0 OR runs <> 0 OR broken <> 0
   ON CONFLICT (product, version) DO UPDATE SET
     sessions = sessions + excluded.sessions, active = active + excluded.active, suspended = suspended + excluded.suspended,
     hung = hung + excluded.hung, crashed = crashed + excluded.crashed, ended = ended + excluded.ended,
     failed = failed + excluded.failed, ever_hung = ever_hung + excluded.ever_hung, bytes = bytes + excluded.bytes,
     test_runs = test_runs + excluded.test_runs, failed_runs = failed_runs + excluded.failed_runs,
     first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)`,

  `INSERT INTO version_days (day, product, version, sessions, crashed, failed, ever_hung)
   SELECT created_at / ${DAY_MS} AS day, product, version, sum(n) AS sessions, sum(n * (status = 'crashed')) AS crashed,
     sum(n * failed) AS failures, sum(n * ever_hung) AS hangs
   FROM (${changes}) GROUP BY day, product, version HAVING sessions <> 0 OR crashed <> 0 OR failures <> 0 OR hangs <> 0
   ON CONFLICT (day, product, version) DO UPDATE SET
     sessions = sessions + excluded.sessions, crashed = crashed + excluded.crashed,
     failed = failed + excluded.failed, ever_hung = ever_hung + excluded.ever_hung`,
];

/** `changes`: n and the columns of `exceptions`. A group is changed once for each session, so that its example is of one session. */
export const countExceptions = (changes: string): string[] => [
  `INSERT INTO exception_groups (product, fingerprint, type, message, place, search, sessions, count, unhandled, first_at, last_at, session_id, session_at, session_seq)
   SELECT product, fingerprint, max(type), max(message), max(place), max(search), sum(n) AS sessions, sum(n * count) AS failures, sum(n * unhandled) AS uncaught, min(first_at), max(last_at),
     max(session_id), min(first_at), min(first_seq)
   FROM (${changes}) GROUP BY product, fingerprint, session_id HAVING sessions <> 0 OR failures <> 0 OR uncaught <> 0
   ON CONFLICT (product, fingerprint) DO UPDATE SET
     sessions = sessions + excluded.sessions, count = count + excluded.count, unhandled = unhandled + excluded.unhandled, first_at = min(first_at, excluded.first_at),
     (type, message, place, search, session_id, session_at, session_seq) = (
       SELECT excluded.type, excluded.message, excluded.place, excluded.search, excluded.session_id, excluded.session_at, excluded.session_seq
       WHERE excluded.last_at >= last_at AND excluded.sessions >= 0
       UNION ALL
       SELECT type, message, place, search, session_id, session_at, session_seq WHERE excluded.last_at < last_at OR excluded.sessions < 0),
     last_at = max(last_at, excluded.last_at)`,

  `INSERT INTO exception_days (product, fingerprint, day, version, sessions, count)
   SELECT product, fingerprint, first_at / ${DAY_MS} AS day, version, sum(n) AS sessions, sum(n * count) AS failures
   FROM (${changes}) GROUP BY product, fingerprint, day, version HAVING sessions <> 0 OR failures <> 0
   ON CONFLICT (product, fingerprint, day, version) DO UPDATE SET sessions = sessions + excluded.sessions, count = count + excluded.count`,
];
