/**
 * Lists over 100,000 sessions, through the whole Worker, against the obvious first query, which a Worker that does nothing else hands to the same
 * database; and what the Worker adds to a batch before the object receives it. Linux only (/proc).
 *
 *   npm run bench catalog
 */
import { loadavg } from "node:os";
import { gzipSync } from "node:zlib";
import { columnOf } from "../../src/catalog/tables/details.ts";
import { firstKey } from "../../src/catalog/tables/key.ts";
import { fill } from "../catalog/many.ts";
import { NEWEST, startFilled } from "./filled.ts";
import { measured, ms } from "./measure.ts";

const SESSIONS = 100_000;

const server = await startFilled();
const db = server.catalog;
try {
  const lists: [what: string, path: string, naive: string][] = [
    ["newest 50", "/api/sessions", "SELECT * FROM sessions ORDER BY updated_at DESC LIMIT 50"],
    [
      "page 1,000 of 50",
      `/api/sessions?${cursorTo(50_000)}`,
      "SELECT * FROM sessions ORDER BY created_at DESC LIMIT 50 OFFSET 50000",
    ],
    [
      "of a version",
      "/api/sessions?product=game&version=1.7",
      "SELECT * FROM sessions WHERE product || '' = 'game' AND version || '' = '1.7' ORDER BY created_at DESC LIMIT 50",
    ],
    [
      "crashed",
      "/api/sessions?status=crashed",
      "SELECT * FROM sessions WHERE status || '' = 'crashed' ORDER BY updated_at DESC LIMIT 50",
    ],
    [
      "once in a rare state",
      "/api/sessions?state_path=ticket&state_value=70000",
      "SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key WHERE json(d.state) LIKE '%\"=70000\"%'",
    ],
    [
      "text that is rare",
      "/api/sessions?text=no+such+text",
      "SELECT * FROM sessions WHERE headline || hostname LIKE '%no such text%'",
    ],
    [
      "by events",
      "/api/sessions?sort=events",
      "SELECT * FROM sessions ORDER BY events DESC LIMIT 50",
    ],
    [
      "text that no session has, of one letter",
      "/api/sessions?text=~",
      "SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key WHERE s.search || d.searched LIKE '%~%'",
    ],
    [
      "without an event that all have",
      asked("-event:ready"),
      "SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key WHERE json(d.events) NOT LIKE '%\"ready\"%'",
    ],
    [
      "a value of the state that none had",
      asked("ever.level:>100"),
      `SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.state) AS list JOIN json_each(list.value) AS side
       WHERE ${columnOf("state", "path")} = 'level' AND CAST(substr(${columnOf("state", "value")}, 2) AS REAL) > 100`,
    ],
    [
      "that, or a figure that none has",
      asked("ever.level:>100 OR metric.fps.p95:<1"),
      `SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.figures) AS list JOIN json_each(list.value) AS side
       WHERE ${columnOf("figures", "name")} = 'fps' AND ${columnOf("figures", "p95")} < 1`,
    ],
    [
      "by a figure of a metric",
      "/api/sessions?sort=metric.fps.p95",
      `SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.figures) AS list JOIN json_each(list.value) AS side
       WHERE ${columnOf("figures", "name")} = 'fps' ORDER BY ${columnOf("figures", "p95")} DESC LIMIT 50`,
    ],
    [
      "by a value of the state, of a product",
      "/api/sessions?sort=state.level&product=game",
      `SELECT s.* FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.state) AS list JOIN json_each(list.value) AS side
       WHERE s.product = 'game' AND ${columnOf("state", "path")} = 'level' ORDER BY ${columnOf("state", "value")} DESC LIMIT 50`,
    ],
    [
      "by version",
      "/api/sessions?sort=version",
      "SELECT * FROM sessions ORDER BY version DESC LIMIT 50",
    ],
    [
      "products and versions",
      "/api/products",
      "SELECT product, version, status, count(*) FROM sessions GROUP BY product, version, status",
    ],
    [
      "exception groups",
      "/api/exceptions",
      `SELECT ${columnOf("exceptions", "fingerprint")} AS fingerprint, count(*), max(${columnOf("exceptions", "last_at")})
       FROM details AS d JOIN json_each(d.exceptions) AS list JOIN json_each(list.value) AS side GROUP BY 1`,
    ],
  ];

  await fill(db, 100, NEWEST);
  const few = new Map<string, number>();
  for (const [what, path] of lists) few.set(what, (await measured(() => server.get(path))).median);
  for (const table of [
    "sessions",
    "postings",
    "details",
    "names",
    "exception_groups",
    "version_days",
  ])
    await server.query(`DELETE FROM ${table}`);
  await fill(db, SESSIONS, NEWEST);
  const floor = await measured(() => server.get("/health"));

  console.log(
    `\nAn empty request takes ${ms(floor.median)} and ${ms(floor.cpu)} of processor time; it is in all figures.\n`,
  );
  console.log(
    "| list | of 100 sessions | of 100,000 | least | CPU of workerd | naive query over 100,000 | its CPU | ratio |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const [what, path, naive] of lists) {
    const ours = await measured(() => server.get(path));
    const theirs = await measured(() => server.query(naive), 3);
    const cells = [
      few.get(what) ?? 0,
      ours.median,
      ours.least,
      ours.cpu,
      theirs.median,
      theirs.cpu,
    ];
    console.log(
      `| ${what} | ${cells.map(ms).join(" | ")} | ${(theirs.cpu / ours.cpu).toFixed(1)}× |`,
    );
  }

  console.log("\n| through `POST /api/ingest` | ms per request |\n| --- | ---: |");
  const post = async (body: object) => {
    const response = await fetch(`${server.url}/api/ingest`, {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(body)),
    });
    const answer = (await response.json()) as { results: { error?: object }[] };
    if (answer.results.some((result) => result.error)) throw new Error(JSON.stringify(answer));
  };
  let seq = 0;
  const one = await measured(() => post({ batches: [batch("bench", ++seq, 1_000)] }), 100);
  console.log(`| one session, 1,000 points | ${ms(one.median)} |`);
  let round = 0;
  const ten = await measured(() => {
    round++;
    return post({ batches: Array.from({ length: 10 }, (_, n) => batch(`bench-${n}`, round, 100)) });
  }, 100);
  console.log(`| ten sessions, 100 points each | ${ms(ten.median)} |`);
  console.log(`\nLoad of the machine at the end: ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await server.stop();
}

function asked(query: string): string {
  return `/api/sessions?q=${encodeURIComponent(query)}`;
}

/** The list's cursor to its n-th newest session. */
function cursorTo(n: number): string {
  const key = firstKey(NEWEST - n * 60_000);
  const cursor = JSON.stringify(["created_at desc", key, `0 ${key} 0`, false]);
  return `cursor=${btoa(cursor).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

function batch(session: string, seq: number, points: number) {
  const series = 10;
  const each = points / series;
  const ops = Array.from({ length: series }, (_, n) => ({
    op: "points",
    at: NEWEST + seq * 1_000,
    type: "gauge",
    name: `gauge_${n}`,
    dt: Array.from({ length: each }, () => 10),
    values: Array.from({ length: each }, (_, i) => 50 + ((seq + i) % 17) / 8),
  }));
  return {
    session,
    lane: `lane-${session}`,
    first: (seq - 1) * series + 1,
    last: seq * series,
    ops,
  };
}
