/**
 * What a page costs in processor time: of the whole server (user and system time of workerd: HTTP, the Worker, the catalog, the
 * session object, SQLite), and the Worker's part of it, which Cloudflare limits to 10 ms. No clock separates the parts, so V8's
 * profiler does, by the code on the stack. The Worker's column includes everything that is neither the session object's nor the
 * catalog's, the runtime's own work too, so it is an upper bound. Linux only (/proc).
 *
 *   npm run bench pages-cpu
 */
import { mkdtempSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../daemon/serve/serve.ts";
import { readWorker } from "../../daemon/serve/worker.ts";
import { game, record } from "../pages/world.ts";
import { cpuMs } from "./cpu.ts";
import { type Frame, type Profile, Profiler } from "./profiler.ts";

const ROUNDS = 150;
const WARM_UP = 50;
const NOW = Date.now();

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const inspectorPort = await freePort();
const server = await serve({ data, inspectorPort });
const send = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
const isObjects = await ownerOf();
// The Worker and the objects share an isolate; D1 is a program of its own.
const [ours, ...catalog] = await Promise.all(
  ["core:user:datacat", "d1:db:entry", "d1:db"].map((isolate) =>
    Profiler.attach(inspectorPort, isolate),
  ),
);

try {
  await record(send, game({ id: "crashed", at: NOW - 3_600_000, seconds: 600 }));
  for (let run = 0; run < 60; run++) {
    const at = NOW - 4_000_000 - run * 60_000;
    await record(send, game({ id: `run-${run}`, at, seconds: 10, ending: "end", seed: run + 1 }));
  }
  console.log("\n| page | whole server, ms | session object | catalog | Worker, at most |");
  console.log("| --- | ---: | ---: | ---: | ---: |");
  for (const path of [
    "/health",
    "/",
    "/sessions",
    "/sessions?metric=fps",
    "/sessions/crashed",
    "/sessions/crashed/moment",
    "/exceptions",
    "/metrics?metric=fps",
    "/settings",
  ]) {
    await visit(path, WARM_UP);
    const before = cpuMs("workerd");
    await visit(path, ROUNDS);
    const all = (cpuMs("workerd") - before) / ROUNDS;
    const share = await sharesOf(() => visit(path, ROUNDS));
    const rest = 1 - share.object - share.catalog;
    const columns = [1, share.object, share.catalog, rest].map((part) => (all * part).toFixed(1));
    console.log(`| \`${path}\` | ${columns.join(" | ")} |`);
  }
} finally {
  for (const profiler of [ours, ...catalog]) profiler?.detach();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

async function visit(path: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await (await send(path)).text();
}

/** Of the time in which the server was not idle. */
async function sharesOf(work: () => Promise<void>): Promise<{ object: number; catalog: number }> {
  await Promise.all([ours, ...catalog].map((profiler) => profiler?.start()));
  await work();
  const [profile, ...others] = await Promise.all(
    [ours, ...catalog].map((profiler) => profiler?.stop()),
  );
  if (!profile) throw new Error("There is no profile.");
  const busy = time(profile, ([frame]) => frame?.functionName !== "(idle)");
  const object = time(profile, (stack) => stack.some(isObjects));
  // Native frames do not name their script; another isolate's frames may appear as "(program)" here.
  const isScript = ([frame]: Frame[]) =>
    !/^\((idle|program|root)\)$/.test(frame?.functionName ?? "");
  const ofCatalog = others.reduce((sum, one) => sum + (one ? time(one, isScript) : 0), 0);
  const all = busy + ofCatalog;
  return { object: object / all, catalog: ofCatalog / all };
}

/** Microseconds in stacks, innermost frame first, that are `wanted`. */
function time(
  { nodes, samples, timeDeltas }: Profile,
  wanted: (stack: Frame[]) => boolean,
): number {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((of) => [of, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const isWanted = new Map(
    nodes.map(({ id }) => {
      const stack: Frame[] = [];
      for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
        const frame = frames.get(at);
        if (frame) stack.push(frame);
      }
      return [id, wanted(stack)];
    }),
  );
  return samples.reduce(
    (sum, node, index) => sum + (isWanted.get(node) ? (timeDeltas[index] ?? 0) : 0),
    0,
  );
}

/** Whether a place in the bundle is the session object's code: src/session, but for the two files by which the Worker asks it. */
async function ownerOf(): Promise<(frame: Frame) => boolean> {
  const { modules } = await readWorker({});
  const [bundle] = Array.isArray(modules) ? modules : [];
  const code = String(bundle && "contents" in bundle ? bundle.contents : "");
  const inline = code.slice(code.lastIndexOf("base64,") + "base64,".length);
  const map = new SourceMap(JSON.parse(Buffer.from(inline, "base64").toString()));
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.endsWith("index.js")) return false;
    const entry = map.findEntry(lineNumber, columnNumber);
    return (
      "originalSource" in entry &&
      /src\/session\/(?!ask|call)[\w-]+\.ts$/.test(entry.originalSource)
    );
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port is free.");
  return address.port;
}
