/**
 * The whole server on this machine: the Worker on Miniflare, with its data in one folder.
 *
 * For tests and programs:
 *
 *   const server = await serve({ data: mkdtempSync(join(tmpdir(), "datacat-")) });   // any free port
 *   await fetch(`${server.url}/health`);
 *   await server.stop();                                                            // data stays for the next serve()
 *
 * The Worker is the same as in production; only the edge in front of it is missing. Requests reach it on loopback only; cron
 * triggers are fired here (or at once, with `server.fire()`).
 */
import { parseOwnRules } from "../../src/core/secrets/own.ts";
import type { V4WorkerOptions } from "miniflare";
import { SHOWS_PEERS } from "../peer.ts";
import { claim } from "./claim.ts";
import { FIRST_JOBS_MS, PORT_ATTEMPTS, PORT_RETRY_MS } from "./limits.ts";
import { type Front, openFront } from "./front.ts";
import { LocalServer } from "./local-server.ts";
import { findAddresses } from "./port.ts";
import { tokenOf } from "./private-folder.ts";
import { minuteOf, untilMinute } from "./schedule.ts";
import { readWorker } from "./worker.ts";

type ServeOptions = {
  /** The folder that keeps all data; made if it is not there. One server at a time. */
  data: string;
  /** Default: any that is free. */
  port?: number;
  /** Added to the Worker's environment. Without LOCAL programs of this user need no key, and others the token. */
  bindings?: Record<string, string>;
  /** Called with what the Worker logs. Default: warnings and errors go to stderr. */
  onLog?: (level: string, message: string) => void;
  /** Called with a line for the person who started it: that the catalog is being rebuilt. Default: stderr. */
  onNotice?: (line: string) => void;
  /** Called if the running server had to stop, because its registry is lost. Default: the process exits with 1. */
  onFailure?: (error: unknown) => void;
  /** Create an empty registry if there is no intact one. */
  newRegistry?: boolean;
  /** Where a debugger or profiler may attach, on loopback. Default: nowhere. */
  inspectorPort?: number;
};

export type Server = {
  /** "http://localhost:8080", without a slash at the end. */
  url: string;
  port: number;
  /** The data folder's token: an admin key for callers who are not known to be programs of this user. */
  token: string;
  /** Runs the Worker's scheduled handler now. */
  fire(): Promise<void>;
  /** Ends it; everything that was acknowledged is in the data folder. */
  stop(): Promise<void>;
};

/** Another program has the port. */
export class PortTaken extends Error {
  readonly port: number;
  constructor(port: number) {
    super(`Port ${port} is taken by another program.`);
    this.name = "PortTaken";
    this.port = port;
  }
}

export async function serve(options: ServeOptions): Promise<Server> {
  const worker = await readWorker(options.bindings ?? {});
  const setting = worker.bindings?.["DATACAT_REDACT"];
  const { problem } = parseOwnRules(typeof setting === "string" ? setting : undefined);
  if (problem !== undefined)
    options.onNotice?.(`${problem}. Only the built-in rules of redaction are used.`);
  for (let attempt = 1; ; attempt++) {
    try {
      return await serveOnce(worker, options);
    } catch (error) {
      // Another program took the port between the check and the start.
      const isTaken =
        error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE";
      if (!isTaken) throw error;
      if (attempt === 3) throw new PortTaken(options.port ?? 0);
    }
  }
}

async function serveOnce(worker: V4WorkerOptions, options: ServeOptions): Promise<Server> {
  const front = await openPort(options.port ?? 0);
  const url = `http://localhost:${front.port}`;

  let release = () => {};
  try {
    release = claim(options.data, url);
    const token = tokenOf(options.data);
    const { onLog = printTrouble, onNotice = print, onFailure = exit, ...rest } = options;
    const bindings = { LOCAL: "others", ADMIN_SECRET: token, ...worker.bindings };
    const server = new LocalServer(
      { ...worker, bindings, unsafeDirectSockets: front.sockets },
      { ...rest, onLog, onNotice, onFailure, token, onStart: () => front.workerStarted() },
    );
    await server.start();
    const stopSchedule = schedule(worker.cronTriggers ?? [], () => server.fire());
    return {
      url,
      port: front.port,
      token,
      fire: () => server.fire(),
      async stop() {
        stopSchedule();
        await front.close();
        await server.stop();
        release();
      },
    };
  } catch (error) {
    await front.close();
    release();
    throw error;
  }
}

/** A free port of loopback; a port that is taken is tried again. Throws PortTaken. */
async function openPort(port: number): Promise<Front> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const front = SHOWS_PEERS ? await openFront(port) : await openDirectly(port);
    if (front) return front;
    await new Promise((resolve) => setTimeout(resolve, PORT_RETRY_MS));
  }
  throw new PortTaken(port);
}

/** Where no system shows whose a connection is, the Worker listens itself, and asks every caller for a key. */
async function openDirectly(port: number): Promise<Front | undefined> {
  const [first, ...rest] = (await findAddresses(port)) ?? [];
  return (
    first && {
      port: first.port,
      sockets: [first, ...rest],
      workerStarted: () => {},
      close: () => Promise.resolve(),
    }
  );
}

function printTrouble(level: string, message: string): void {
  if (level === "error" || level === "warn") process.stderr.write(`${message}\n`);
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}

function exit(error: unknown): void {
  print(String(error));
  process.exit(1);
}

/** Calls `fire` once FIRST_JOBS_MS after the start, and then at each trigger's minute. */
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

  at(FIRST_JOBS_MS, () => {});
  for (const cron of crons) hourly(minuteOf(cron));
  return () => timers.forEach((timer) => clearTimeout(timer));
}
