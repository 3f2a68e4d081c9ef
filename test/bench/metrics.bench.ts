/**
 * Metrics over the 10,000 newest of 100,000 sessions, through the whole Worker, beside plain SQL that hands over the same figures, and plain SQL that
 * only adds them up. By the clock and in processor time of workerd, which is the whole server: HTTP, the Worker, D1, SQLite. Linux only (/proc).
 *
 *   npm run bench metrics
 */
import { loadavg } from "node:os";
import { SCAN_SESSIONS } from "../../src/catalog/limits.ts";
import { COLUMNS, columnOf, columnsOf } from "../../src/catalog/tables/details.ts";
import { fill } from "../catalog/many.ts";
import { NEWEST, startFilled } from "./filled.ts";
import { measured, ms } from "./measure.ts";

const SESSIONS = 100_000;

const NEWEST_FIGURES = `FROM (SELECT key FROM sessions ORDER BY key DESC LIMIT ${SCAN_SESSIONS}) AS c JOIN sessions AS s ON s.key = c.key
  JOIN details AS d ON d.key = s.key JOIN json_each(d.figures) AS list JOIN json_each(list.value) AS side WHERE ${columnOf("figures", "name")} = 'fps'`;
const [sum, count, min, max] = (["sum", "count", "min", "max"] as const).map(
  (column) => `(${columnOf("figures", column)})`,
);
const PLAIN: [what: string, statement: string][] = [
  [
    "plain SQL: the figures of each session as a row",
    `SELECT s.id, s.product, s.version, s.created_at, s.ended_at, ${columnsOf("figures", COLUMNS.figures)} ${NEWEST_FIGURES}`,
  ],
  [
    "plain SQL: mean, least and greatest value by version",
    `SELECT s.product, s.version, count(*), sum(${sum}) / sum(${count}), min(${min}), max(${max}) ${NEWEST_FIGURES} GROUP BY 1, 2`,
  ],
];
const ASKED = [
  "/health",
  "/api/metrics/fps?by=none",
  "/api/metrics/fps?by=version",
  "/api/metrics/fps?by=session",
  "/api/metrics/fps?by=state.level",
  "/api/metrics/fps?by=version&axis=elapsed",
  "/metrics?metric=fps",
  "/metrics?metric=fps&by=state.level&axis=clock",
  "/metrics?metric=fps&also=rare",
  "/metrics?metric=fps&aggregate=p95",
];

const server = await startFilled();
try {
  await fill(server.catalog, SESSIONS, NEWEST);
  console.log(
    `\n| ${SCAN_SESSIONS} sessions | median | least | CPU of workerd |\n| --- | ---: | ---: | ---: |`,
  );
  for (const [what, statement] of PLAIN) await report(what, () => server.query(statement));
  for (const path of ASKED) await report(`\`${path}\``, () => server.get(path));
  console.log(`\nLoad of the machine at the end: ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await server.stop();
}

async function report(what: string, run: () => Promise<unknown>): Promise<void> {
  const { median, least, cpu } = await measured(run);
  console.log(`| ${what} | ${ms(median)} | ${ms(least)} | ${ms(cpu)} |`);
}
