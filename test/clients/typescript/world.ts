/** The whole of Datacat for a test: the real Worker on this machine, a real daemon that the client itself starts, a home of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { serve } from "../../../daemon/serve/serve.ts";
import type { EventRow } from "../../../src/core/answers/events.ts";
import type { Page } from "../../../src/core/answers/page.ts";
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import type { StateAt, StateChange } from "../../../src/core/answers/state.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";

const root = new URL("../../..", import.meta.url).pathname;
const daemon = join(root, "daemon/launch/datacat-daemon.mjs");

export type Run = {
  id: string;
  stdout: string;
  stderr: string;
  code: number | null;
  signal: string | null;
};

export type World = {
  url: string;
  home: string;
  env: { [name: string]: string | undefined };
  /** Runs a TypeScript or JavaScript file as a program of its own; `id` is the first text that it printed, up to a blank. */
  run(file: string, ...args: string[]): Promise<Run>;
  /** What the server holds of a session, once it is as expected. */
  summary(id: string, until?: (summary: Summary) => boolean): Promise<Summary>;
  state(id: string): Promise<StateAt["state"]>;
  history(id: string): Promise<StateChange[]>;
  events(id: string): Promise<EventRow[]>;
  series(id: string): Promise<SeriesSummary[]>;
  get<Answer>(path: string): Promise<Answer>;
} & AsyncDisposable;

export async function startWorld(): Promise<World> {
  const data = mkdtempSync(join(tmpdir(), "datacat-server-"));
  const home = mkdtempSync(join(tmpdir(), "datacat-home-"));
  const server = await serve({ data });
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    DATACAT_HOME: home,
    DATACAT_URL: server.url,
    DATACAT_DAEMON: daemon,
    DATACAT_DAEMON_PORT: "0",
  };

  async function get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${server.url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer; // the server's own types
  }

  return {
    url: server.url,
    home,
    env,
    get,
    run(file, ...args) {
      const program = spawn(
        process.execPath,
        ["--conditions=datacat-source", join(root, file), ...args],
        { env, cwd: home },
      );
      let [stdout, stderr] = ["", ""];
      program.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      program.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      return new Promise((resolve) => {
        program.on("close", (code, signal) => {
          resolve({ id: /[0-9a-f-]{36}/.exec(stdout)?.[0] ?? "", stdout, stderr, code, signal });
        });
      });
    },
    async summary(id, until = (summary) => summary.ended_at !== null) {
      let summary: Summary | undefined;
      await vi.waitUntil(
        async () => {
          summary = await get<Summary>(`/api/sessions/${id}/summary`).catch(() => undefined);
          return summary !== undefined && until(summary);
        },
        { timeout: 20_000, interval: 200 },
      );
      return summary as Summary; // or the wait would have thrown
    },
    state: async (id) => (await get<StateAt>(`/api/sessions/${id}/state`)).state,
    history: async (id) =>
      (await get<Page<StateChange>>(`/api/sessions/${id}/state/history?limit=1000`)).items,
    events: async (id) =>
      (await get<Page<EventRow>>(`/api/sessions/${id}/events?limit=1000&order=asc`)).items,
    series: (id) => get<SeriesSummary[]>(`/api/sessions/${id}/metrics`),
    async [Symbol.asyncDispose]() {
      await stopDaemon(home);
      await server.stop();
      for (const folder of [data, home])
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The daemon that this home's programs started, and no other. */
async function stopDaemon(home: string): Promise<void> {
  try {
    const info = JSON.parse(readFileSync(join(home, "daemon.json"), "utf8")) as { pid: number };
    process.kill(info.pid, "SIGTERM");
    for (let tries = 0; tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.kill(info.pid, 0);
    }
    process.kill(info.pid, "SIGKILL");
  } catch {
    // there is none, or it is gone
  }
}
