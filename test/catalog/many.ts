/** A catalog of very many sessions, made by SQL: what publish would have written, in seconds instead of minutes. */
export const DAY = 86_400_000;

/** As much of D1 as is needed: in a Worker and in Miniflare its type has different names. */
type Statement = { run(): Promise<unknown> };
export type Database = {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
};

/**
 * `count` sessions, one a minute up to `newest`. Session n: every third of product "editor" and the rest "game", 50 versions,
 * every 20th crashed, every 50th hung once, every 1,000th still open, 100 machines. All have the event "ready", every
 * 500th "door_opened"; state "level" is n % 10, "ticket" is n for every 100th; a metric "fps", and "rare" in every 5,000th.
 */
export async function fill(db: Database, count: number, newest: number): Promise<void> {
  const step = 20_000;
  for (let from = 0; from < count; from += step) {
    const n = `WITH RECURSIVE n (n) AS (VALUES (${from}) UNION ALL SELECT n + 1 FROM n WHERE n < ${Math.min(count, from + step) - 1})`;
    const id = `printf('0198%08x-7000-8000-%012d', n, n)`;
    const at = `${newest} - (${count} - n) * 60000`;
    const status = `CASE WHEN n % 20 = 0 THEN 'crashed' WHEN n % 1000 = 1 THEN 'active' ELSE 'ended' END`;
    const run = (table: string, columns: string, where = "true") =>
      db.prepare(`INSERT INTO ${table} ${n} SELECT ${columns} FROM n WHERE ${where}`);
    await db.batch([
      run(
        "sessions",
        `${id}, ${at}, CASE WHEN n % 3 = 0 THEN 'editor' ELSE 'game' END, '1.' || (n % 50), ${status}, n % 1000 = 1 AND n % 20 <> 0, 0,
         n % 50 = 0, 0, 'machine-' || (n % 100), 'boot', 'host-' || (n % 100), '', 'linux x86_64', 'python 3.13.0', ${at} + 30000, ${at} + 30000, ${at} + 30000,
         ${at} + 30000, NULL, 5, n % 97, 0, n % 89, 1, 0, 0, NULL, 0, 0, 0, 10, 5000, 'Ended with exit code 0',
         CASE WHEN n % 200 = 0 THEN '["ci"]' ELSE '[]' END, 0, 0, '', 0, ${id} || ' game 1.0 host machine ended with exit code 0',
         printf('%.*c', 600, 'v')`,
      ),
      run("event_counts", `${id}, 'ready', 'info', 1, ${at}, ${at}`),
      run("event_counts", `${id}, 'door_opened', 'info', 1, ${at}, ${at}`, "n % 500 = 0"),
      run("state_values", `${id}, 'level', '=' || (n % 10), ${at}, NULL`),
      run("state_values", `${id}, 'ticket', '=' || n, ${at}, NULL`, "n % 100 = 0"),
      run(
        "exceptions",
        `${id}, 'f1', 'game', '1.0', 'E', 'm', '', 'e m f1', 1, 0, ${at}, ${at}, 3`,
        "n % 20 = 0",
      ),
      run(
        "metrics",
        `${id}, 'fps', 1, 'gauge', '', '[]', 9, 9, 540, 0, 1, 9, 0, 60, 69, 70, 40, 70, 60, 61, ${at}, ${at} + 30000, ${DISTRIBUTION}, ${ROLLUP}, NULL`,
      ),
      run(
        "metrics",
        `${id}, 'rare', 2, 'gauge', '', '[]', 9, 9, 540, 0, 1, 9, 0, 60, 69, 70, 40, 70, 60, 61, ${at}, ${at} + 30000, ${DISTRIBUTION}, ${ROLLUP}, NULL`,
        "n % 5000 = 0",
      ),
    ]);
  }
  await db.batch([
    db.prepare(
      `INSERT INTO versions SELECT product, version, count(*), sum(status = 'active'), 0, 0, sum(status = 'crashed'), sum(status = 'ended'),
       sum(failed), sum(ever_hung), min(created_at), max(created_at), sum(bytes * (status IN ('ended', 'crashed'))), 0, 0
       FROM sessions GROUP BY product, version`,
    ),
    db.prepare(
      `INSERT INTO version_days SELECT created_at / ${DAY} AS day, product, version, count(*), sum(status = 'crashed'), sum(failed), sum(ever_hung)
       FROM sessions GROUP BY day, product, version`,
    ),
    db.prepare(
      `INSERT INTO exception_groups SELECT 'game', 'f1', 'E', 'm', '', 'e m f1', count(*), count(*), 0, min(first_at), max(last_at), max(session_id), max(first_at), 3 FROM exceptions`,
    ),
  ]);
}

const buckets = Array.from({ length: 60 }, (_, index) => index);
const DISTRIBUTION = `'{"sketch":[40,60,60,60,61,61,62,65,70]}'`;
const ROLLUP = `'${JSON.stringify({
  from: 0,
  step_ms: 1_000,
  count: buckets.map(() => 1),
  sum: buckets.map((index) => 60 + (index % 7)),
  min: buckets.map((index) => 50 + (index % 7)),
  max: buckets.map((index) => 70 + (index % 7)),
})}'`;
