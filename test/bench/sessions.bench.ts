/**
 * New sessions, each opened, filled with 50 ops and ended, until the catalog has them; single posts of 1.x's routes; and the memory of the
 * server's processes. Baselines: an empty request, and a Worker whose objects only write a row (floor.ts). Linux only (/proc).
 *
 *   npm run bench sessions [sessions] [sessions in a request] [single posts]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { serve } from "../../daemon/serve/serve.ts";
import { cpuMs } from "./cpu.ts";
import { startFloor } from "./floor.ts";

const [total = 1_000, atOnce = 40, posts = 2_000] = process.argv.slice(2).map(Number);
const CLIENTS = 16;
/** Their Worker has no evictor, so each stays in memory for 10 s. */
const FLOOR_OBJECTS = 600;

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const server = await serve({ data });
try {
  await send("warm-up", 0, atOnce);
  const idle = residentMiB();
  const empty = await measure(CLIENTS, posts, () => ask("/health"));
  const requests: number[] = [];
  const opened = await measure(2, Math.ceil(total / atOnce), async (n) => {
    const started = performance.now();
    await send("session", n * atOnce, atOnce);
    requests.push(performance.now() - started);
  });
  const full = residentMiB();
  const made = await ask("/api/sessions", JSON.stringify({ product: "game", version: "1" }));
  const { session_id } = JSON.parse(made) as { session_id: string };
  const post = await measure(CLIENTS, posts, (n) =>
    ask(
      `/api/sessions/${session_id}/metrics`,
      JSON.stringify({ name: "fps", type: "gauge", value: n }),
    ),
  );

  const { floorOpened, floorPost } = await measureFloor();
  const sessions = { rate: opened.rate * atOnce, cpu: opened.cpu / atOnce };
  const median = requests.toSorted((a, b) => a - b)[requests.length >> 1] ?? 0;
  console.log(`\nOf ${atOnce} sessions in one request, ms: ${median.toFixed(0)} (median)`);
  console.log("\n| what | per second | ms of workerd's CPU |\n| --- | ---: | ---: |");
  for (const [name, { rate, cpu }] of Object.entries({
    "an empty request": empty,
    "a new object with one row": floorOpened,
    "a new session, 50 ops, ended, in the catalog": sessions,
    [`a post to such an object, ${CLIENTS} clients`]: floorPost,
    [`a single post, ${CLIENTS} clients`]: post,
  }))
    console.log(`| ${name} | ${rate.toFixed(0)} | ${cpu.toFixed(2)} |`);
  console.log(`\n| resident, MiB | at first | after ${total} sessions |\n| --- | ---: | ---: |`);
  for (const [name, mib] of full) console.log(`| ${name} | ${idle.get(name) ?? "–"} | ${mib} |`);
} finally {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

/** After the server's own figures: its memory and this Worker's would else be one. */
async function measureFloor() {
  const floor = await startFloor();
  try {
    await floor.open(0, atOnce);
    const rounds = Math.ceil(Math.min(total, FLOOR_OBJECTS) / atOnce);
    const { rate, cpu } = await measure(2, rounds, (n) => floor.open((n + 1) * atOnce, atOnce));
    const floorPost = await measure(CLIENTS, posts, () => floor.post());
    return { floorOpened: { rate: rate * atOnce, cpu: cpu / atOnce }, floorPost };
  } finally {
    await floor.stop();
  }
}

async function ask(path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const headers = new Headers(typeof body === "object" ? { "content-encoding": "gzip" } : {});
  const init = body === undefined ? {} : { method: "POST", headers, body };
  const response = await fetch(`${server.url}${path}`, init);
  const text = await response.text();
  if (!response.ok || text.includes('"error"')) throw new Error(`${path}: ${text}`);
  return text;
}

/** Sends whole sessions in one request. Its answer waits for the catalog, which is asked all the same. */
async function send(name: string, from: number, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => `${name}-${from + n}`);
  const batches = ids.map((session) => ({ session, lane: session, ...whole(Date.now()) }));
  await ask("/api/ingest", gzipSync(JSON.stringify({ sent_at: Date.now(), batches })));
  const listed = await ask(`/api/sessions?limit=${CLIENTS * count}`);
  if (!ids.every((id) => listed.includes(`"${id}"`)))
    throw new Error("A session is not in the catalog.");
}

function whole(at: number) {
  const ops: object[] = [{ op: "start", at, product: "game", version: "1.0" }];
  for (let n = 0; n < 50; n++) {
    if (n % 10 === 0) ops.push({ op: "state", at: at + n, patch: { level: n } });
    else if (n % 5 === 1) ops.push({ op: "event", at: at + n, name: `door_${n % 4}` });
    else ops.push({ op: "metric", at: at + n, type: "gauge", name: "fps", value: 60 + n });
  }
  ops.push({ op: "end", at: at + 60 });
  return { first: 1, last: ops.length, ops };
}

/** Runs `work` `rounds` times, as many at a time as there are clients. */
async function measure(clients: number, rounds: number, work: (round: number) => Promise<unknown>) {
  const [cpuBefore, started] = [cpuMs("workerd"), performance.now()];
  let next = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (next < rounds) await work(next++);
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  return { rate: rounds / seconds, cpu: (cpuMs("workerd") - cpuBefore) / rounds };
}

/** Resident memory of this process, which runs Miniflare and this benchmark, and of its children. */
function residentMiB(): Map<string, number> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((pid): [string, number][] => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        const field = (name: string) =>
          new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
        const isOurs = pid === String(process.pid) || field("PPid") === String(process.pid);
        const name = pid === String(process.pid) ? "Miniflare and this benchmark" : field("Name");
        return isOurs ? [[name, Math.round(Number(field("VmRSS")) / 1_024)]] : [];
      } catch {
        return []; // it ended meanwhile
      }
    }),
  );
}
