/**
 * What a page costs the server in processor time: HTTP, the Worker, the catalog and the session object together, so more than
 * Cloudflare would bill the Worker. Beside it an empty request, which is the runtime's own share. Linux only (/proc).
 *
 *   npm run bench pages-cpu
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../daemon/serve/serve.ts";
import { game, record } from "../pages/world.ts";

const ROUNDS = 150;
const WARM_UP = 30;
const TICK_MS = 10; // of /proc's clock: sysconf(_SC_CLK_TCK) is 100 on every Linux that matters
const NOW = Date.now();

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const server = await serve({ data });
const send = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);

try {
  await record(send, game({ id: "dead", at: NOW - 3_600_000, seconds: 600 }));
  for (let run = 0; run < 60; run++) {
    const at = NOW - 4_000_000 - run * 60_000;
    await record(send, game({ id: `run-${run}`, at, seconds: 10, ending: "end", seed: run + 1 }));
  }
  console.log("\n| processor time | ms |\n| --- | ---: |");
  for (const path of [
    "/health",
    "/",
    "/sessions",
    "/sessions?metric=fps",
    "/sessions/dead",
    "/sessions/dead/moment",
    "/exceptions",
    "/metrics?metric=fps",
    "/settings",
  ]) {
    for (let round = 0; round < WARM_UP; round++) await (await send(path)).text();
    const before = cpuMs();
    for (let round = 0; round < ROUNDS; round++) await (await send(path)).text();
    console.log(`| \`${path}\` | ${((cpuMs() - before) / ROUNDS).toFixed(1)} |`);
  }
} finally {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}

/** User and system time of the workerd that this process started. */
function cpuMs(): number {
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [name = "", rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .split(/\((.*)\) /)
        .slice(1);
      const fields = rest.split(" ");
      if (name.startsWith("workerd") && fields[1] === String(process.pid))
        ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // A process that ended meanwhile.
    }
  }
  return ticks * TICK_MS;
}
