/**
 * Lists over 100,000 sessions, through the whole Worker, against the obvious first query; the cost of a publication; and what the
 * Worker adds to a batch before the object receives it.
 *
 *   npm run bench catalog
 */
import { gzipSync } from "node:zlib";
import { columnOf } from "../../src/catalog/tables/details.ts";
import { firstKey } from "../../src/catalog/tables/key.ts";
import { fill } from "../catalog/many.ts";
import { NEWEST, startFilled } from "./filled.ts";

const SESSIONS = 100_000;
const ROUNDS = 15;

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
    [
      "a metric of the newest 10,000, by version",
      "/api/metrics/fps?by=version",
      `SELECT s.version, avg((${columnOf("figures", "sum")}) / (${columnOf("figures", "count")})), max(${columnOf("figures", "max")})
       FROM sessions AS s JOIN details AS d ON d.key = s.key JOIN json_each(d.figures) AS list JOIN json_each(list.value) AS side
       WHERE ${columnOf("figures", "name")} = 'fps' GROUP BY s.version`,
    ],
    [
      "the page of a metric of the newest 10,000, by a value of the state",
      "/metrics?metric=fps&by=state.level",
      `SELECT v.value ->> 1, avg((${columnOf("figures", "sum")}) / (${columnOf("figures", "count")})), max(${columnOf("figures", "max")})
       FROM (SELECT key FROM sessions ORDER BY key DESC LIMIT 10000) AS s JOIN details AS d ON d.key = s.key
         JOIN json_each(d.figures) AS list JOIN json_each(list.value) AS side JOIN json_each(d.state) AS paths JOIN json_each(paths.value) AS v
       WHERE ${columnOf("figures", "name")} = 'fps' AND v.value ->> 0 = 'level' GROUP BY 1`,
    ],
  ];

  await fill(db, 100, NEWEST);
  const few = new Map<string, number>();
  for (const [what, path] of lists) few.set(what, await median(() => server.get(path)));
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
  const floor = await median(() => server.get("/health"));

  console.log(
    `\nAn empty request takes ${ms(floor)}; it is in all figures but the naive queries'.\n`,
  );
  console.log(
    "| list | of 100 sessions | of 100,000 | naive query over 100,000 | ratio |\n| --- | ---: | ---: | ---: | ---: |",
  );
  for (const [what, path, naive] of lists) {
    const ours = await median(() => server.get(path));
    const theirs = await median(() => server.query(naive), 3);
    console.log(
      `| ${what} | ${ms(few.get(what) ?? 0)} | ${ms(ours)} | ${ms(theirs)} | ${(theirs / ours).toFixed(1)}× |`,
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
  const one = await median(() => post({ batches: [batch("bench", ++seq, 1_000)] }), 100);
  console.log(`| one session, 1,000 points | ${ms(one)} |`);
  let round = 0;
  const ten = await median(() => {
    round++;
    return post({ batches: Array.from({ length: 10 }, (_, n) => batch(`bench-${n}`, round, 100)) });
  }, 100);
  console.log(`| ten sessions, 100 points each | ${ms(ten)} |`);
} finally {
  await server.stop();
}

/** The list's cursor to its n-th newest session. */
function cursorTo(n: number): string {
  const key = firstKey(NEWEST - n * 60_000);
  const cursor = JSON.stringify(["created_at desc", key, String(key), false]);
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

async function median(run: () => Promise<unknown>, rounds = ROUNDS): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const begun = performance.now();
    await run();
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`;
}
