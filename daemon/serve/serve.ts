/**
 * The whole server on this machine: the Worker on Miniflare, with its data in one folder.
 *
 * For tests and programs:
 *
 *   const server = await serve({ data: mkdtempSync(join(tmpdir(), "datacat-")) });   // any free port
 *   await fetch(`${server.url}/health`);
 *   await server.stop();                                                            // data stays for the next serve()
 *
 * Everything is as in production but for the edge in front of it. Requests go straight to the Worker's own sockets, on
 * loopback only; cron triggers are fired here (or at once, with `server.fire()`).
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4WorkerOptions,
} from "miniflare";
import { claim } from "./claim.ts";
import { guardRuntime } from "./guard.ts";
import { listMigrations, migrate } from "./migrate.ts";
import { type Address, findAddresses } from "./port.ts";
import { minuteOf, untilMinute } from "./schedule.ts";
import { readWorker, root } from "./worker.ts";

export type ServeOptions = {
  /** The folder that keeps everything; made if it is not there. One server at a time. */
  data: string;
  /** Default: any that is free. */
  port?: number;
  /** Added to the Worker's environment; LOCAL=1 (no keys needed) unless said otherwise. */
  bindings?: Record<string, string>;
  /** Called with what the Worker logs. Default: warnings and errors go to stderr. */
  onLog?: (level: string, message: string) => void;
  /** Where a debugger or profiler may attach, on loopback. Default: nowhere. */
  inspectorPort?: number;
};

export type Server = {
  /** "http://localhost:8080", without a slash at the end. */
  url: string;
  port: number;
  /** Runs the Worker's scheduled handler now. */
  fire(): Promise<void>;
  /** Ends it; everything that was acknowledged is in the data folder. */
  stop(): Promise<void>;
};

/** The port is another program's. */
export class PortTaken extends Error {
  readonly port: number;
  constructor(port: number) {
    super(`Port ${port} is taken by another program.`);
    this.name = "PortTaken";
    this.port = port;
  }
}

export async function serve(options: ServeOptions): Promise<Server> {
  const worker = await readWorker({ LOCAL: "1", ...options.bindings });
  for (let attempt = 1; ; attempt++) {
    try {
      return await serveOnce(worker, options);
    } catch (error) {
      // Between finding a port free and taking it, another program was quicker.
      const isTaken =
        error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE";
      if (!isTaken) throw error;
      if (attempt === 3) throw new PortTaken(options.port ?? 0);
    }
  }
}

async function serveOnce(worker: V4WorkerOptions, options: ServeOptions): Promise<Server> {
  const addresses = await waitForAddresses(options.port ?? 0);
  const url = `http://localhost:${addresses[0].port}`;

  const release = claim(options.data, url);
  try {
    await prepareDatabases(worker, options);
    const runtime = await start({ ...worker, unsafeDirectSockets: addresses }, options);
    const crons = worker.cronTriggers ?? [];
    const stopSchedule = schedule(crons, () => runtime.fire(crons));
    return {
      url,
      port: addresses[0].port,
      fire: () => runtime.fire(crons),
      async stop() {
        stopSchedule();
        await runtime.stop();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** A server that was killed a moment ago has the port until its guard has ended workerd, so a taken one gets a second try. */
async function waitForAddresses(port: number): Promise<[Address, ...Address[]]> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const [first, ...rest] = (await findAddresses(port)) ?? [];
    if (first) return [first, ...rest];
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new PortTaken(port);
}

async function start(worker: V4WorkerOptions, options: ServeOptions) {
  let releaseGuard = () => {};
  const guard = () => {
    releaseGuard();
    releaseGuard = guardRuntime();
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...shared(options),
      ...(options.inspectorPort !== undefined && { inspectorPort: options.inspectorPort }),
      unsafeHandleRuntimeRestart: guard,
      workers: [worker],
    }),
  );
  try {
    await miniflare.ready;
  } catch (error) {
    await miniflare.dispose().catch(() => {}); // it may be too broken for that
    throw error;
  }
  guard();
  return {
    async fire(crons: string[]): Promise<void> {
      const fetcher = await miniflare.getWorker();
      for (const cron of crons) await fetcher.scheduled({ cron });
    },
    async stop(): Promise<void> {
      await miniflare.dispose();
      releaseGuard();
    },
  };
}

/** What both of our Miniflares have in common: no account, no telemetry, no log of requests, no look at the network. */
function shared(options: ServeOptions) {
  const onLog = options.onLog ?? printTrouble;
  return {
    host: "127.0.0.1",
    port: 0, // of the entry worker, which nobody uses
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: ({ level, message }: { level: string; message: string }) =>
      onLog(level, message),
    unsafeObservability: false,
    unsafeLocalExplorer: false,
    resourcePersistencePath: options.data,
  };
}

function printTrouble(level: string, message: string): void {
  if (level === "error" || level === "warn") process.stderr.write(`${message}\n`);
}

/**
 * Migrates catalog and registry before any request can come: a first Miniflare without sockets, only when there is something new.
 * What was applied is noted beside the database, so that the note is lost with it.
 */
async function prepareDatabases(worker: V4WorkerOptions, options: ServeOptions): Promise<void> {
  const folders = {
    REGISTRY: join(root, "migrations/registry"),
    CATALOG: join(root, "migrations/catalog"),
  };
  const wanted = Object.values(folders).flatMap(listMigrations).join("\n");
  const note = join(options.data, "d1", "migrated.txt");
  if (readText(note) === wanted) return;

  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...shared(options),
      name: "datacat",
      modules: true,
      script: "export default {}",
      compatibilityDate: worker.compatibilityDate ?? "",
      d1Databases: worker.d1Databases ?? {},
    }),
  );
  try {
    for (const [binding, folder] of Object.entries(folders)) {
      await migrate(await miniflare.getD1Database(binding), folder);
    }
  } finally {
    await miniflare.dispose();
  }
  mkdirSync(join(options.data, "d1"), { recursive: true });
  writeFileSync(note, wanted);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Fires once a minute after the start, for machines that are never on for an hour, and then at each trigger's minute. */
function schedule(crons: string[], fire: () => Promise<void>): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const at = (delay: number, next: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // The Worker logs what went wrong in it; the next hour tries again.
      void fire().catch(() => {});
      next();
    }, delay);
    timer.unref();
    timers.add(timer);
  };
  const hourly = (minute: number) => at(untilMinute(minute, Date.now()), () => hourly(minute));

  at(60_000, () => {});
  for (const cron of crons) hourly(minuteOf(cron));
  return () => timers.forEach((timer) => clearTimeout(timer));
}
