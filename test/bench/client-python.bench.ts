/**
 * What the Python client costs (client_python.py), and the share of 100 calls in each frame of a loop of 60 frames a second, without a
 * daemon and with the daemon and the server at work.
 *
 *   npm run bench client-python [interpreter]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDaemon } from "../../daemon/main.ts";
import { serve } from "../../daemon/serve/serve.ts";

const python = process.argv[2] ?? "python3";
const folder = mkdtempSync(join(tmpdir(), "datacat-bench-"));

try {
  await bench();
  const home = join(folder, "home");
  const server = await serve({ data: join(folder, "data") });
  const env = { ...process.env, DATACAT_HOME: home, DATACAT_URL: server.url };
  const daemon = await runDaemon({ env, folder, port: 0, stay: () => true });
  await bench({ DATACAT_BENCH_HOME: home, DATACAT_URL: server.url });
  await daemon?.stop();
  await server.stop();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** In a process of its own: this one's event loop may run the daemon and the server. */
async function bench(env: NodeJS.ProcessEnv = {}): Promise<void> {
  const script = join(import.meta.dirname, "client_python.py");
  const child = spawn(python, [script], { env: { ...process.env, ...env }, stdio: "inherit" });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`${python} ended with ${String(code)}.`);
}
