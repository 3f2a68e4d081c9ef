/**
 * One session object against the obvious first design, a row per item, in the same workerd.
 *
 *   npm run bench session
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../daemon/serve/worker.ts";

const T = 1_790_000_000_000;
const SERIES = 10;
const POINTS_PER_BATCH = 1_000;
/** Processes that record the same session: each has an order to keep, so this many requests are under way at once. */
const LANES = 4;

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const code = await bundle(new URL("session-worker.ts", import.meta.url).pathname);
const object = (className: string) => ({ className, useSQLite: true });
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: () => {},
    unsafeObservability: false,
    unsafeLocalExplorer: false,
    resourcePersistencePath: data,
    workers: [
      {
        name: "bench",
        compatibilityDate: "2026-10-01",
        modules: [{ type: "ESModule", path: "index.js", contents: code }],
        durableObjects: {
          SESSIONS: object("BenchSession"),
          NAIVE: object("NaiveSession"),
          BARE: object("BareObject"),
        },
        d1Databases: { CATALOG: "catalog", REGISTRY: "registry" },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  }),
);
await miniflare.ready;
const url = String(await miniflare.unsafeGetDirectURL("bench")).replace(/\/$/, "");

async function call(kind: string, id: string, method: string, body?: unknown): Promise<string> {
  const response = await fetch(`${url}/${kind}/${id}/${method}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body ?? null),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${kind} ${method}: ${text}`);
  return text;
}

// Workloads.

/** A regular gauge: sixty a second with a little jitter in time, two decimals in value. */
const frame = (i: number) => Math.round((60 + 3 * Math.sin(i / 50) + random() * 0.5) * 100) / 100;
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** A batch of 1,000 points, 100 of each of ten series. */
function pointsBatch(session: string, index: number, value: (i: number) => number): string {
  const lane = `lane_${index % LANES}`;
  const turn = Math.floor(index / LANES);
  const each = POINTS_PER_BATCH / SERIES;
  const first = turn * POINTS_PER_BATCH + 1;
  const ops = Array.from({ length: SERIES }, (_, series) => ({
    op: "points",
    at: T + index * each * 16,
    type: "gauge",
    name: `series_${series}`,
    dt: Array.from({ length: each }, (_, i) => (i === 0 ? 0 : 16 + (random() < 0.3 ? 1 : 0))),
    values: Array.from({ length: each }, (_, i) => value(index * each + i)),
  }));
  return JSON.stringify({
    sent_at: T + (index + 1) * each * 17,
    batches: [{ session, lane, first, last: first + POINTS_PER_BATCH - 1, ops }],
  });
}

function patchesBatch(session: string, index: number, each: number): string {
  const first = index * each + 1;
  const ops = Array.from({ length: each }, (_, i) => ({
    op: "state",
    at: T + (first + i) * 10,
    patch: { [`key_${(first + i) % 50}`]: first + i, frame: first + i },
  }));
  return JSON.stringify({
    sent_at: T + (first + each) * 10,
    batches: [{ session, lane: "bench", first, last: first + each - 1, ops }],
  });
}

// Measuring.

const rows: [string, string, string, string][] = [];
const report = (what: string, ours: string, baseline: string, ratio: string) =>
  rows.push([what, ours, baseline, ratio]);
const count = (value: number) => Math.round(value).toLocaleString("en-US");

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** Sends prepared bodies, each lane's one after another. */
const send = (kind: string, id: string, bodies: string[]) =>
  seconds(() =>
    Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let i = lane; i < bodies.length; i += LANES) await call(kind, id, "ingest", bodies[i]);
      }),
    ),
  );

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await seconds(work));
  return all.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

