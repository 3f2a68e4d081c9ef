/** A user's machine in a temporary folder: the server as `npm start` runs it, the daemon, the command. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chart, SeriesSummary } from "../../src/core/answers/metrics.ts";
import type { EventRow } from "../../src/core/answers/events.ts";
import type { Page } from "../../src/core/answers/page.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import type { StateAt } from "../../src/core/answers/state.ts";
import type { Summary } from "../../src/core/answers/summary.ts";

const root = join(import.meta.dirname, "../..");
/** The repository's own Node, whichever one runs vitest: with it the launchers start no second process. */
const node = join(root, "node_modules/.bin/node");
const launch = (name: string) => join(root, "daemon/launch", `${name}.mjs`);

export type Ran = { code: number | null; signal: string | null; stdout: string; stderr: string };

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "datacat-end-"));
  readonly port: number;
  readonly url: string;
  readonly #servers: ChildProcess[] = [];
  readonly #output = new Map<ChildProcess, string>();

  private constructor(port: number) {
    this.port = port;
    this.url = `http://localhost:${port}`;
  }

  static async make(): Promise<World> {
    return new World(await freePort());
  }

  /** A shell's environment for this world. The daemon takes any port, because other daemons may run. */
  get env(): NodeJS.ProcessEnv {
    const env = { ...process.env, DATACAT_HOME: join(this.folder, "home"), DATACAT_URL: this.url };
    for (const name of Object.keys(env)) {
      if (
        /^(DATACAT_(DAEMON|SESSION|KEY|CONFIG|PRODUCT|VERSION|TAGS)|VITEST.*|NODE_OPTIONS)$/.test(
          name,
        )
      ) {
        Reflect.deleteProperty(env, name);
      }
    }
    // No world's daemon reads the lanes that other programs of this user have in the last resort.
    return { ...env, DATACAT_DAEMON_PORT: "0", TMPDIR: this.folder };
  }

  /** `npm start`, until it answers. */
  async startServer({ daemon = false } = {}): Promise<ChildProcess> {
    const args = ["--port", String(this.port), "--data", join(this.folder, "data")];
    if (!daemon) args.push("--no-daemon");
    const server = spawn(node, [launch("start"), ...args], {
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#servers.push(server);
    this.#output.set(server, "");
    const add = (bytes: Buffer) => {
      this.#output.set(server, this.serverOutput(server) + bytes.toString());
    };
    server.stdout.on("data", add);
    server.stderr.on("data", add);
    await eventually(() => {
      const output = this.serverOutput(server);
      if (server.exitCode !== null) throw new Error(`npm start ended:\n${output}`);
      return output.includes("Datacat is ready") ? true : undefined;
    });
    return server;
  }

  /** What a server has printed so far. */
  serverOutput(server: ChildProcess): string {
    return this.#output.get(server) ?? "";
  }

  /** Stops all servers that were started. */
  async stopServer(signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill(signal);
      await gone;
    }
  }

  /** The `datacat` command, still running. */
  start(args: string[], options: { folder?: string; env?: NodeJS.ProcessEnv } = {}): ChildProcess {
    return spawn(node, [launch("datacat"), ...args], {
      cwd: options.folder ?? this.folder,
      env: { ...this.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  /** The `datacat` command, to its end. */
  async run(
    args: string[],
    options: { input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> {
    const child = this.start(args, options);
    child.stdin?.on("error", () => {}); // a command may end without reading it
    child.stdin?.end(options.input ?? "");
    return finished(child);
  }

  async get<Answer>(path: string): Promise<Answer> {
    const answer = await fetch(this.url + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  /** Waits until the list has a session that satisfies. */
  findSession(satisfies: (row: SessionRow) => boolean): Promise<SessionRow> {
    return eventually(async () => {
      const { items } = await this.get<Page<SessionRow>>("/api/sessions");
      return items.find(satisfies);
    });
  }

  summary(id: string): Promise<Summary> {
    return this.get(`/api/sessions/${id}/summary`);
  }
  state(id: string): Promise<StateAt> {
    return this.get(`/api/sessions/${id}/state`);
  }
  series(id: string): Promise<SeriesSummary[]> {
    return this.get(`/api/sessions/${id}/metrics`);
  }
  charts(id: string, name: string): Promise<Chart[]> {
    return this.get(`/api/sessions/${id}/metrics/${name}`);
  }

  /** What the command printed, from its events. */
  async output(id: string, stream?: string): Promise<string[]> {
    const query = `name=output&order=asc&limit=1000${stream ? `&group=${stream}` : ""}`;
    const { items } = await this.get<Page<EventRow>>(`/api/sessions/${id}/events?${query}`);
    return items.map(({ message }) => message ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(["daemon", "stop"]);
    await this.stopServer();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The daemon's log, for a failed test's message. */
  get daemonLog(): string {
    return readFileSync(join(this.folder, "home", "daemon.log"), "utf8");
  }
}

export async function finished(child: ChildProcess): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Calls `look` until it returns something. */
export async function eventually<Found>(
  look: () => Found | undefined | Promise<Found | undefined>,
  withinMs = 30_000,
): Promise<Found> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`nothing within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Below the range of outgoing connections, one of which could take the port before the server does. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
