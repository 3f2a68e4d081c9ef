/**
 * `npm run dev`: wrangler dev on port 8787. Worker and pages reload when a file of src/ or public/ is saved. Three recorded runs of a
 * game, the newest of which crashed, are there from the start. Options go to wrangler: `npm run dev -- --port 9000`.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { game, type GameOptions } from "./pages/world.ts";

const root = join(import.meta.dirname, "..");
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
const options = process.argv.slice(2);
const port = options.includes("--port") ? options[options.indexOf("--port") + 1] : "8787";
const url = `http://localhost:${port}`;

const START_TIMEOUT_MS = 60_000;
const DAY_MS = 86_400_000;

migrate();
const server = spawn(
  process.execPath,
  // DEV lets the pages run the script with which wrangler reloads them.
  [wrangler, "dev", "--live-reload", "--var", "LOCAL:1", "--var", "DEV:1", ...options],
  { cwd: root, stdio: "inherit" },
);
server.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));

await waitUntilReady();
const now = Date.now();
await seed({ id: "demo-crashed", at: now - 10 * 60_000, ending: "crash" });
await seed({ id: "demo-ended", at: now - DAY_MS, ending: "end", seed: 11 });
await seed({ id: "demo-older", at: now - 2 * DAY_MS, ending: "end", version: "1.4.1", seed: 23 });
console.log(`A crashed session: ${url}/sessions/demo-crashed`);

/** The local databases of wrangler.toml. */
function migrate(): void {
  const config = readFileSync(join(root, "wrangler.toml"), "utf8");
  for (const [, binding] of config.matchAll(/\[\[d1_databases\]\]\s+binding = "(\w+)"/g)) {
    const args = [wrangler, "d1", "migrations", "apply", binding ?? "", "--local"];
    execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  }
}

async function waitUntilReady(): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const answer = await fetch(`${url}/health`).catch(() => undefined); // refused until it listens
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${url} did not answer within ${START_TIMEOUT_MS / 1_000} s.`);
}

/** Records a session through the API, unless an earlier start has. */
async function seed(session: GameOptions): Promise<void> {
  const known = await fetch(`${url}/api/sessions/${session.id}/summary`);
  if (known.ok) return;
  const answer = await fetch(`${url}/api/ingest`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sent_at: now, batches: game(session) }),
  });
  const { results } = (await answer.json()) as { results?: { error?: { message: string } }[] };
  const failed = results?.find(({ error }) => error);
  if (!answer.ok || failed)
    throw new Error(`${session.id}: ${failed?.error?.message ?? answer.status}`);
}