try {
  const batches = 1_000;
  const bodies = Array.from({ length: batches }, (_, i) => pointsBatch("regular", i, frame));
  await send(
    "session",
    "warm",
    Array.from({ length: 100 }, (_, i) => pointsBatch("warm", i, frame)),
  );
  await send(
    "naive",
    "warm",
    Array.from({ length: 20 }, (_, i) => pointsBatch("warm", i, frame)),
  );
  await send(
    "bare",
    "warm",
    Array.from({ length: 20 }, (_, i) => pointsBatch("warm", i, frame)),
  );

  // In turns, so that other load of the machine affects all three.
  const time = { session: 0, naive: 0, bare: 0 };
  const slices: number[] = [];
  for (let i = 0; i < batches; i += 100) {
    const slice = bodies.slice(i, i + 100);
    slices.push(await send("session", "regular", slice));
    time.naive += await send("naive", "regular", slice);
    time.bare += await send("bare", "regular", slice);
  }
  time.session = slices.reduce((sum, slice) => sum + slice, 0);
  const [ours = 0, naive = 0, bare = 0] = [time.session, time.naive, time.bare].map(
    (whole) => (batches * POINTS_PER_BATCH) / whole,
  );
  // Medians of the first three and the last three: a single slice varies with the load of the machine.
  const middleOf = (three: number[]) => three.toSorted((a, b) => a - b)[1] ?? 0;
  const [first, last] = [middleOf(slices.slice(0, 3)), middleOf(slices.slice(-3))];
  report(
    "points/s over HTTP, batches of 1,000",
    count(ours),
    `${count(naive)} (row per point)`,
    `${(ours / naive).toFixed(1)}×`,
  );
  report(
    "  the same, unvalidated, one row per batch",
    count(ours),
    count(bare),
    `${(ours / bare).toFixed(2)}×`,
  );
  report(
    "the last of 1,000,000 points against the first",
    `${(last * 10).toFixed(2)} µs/point`,
    `${(first * 10).toFixed(2)} µs/point`,
    `${(last / first).toFixed(2)}×`,
  );

  const summary = JSON.parse(await call("session", "regular", "summary")) as {
    bytes: number;
    rows_written: number;
    counts: { points: number };
  };
  const naiveBytes = Number(await call("naive", "regular", "bytes"));
  report(
    "bytes per regular gauge point",
    (summary.bytes / 1e6).toFixed(2),
    (naiveBytes / 1e6).toFixed(2),
    `${(naiveBytes / summary.bytes).toFixed(1)}× less`,
  );
  report(
    "rows written per batch",
    (summary.rows_written / batches).toFixed(3),
    count(POINTS_PER_BATCH),
    `${count((POINTS_PER_BATCH * batches) / summary.rows_written)}× fewer`,
  );

  const walk = [0];
  const noisy = () =>
    (walk[0] = Math.round(((walk[0] ?? 0) + (random() - 0.5) * 20) * 1_000) / 1_000);
  await send(
    "session",
    "noisy",
    Array.from({ length: 300 }, (_, i) => pointsBatch("noisy", i, noisy)),
  );
  const float32 = (i: number) => Math.fround(50 + 20 * Math.sin(i / 30) + random() * 10);
  await send(
    "session",
    "float",
    Array.from({ length: 300 }, (_, i) => pointsBatch("float", i, float32)),
  );
  for (const [id, what] of [
    ["noisy", "a noisy gauge (random walk, 3 decimals)"],
    ["float", "a noisy gauge (single-precision floats)"],
  ] as const) {
    const { bytes } = JSON.parse(await call("session", id, "summary")) as { bytes: number };
    report(
      `bytes per point of ${what}`,
      (bytes / 300_000).toFixed(2),
      (naiveBytes / 1e6).toFixed(2),
      `${(naiveBytes / 1e6 / (bytes / 300_000)).toFixed(1)}× less`,
    );
  }

  const ping = await median(50, () => call("session", "regular", "ping"));
  const ms = (time: number) => `${(Math.max(0, time - ping) * 1_000).toFixed(1)} ms`;
  const range = { from: T, to: T + batches * 100 * 17 };
  const chart = await median(11, () =>
    call("session", "regular", "charts", { name: "series_3", ...range, points: 500 }),
  );
  const naiveChart = await median(5, () =>
    call("naive", "regular", "charts", { name: "series_3", ...range, points: 500 }),
  );
  report(
    "chart of one series of 100,000 points (of 1,000,000)",
    ms(chart),
    ms(naiveChart),
    `${(naiveChart / chart).toFixed(1)}×`,
  );
  const allCharts = await median(5, () =>
    call("session", "regular", "charts", { ...range, points: 500 }),
  );
  const allNaive = await median(3, () =>
    Promise.all(
      Array.from({ length: SERIES }, (_, i) =>
        call("naive", "regular", "charts", { name: `series_${i}`, ...range, points: 500 }),
      ),
    ),
  );
  report(
    "charts of all 1,000,000 points (ten series)",
    ms(allCharts),
    ms(allNaive),
    `${(allNaive / allCharts).toFixed(1)}×`,
  );

  for (let i = 0; i < 500; i++) {
    const body = patchesBatch("states", i, 250);
    await call("session", "states", "ingest", body);
    await call("naive", "states", "ingest", body);
  }
  const moment = { at: T + 25_000 * 10 };
  const state = await median(21, () => call("session", "states", "state", moment));
  const naiveState = await median(5, () => call("naive", "states", "state", moment));
  report(
    "state at a moment, 100,000 of 125,000 patches back",
    ms(state),
    `${ms(naiveState)} (folds 25,000)`,
    `${(naiveState / state).toFixed(1)}×`,
  );
  const newest = { at: T + 124_999 * 10 };
  const late = await median(21, () => call("session", "states", "state", newest));
  const naiveLate = await median(3, () => call("naive", "states", "state", newest));
  report(
    "state at a moment near the end",
    ms(late),
    `${ms(naiveLate)} (folds 125,000)`,
    `${(naiveLate / late).toFixed(1)}×`,
  );

  const wakes: number[] = [];
  for (let i = 0; i < 15; i++) {
    await call("session", "regular", "sleep").catch(() => {});
    wakes.push(await seconds(() => call("session", "regular", "summary")));
  }
  const wake = wakes.sort((a, b) => a - b)[7] ?? 0;
  const naiveWakes: number[] = [];
  for (let i = 0; i < 5; i++) {
    await call("naive", "regular", "sleep").catch(() => {});
    naiveWakes.push(await seconds(() => call("naive", "regular", "summary")));
  }
  const naiveWake = naiveWakes.sort((a, b) => a - b)[2] ?? 0;
  report(
    "waking up and summing up 1,000,000 points",
    ms(wake),
    ms(naiveWake),
    `${(naiveWake / wake).toFixed(1)}×`,
  );

  console.log("\n| one session object | ours | baseline | ratio |\n| --- | ---: | ---: | ---: |");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  await miniflare.dispose();
  rmSync(data, { recursive: true, force: true });
}
