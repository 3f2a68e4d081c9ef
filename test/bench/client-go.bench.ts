/**
 * What the Go client costs a program: a call against a bare write of the same bytes, opening and ending, and the share of 100 calls
 * in each frame of a loop of 60 frames a second, without a daemon and with the daemon and the server at work.
 * Run: node test/bench/client-go.bench.ts
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../daemon/serve/serve.ts";
import { runDaemon } from "../../daemon/main.ts";

const module = new URL("../../clients/go", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const binary = join(folder, "bench");
const built = spawnSync("go", ["test", "-c", "-o", binary, "."], { cwd: module, stdio: "inherit" });
if (built.status !== 0) process.exit(1);

try {
  print("cost of a call (medians)", await bench("CallAgainst", "100000x"));
  print("open and end (medians)", await bench("OpenAndEnd", "500x"));
  print("60 Hz loop, 100 calls a frame: no daemon", await bench("Frames", "600x"));

  const home = join(folder, "home");
  const server = await serve({ data: join(folder, "data") });
  const env = { ...process.env, DATACAT_HOME: home, DATACAT_URL: server.url };
  const daemon = await runDaemon({ env, folder, port: 0, stay: () => true });
  const frames = await bench("Frames", "600x", { DATACAT_BENCH_HOME: home });
  print("60 Hz loop, 100 calls a frame: daemon and server at work", frames);
  await daemon?.stop();
  await server.stop();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Runs one benchmark in a process of its own: this one's event loop may run the daemon and the server. */
async function bench(name: string, times: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const args = ["-test.run", "-", "-test.bench", name, "-test.benchtime", times];
  const child = spawn(binary, args, { env: { ...process.env, ...env }, cwd: folder });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return output.split("\n").filter((line) => line.startsWith("Benchmark"));
}

/** "BenchmarkX/gauge-2  100000  951.0 bare-ns  1282 call-ns …" as one line of figures. */
function print(title: string, lines: string[]): void {
  console.log(`\n${title}`);
  for (const line of lines) {
    const [name = "", , ...figures] = line.split(/\s+/);
    const columns: string[] = [];
    for (let i = 0; i + 1 < figures.length; i += 2) columns.push(`${figures[i + 1]} ${figures[i]}`);
    console.log(
      `  ${name.replace(/^Benchmark[^/]*\/?|-\d+$/g, "").padEnd(26)}${columns.join(" · ")}`,
    );
  }
}
