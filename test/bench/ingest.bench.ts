/**
 * What one batch of 1,000 points costs the whole server in processor time: HTTP, gunzip, the Worker, the session object, SQLite.
 * Beside it an empty request, which is the share of the runtime itself. Linux only (/proc).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { serve } from "../../daemon/serve/serve.ts";
import { cpuMs } from "./cpu.ts";

const T = 1_790_000_000_000;
const ROUNDS = 400;

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const server = await serve({ data });
try {
  const bodies = Array.from({ length: ROUNDS * 2 }, (_, index) => gzipSync(batch(index)));
  const ingest = async (index: number) => {
    const init = {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: bodies[index] ?? "",
    };
    await (await fetch(`${server.url}/api/ingest`, init)).arrayBuffer();
  };
  const health = async () => void (await (await fetch(`${server.url}/health`)).arrayBuffer());

  for (let i = 0; i < ROUNDS; i++) await ingest(i); // until it is compiled
  const ours = await cpuOf((i) => ingest(ROUNDS + i));
  const empty = await cpuOf(health);
  console.log("\n| processor time | of a batch | of an empty request |\n| --- | ---: | ---: |");
  console.log(
    `| 1,000 points, gzip, all of workerd | ${ours.toFixed(2)} ms | ${empty.toFixed(2)} ms |`,
  );
} finally {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

async function cpuOf(work: (round: number) => Promise<void>): Promise<number> {
  const before = cpuMs("workerd");
  for (let i = 0; i < ROUNDS; i++) await work(i);
  return (cpuMs("workerd") - before) / ROUNDS;
}

function batch(index: number): string {
  const ops = Array.from({ length: 10 }, (_, series) => ({
    op: "points",
    at: T + index * 1_600,
    type: "gauge",
    name: `series_${series}`,
    dt: Array.from({ length: 100 }, (_, i) => (i === 0 ? 0 : 16)),
    values: Array.from(
      { length: 100 },
      (_, i) => Math.round((60 + 3 * Math.sin((index * 100 + i) / 50)) * 100) / 100,
    ),
  }));
  const first = index * 1_000 + 1;
  return JSON.stringify({
    sent_at: Date.now(),
    batches: [{ session: "bench", lane: "bench", first, last: first + 999, ops }],
  });
}
