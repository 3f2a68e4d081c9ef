/** The real parts for programs written in Go: the Worker, a home, and the daemon that the programs start. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { type Server, serve } from "../../../daemon/serve/serve.ts";
import type { EventRow } from "../../../src/core/answers/events.ts";
import type { Page } from "../../../src/core/answers/page.ts";
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import type { StateAt, StateChange } from "../../../src/core/answers/state.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";

const root = new URL("../../..", import.meta.url).pathname;
const module = join(root, "clients/go");

/** Without Go its tests are skipped, except in CI. */
export const isGoMissing = !isThere("go") && process.env["CI"] !== "true";

function isThere(command: string): boolean {
  try {
    execFileSync(command, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

type RunOptions = { args?: string[]; env?: NodeJS.ProcessEnv; input?: string };
export type Ran = { id: string; code: number | null; signal: string | null; output: string };

export class GoWorld {
  readonly folder: string;
  readonly server: Server;

  constructor(folder: string, server: Server) {
    this.folder = folder;
    this.server = server;
  }

  /** @param packages Of the programs that it compiles. The client's own package is its tests, which contain programs, as "client-tests". */
  static async make(...packages: string[]): Promise<GoWorld> {
    const folder = mkdtempSync(join(tmpdir(), "datacat-go-"));
    const world = new GoWorld(folder, await serve({ data: join(folder, "data") }));
    const compile = (...args: string[]) =>
      execFileSync("go", args, { cwd: module, stdio: "inherit" });
    const programs = packages.filter((name) => name !== ".");
    if (programs.length > 0) compile("build", "-o", `${folder}/`, ...programs);
    if (packages.includes(".")) compile("test", "-c", "-o", join(folder, "client-tests"), ".");
    return world;
  }

  get home(): string {
    return join(this.folder, "home");
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DATACAT_HOME: this.home,
      DATACAT_URL: this.server.url,
      DATACAT_DAEMON: join(root, "daemon/launch/datacat-daemon.mjs"),
      DATACAT_DAEMON_PORT: "0",
    };
  }

  /** Runs a compiled program to its end. The session's id is the line of the output that has the format of one. */
  async run(program: string, { args = [], env = {}, input = "" }: RunOptions = {}): Promise<Ran> {
    const child = spawn(join(this.folder, program), args, {
      env: { ...this.env, ...env },
      cwd: this.folder,
    });
    child.stdin.on("error", () => {}); // it ended without reading
    child.stdin.end(input);
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on("close", (...how) => resolve(how)),
    );
    return { id: /^[0-9a-f]{8}-[0-9a-f-]{27}$/m.exec(output)?.[0] ?? "", code, signal, output };
  }

  async get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${this.server.url}/api/sessions/${path}`);
    if (!response.ok) throw new Error(`${response.status} for ${path}: ${await response.text()}`);
    return (await response.json()) as Answer; // the API's own shapes
  }

  /** Runs a program that prints numbers, and kills it at `count`. Returns the last number that it printed. */
  async killAt(program: string, count: number, env: NodeJS.ProcessEnv): Promise<number> {
    const child = spawn(join(this.folder, program), { env: { ...this.env, ...env } });
    let printed = 0;
    for await (const line of createInterface(child.stdout)) {
      printed = Number(line);
      if (printed === count) child.kill("SIGKILL"); // and read what it printed until then
    }
    return printed;
  }

  signalDaemon(signal: NodeJS.Signals): void {
    process.kill(this.#daemon().pid, signal);
  }

  /** The id of a product's only session. */
  async find(product: string): Promise<string> {
    let ids: string[] = [];
    const count = async () => {
      const response = await fetch(`${this.server.url}/api/sessions?product=${product}`);
      const { items } = (await response.json()) as Page<{ id: string }>; // the API's own shape
      ids = items.map(({ id }) => id);
      return ids.length;
    };
    await expect.poll(count, { timeout: 30_000, interval: 100 }).toBe(1);
    return ids[0] ?? "";
  }

  /** What the server has of a session, when its status is `status`. */
  async recorded(id: string, status: Summary["verdict"]["status"]): Promise<Recording> {
    await expect
      .poll(
        async () => (await this.get<Summary>(`${id}/summary`).catch(() => null))?.verdict.status,
        {
          timeout: 30_000,
          interval: 100,
        },
      )
      .toBe(status);
    const [summary, state, history, events, series] = await Promise.all([
      this.get<Summary>(`${id}/summary`),
      this.get<StateAt>(`${id}/state`),
      this.get<Page<StateChange>>(`${id}/state/history?limit=1000`),
      this.get<Page<EventRow>>(`${id}/events?limit=1000`),
      this.get<SeriesSummary[]>(`${id}/metrics`),
    ]);
    return {
      summary,
      state: state.state,
      history: history.items,
      events: events.items,
      series: Object.fromEntries(series.map((each) => [[each.name, ...each.tags].join(" "), each])),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopDaemon();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  get daemonUrl(): string {
    return `http://127.0.0.1:${this.#daemon().port}`;
  }

  #daemon(): { pid: number; port: number } {
    const text = readFileSync(join(this.home, "daemon.json"), "utf8");
    return JSON.parse(text) as { pid: number; port: number }; // written by the daemon
  }

  #stopDaemon(): void {
    if (existsSync(join(this.home, "daemon.json"))) process.kill(this.#daemon().pid, "SIGTERM");
  }
}

export type Recording = {
  summary: Summary;
  state: StateAt["state"];
  history: StateChange[];
  events: EventRow[];
  /** By name and tags. */
  series: { [name: string]: SeriesSummary };
};

/** Nothing was lost, and the counts of accepted and stored ops agree. */
export function expectComplete({ summary }: Recording): void {
  expect(summary.ledger.dropped).toEqual({});
  expect(summary.ledger.stored).toBe(summary.ledger.accepted);
}
