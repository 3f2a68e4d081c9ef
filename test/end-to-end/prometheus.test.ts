/** Prometheus' own programs read /metrics of a real server: promtool checks it, and Prometheus scrapes it as the guide configures. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, freePort, World } from "./world.ts";

const GUIDE = join(import.meta.dirname, "../../src/pages/docs/grafana.md");
/** With CI=true a missing program fails the test. */
const has = (program: string) =>
  process.env["CI"] === "true" || spawnSync(program, ["--version"]).status === 0;

/** A server with a session of a product whose name has everything that a label must escape. */
async function worldWithSession(): Promise<World> {
  const world = await World.make();
  await world.startServer();
  const product = 'a"b\\c\nd{x="1"} 2 # EOF';
  const ops = [
    { op: "start", at: Date.now(), product },
    { op: "end", at: Date.now(), exit_code: 3 },
  ];
  const batch = { session: "one", lane: "l", first: 1, last: 2, ops };
  const answer = await fetch(`${world.url}/api/ingest`, {
    method: "POST",
    body: JSON.stringify({ batches: [batch] }),
  });
  expect(answer.status).toBe(200);
  return world;
}

test.skipIf(!has("promtool"))("promtool check metrics accepts /metrics", async () => {
  await using world = await worldWithSession();
  const text = await (
    await fetch(`${world.url}/metrics`, { headers: { accept: "text/plain" } })
  ).text();
  expect(text).toContain("datacat_sessions_failed");
  const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  expect(checked).toMatchObject({ status: 0, stdout: "", stderr: "" });
  // The check itself can fail.
  const twice = spawnSync("promtool", ["check", "metrics"], { input: text + text });
  expect(twice.status).not.toBe(0);
});

test.skipIf(!has("prometheus"))(
  "Prometheus scrapes OpenMetrics with the guide's configuration",
  async () => {
    await using world = await worldWithSession();
    const written = /```yaml\n(.*?)```/s.exec(readFileSync(GUIDE, "utf8"))?.[1] ?? "";
    const file = join(world.folder, "prometheus.yml");
    const replaced = [
      ["scheme: https", "scheme: http"],
      ["scrape_interval: 1m", "scrape_interval: 1s"],
      ["/etc/prometheus/datacat.key", join(world.folder, "data/token")],
      ["datacat.YOU.workers.dev", `localhost:${world.port}`],
    ].reduce((text, [from = "", to = ""]) => {
      expect(text).toContain(from);
      return text.replace(from, to);
    }, written);
    writeFileSync(file, replaced);
    expect(spawnSync("promtool", ["check", "config", file], { encoding: "utf8" })).toMatchObject({
      status: 0,
    });

    const address = `127.0.0.1:${await freePort()}`;
    const prometheus = spawn(
      "prometheus",
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(world.folder, "prometheus")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: "ignore" },
    );
    try {
      const ask = async <Data>(path: string): Promise<Data | undefined> => {
        const answer = await fetch(`http://${address}/api/v1/${path}`).catch(() => undefined);
        if (answer?.ok !== true) return undefined;
        return ((await answer.json()) as { data: Data }).data;
      };
      type Found = { result: { metric: { [label: string]: string }; value: [number, string] }[] };
      const query = encodeURIComponent("datacat_sessions_failed");
      const [sample] = await eventually(async () => {
        const found = await ask<Found>(`query?query=${query}`);
        return found && found.result.length > 0 ? found.result : undefined;
      });
      expect(sample).toMatchObject({
        metric: { product: 'a"b\\c\uFFFDd{x="1"} 2 # EOF', job: "datacat" },
        value: [expect.any(Number), "1"],
      });
      // Types and units are those of OpenMetrics: the text format has no units.
      const metadata = await ask<{ [name: string]: { type: string; unit: string }[] }>("metadata");
      expect(metadata).toMatchObject({
        datacat_stored_bytes: [{ type: "gauge", unit: "bytes" }],
        datacat_rows_written: [{ type: "counter" }],
      });
    } finally {
      prometheus.kill();
    }
  },
);
