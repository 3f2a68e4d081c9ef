/**
 * Exports and imports of sessions of 1,000,000 and 10,000,000 points through the real server and the command: seconds, bytes, and the memory
 * of workerd and of the command, which must not grow with the session. The baseline is NDJSON through gzip. Linux only (/proc).
 *
 *   npm run bench export [points…]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { serve } from "../../daemon/serve/serve.ts";
import { peakMiB, pidOf, residentMiB, resetPeak } from "./cpu.ts";

const SERIES = 10;
const POINTS_PER_BATCH = 10_000;
const COMMAND = join(import.meta.dirname, "../../daemon/launch/datacat.mjs");

type Result = {
  seconds: number;
  bytes: number;
  workerd: [before: number, peak: number];
  command?: number;
};

let seed = 1;
const sizes = process.argv.slice(2).map(Number);
const results = new Map<string, Result[]>();
for (const points of sizes.length > 0 ? sizes : [1_000_000, 10_000_000]) await measure(points);
report();

async function measure(points: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "datacat-bench-"));
  const server = await serve({ data: join(folder, "data") });
  const env = {
    ...process.env,
    DATACAT_URL: server.url,
    DATACAT_HOME: join(folder, "home"),
    DATACAT_DAEMON: "off",
  };
  const workerd = pidOf("workerd");
  const step = async (what: string, work: () => Promise<Pick<Result, "bytes" | "command">>) => {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    resetPeak(workerd);
    const before = residentMiB("workerd");
    const started = performance.now();
    const done = await work();
    const seconds = (performance.now() - started) / 1_000;
    const all = results.get(what) ?? [];
    results.set(what, all);
    all.push({ seconds, workerd: [before, peakMiB(workerd)], ...done });
    console.error(what, points, all.at(-1));
  };
  const download = async (query: string, to?: string) => {
    const answer = await fetch(`${server.url}/api/sessions/bench/export?${query}`);
    if (!answer.ok || !answer.body) throw new Error(await answer.text());
    const body = Readable.from(answer.body as AsyncIterable<Uint8Array>);
    if (to !== undefined) {
      await pipeline(body, createGzip(), createWriteStream(to));
      return { bytes: statSync(to).size };
    }
    let bytes = 0;
    const sink = new Writable({
      write(part: Buffer, _, done) {
        bytes += part.length;
        done();
      },
    });
    await pipeline(body, sink);
    return { bytes };
  };
  const command = async (args: string[], file: string) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const peak = watch(child);
    const [code] = (await once(child, "close")) as [number];
    if (code !== 0) throw new Error(`datacat ${args.join(" ")} ended with ${code}.`);
    return { bytes: statSync(file).size, command: peak() };
  };

  try {
    await record(server.url, points);
    const file = join(folder, "bench.datacat");
    const csv = join(folder, "bench.csv");
    await step("NDJSON through gzip (baseline)", () => download("format=ndjson", `${file}.gz`));
    await step("session file", () => download("format=datacat"));
    await step("`datacat export -o FILE.datacat`", () =>
      command(["export", "bench", "-o", file], file),
    );
    await step("`datacat import FILE.datacat`", () =>
      command(["import", "--as-new-id", "copy", file], file),
    );
    await step("`datacat show FILE.datacat`", () => command(["show", file], file));
    await step("`datacat export FILE.datacat -o FILE.csv`", () =>
      command(["export", file, "--table", "metrics", "-o", csv], csv),
    );
    await step("NDJSON", () => download("format=ndjson"));
    await step("JSON", () => download("format=json"));
    await step("CSV, a row per point", () => download("format=csv&table=metrics"));
    await step("CSV, a column per series", () => download("format=csv&table=metrics_wide"));
    await step("CSV, a column per series, a row per second", () =>
      download("format=csv&table=metrics_wide&step=1000"),
    );
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gauges, sixty a second with a little jitter in time, two decimals in value; an event and a change of the state in each batch. */
async function record(url: string, points: number): Promise<void> {
  const each = POINTS_PER_BATCH / SERIES;
  const startAt = Date.now() - (points / SERIES) * 17 - 60_000;
  const value = (i: number) => Math.round((60 + 3 * Math.sin(i / 50) + random() * 0.5) * 100) / 100;
  let first = 1;
  for (let batch = 0; batch < points / POINTS_PER_BATCH; batch++) {
    const at = startAt + batch * each * 17;
    const ops: object[] = Array.from({ length: SERIES }, (_, series) => ({
      op: "points",
      at,
      type: "gauge",
      name: `series_${series}`,
      dt: Array.from({ length: each }, (_, i) => (i === 0 ? 0 : 16 + (random() < 0.3 ? 1 : 0))),
      values: Array.from({ length: each }, (_, i) => value(batch * each + i)),
    }));
    ops.push({ op: "event", at, name: `event_${batch % 7}`, data: { batch } });
    ops.push({ op: "state", at, patch: { level: batch, player: { hp: batch % 100 } } });
    const last = first + POINTS_PER_BATCH + 1;
    const body = JSON.stringify({ batches: [{ session: "bench", lane: "l", first, last, ops }] });
    const answer = await fetch(`${url}/api/ingest`, { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok || text.includes('"error"')) throw new Error(text);
    first = last + 1;
  }
}

function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** Its most resident memory, in MiB. */
function watch(child: ChildProcess): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, peakMiB(child.pid ?? 0));
    } catch {
      // It has ended.
    }
  }, 20);
  child.once("exit", () => clearInterval(timer));
  return () => peak;
}

function report(): void {
  console.log("\n| | seconds | MB | workerd before, peak (MiB) | command, peak (MiB) |");
  console.log("| --- | ---: | ---: | ---: | ---: |");
  const both = (of: Result[], text: (one: Result) => string) => of.map(text).join(" / ");
  for (const [what, all] of results) {
    const cells = [
      both(all, ({ seconds }) => seconds.toFixed(1)),
      both(all, ({ bytes }) => (bytes / 1e6).toFixed(1)),
      both(all, ({ workerd: [before, peak] }) => `${before.toFixed(0)}, ${peak.toFixed(0)}`),
      all.some(({ command }) => command) ? both(all, ({ command = 0 }) => command.toFixed(0)) : "",
    ];
    console.log(`| ${what} | ${cells.join(" | ")} |`);
  }
}
