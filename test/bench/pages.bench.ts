/**
 * What a page costs its reader: bytes of a first visit, the list's HTML, and the time until a session of 1,000,000 points and
 * 100,000 events can be used. For comparison: 1.x's page, which fetched the whole session first.
 *
 *   npm run bench pages
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { serve } from "../../daemon/serve/serve.ts";
import type { Batch } from "../../src/core/batch.ts";
import { MAX_BATCH_OPS } from "../../src/core/limits.ts";
import { manyTests, runState } from "../session/test-run.ts";
import { game, record } from "../pages/world.ts";

const POINTS = 1_000_000;
const SERIES = 10;
const EVENTS = 100_000;
const ROUNDS = 7;
const START = Date.now() - 4 * 3_600_000;

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const server = await serve({ data });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const send = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);

try {
  for (let run = 0; run < 60; run++) {
    await record(
      send,
      game({
        id: `run-${run}`,
        at: START - run * 60_000,
        seconds: 20,
        ending: "end",
        seed: run + 1,
      }),
    );
  }
  await record(send, big("big"));
  await record(send, testRun("tests"));

  console.log("\nfirst visit (gzip bytes)");
  await visit("/sessions/run-0");
  await visit("/sessions");

  console.log("\nserver: median ms of a whole answer, and its gzip bytes");
  for (const path of [
    "/",
    "/sessions",
    "/sessions/run-0",
    "/sessions/big",
    "/sessions/tests",
    "/sessions/tests/tests?text=99",
    "/sessions/big/events?text=99999",
    "/sessions/big/moment",
    "/sessions/big/charts?ids=0,1,2,3,4,5,6,7,8,9",
  ]) {
    const times: number[] = [];
    let size = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const html = await (await send(path)).text();
      times.push(performance.now() - began);
      size = gzipSync(html).length;
    }
    row(path, `${median(times).toFixed(1)} ms`, `${size} B`);
  }

  console.log(
    "\nbrowser: a session of 1,000,000 points and 100,000 events, median ms after the click",
  );
  const marks = {
    "verdict can be read": [] as number[],
    "page can be used": [] as number[],
    "first chart is drawn": [] as number[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${server.url}/docs`);
    const began = performance.now();
    await page.goto(`${server.url}/sessions/big`, { waitUntil: "commit" });
    await page.locator("#verdict h1").waitFor();
    marks["verdict can be read"].push(performance.now() - began);
    await page.locator(".cursor").waitFor({ state: "visible" });
    marks["page can be used"].push(performance.now() - began);
    while (
      !(await page.evaluate(
        "!!globalThis.Chart?.getChart(document.querySelector('.chart canvas'))",
      ))
    );
    marks["first chart is drawn"].push(performance.now() - began);
    await page.context().close();
  }
  for (const [name, times] of Object.entries(marks)) row(name, `${median(times).toFixed(0)} ms`);

  const began = performance.now();
  const whole = await (await send("/api/sessions/big")).text();
  row(
    "1.x: the whole session, fetched only",
    `${(performance.now() - began).toFixed(0)} ms`,
    `${whole.length} B`,
  );
} finally {
  await browser.close();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

/** Everything that a browser with an empty cache fetches. */
async function visit(path: string): Promise<void> {
  const page = await (await browser.newContext()).newPage();
  const bodies: Promise<[string, number]>[] = [];
  page.on("response", (response) => {
    bodies.push(
      response
        .body()
        .then((body) => [new URL(response.url()).pathname, gzipSync(body, { level: 9 }).length]),
    );
  });
  await page.goto(`${server.url}${path}`);
  await page.waitForLoadState("networkidle");
  const sizes = await Promise.all(bodies);
  for (const [name, size] of sizes) row(`  ${name}`, String(size));
  row(`${path}: all`, String(sizes.reduce((sum, [, size]) => sum + size, 0)));
  await page.context().close();
}

/** 10,000 tests, of which 100 fail. */
function testRun(session: string): Batch[] {
  const ops = [runState({ planned: 10_000 }), ...manyTests(10_000)];
  const batches: Batch[] = [];
  for (let from = 0; from < ops.length; from += MAX_BATCH_OPS) {
    const some = ops.slice(from, from + MAX_BATCH_OPS);
    const range = { first: from + 1, last: from + some.length };
    batches.push({ session, lane: "tests-lane", ...range, ops: some });
  }
  return batches;
}

function big(session: string): Batch[] {
  const batches: Batch[] = [];
  let sequence = 0;
  const add = (ops: Batch["ops"]) => {
    batches.push({
      session,
      lane: "big-lane",
      first: sequence + 1,
      last: sequence + ops.length,
      ops,
    });
    sequence += ops.length;
  };
  add([{ op: "start", at: START, product: "big", version: "1", state: { level: 1 } }]);
  const chunk = 1_000;
  const step = (3 * 3_600_000) / (POINTS / SERIES);
  for (let done = 0; done < POINTS / SERIES; done += chunk) {
    const at = START + Math.round(done * step);
    const events = (EVENTS * chunk * SERIES) / POINTS;
    add([
      ...Array.from({ length: SERIES }, (_, series) => ({
        op: "points" as const,
        at,
        type: "gauge" as const,
        name: `metric_${series}`,
        dt: Array.from({ length: chunk }, (__, i) => (i === 0 ? 0 : Math.round(step))),
        values: Array.from(
          { length: chunk },
          (__, i) => Math.round(Math.sin((done + i) / 900 + series) * 1e4) / 100,
        ),
      })),
      ...Array.from({ length: events }, (_, i) => ({
        op: "event" as const,
        at: at + Math.round((i / events) * chunk * step),
        name: i % 10 === 0 ? "slow_request" : "request",
        message: `request ${(done / chunk) * events + i} took ${i % 97} ms`,
        data: { path: `/thing/${i % 50}` },
      })),
      { op: "state" as const, at, patch: { level: done / chunk } },
    ]);
  }
  add([{ op: "end", at: START + 3 * 3_600_000, exit_code: 0 }]);
  return batches;
}

function row(...cells: string[]): void {
  const [name = "", ...rest] = cells;
  console.log(name.padEnd(46) + rest.map((cell) => cell.padStart(14)).join(""));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
