/**
 * The Worker with its two databases. A catalog that was lost, before the start or while the server runs, is created again and rebuilt
 * from the sessions. If the registry is lost, the server stops.
 */
import type { V4WorkerOptions } from "miniflare";
import { formatCount } from "../../src/core/text/format.ts";
import { DATACAT } from "../cli/invocation.ts";
import { databasesIn, objectsIn, prepareDatabases, type Rebuild } from "./databases.ts";
import { watchFile } from "./file-watch.ts";
import { OBJECTS_AT_ONCE, REBUILD_RETRY_MS, REPAIR_PAUSE_MS } from "./limits.ts";
import { type Runtime, startRuntime } from "./runtime.ts";

type LocalServerOptions = {
  data: string;
  /** An admin key of the Worker. */
  token: string;
  /** Called each time that the Worker has begun to listen. */
  onStart: () => void;
  onLog: (level: string, message: string) => void;
  /** Called with a line for the person who started the server. */
  onNotice: (line: string) => void;
  /** Called if the running server had to stop, because the registry is lost. */
  onFailure: (error: unknown) => void;
  newRegistry?: boolean | undefined;
  inspectorPort?: number | undefined;
};

/** What D1 answers when its file is damaged. Errors of a session's own database do not begin like this. */
const D1_DAMAGE = /D1_ERROR.*(no such table|malformed|SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN))/s;

const REGISTRY_TABLES = [
  "keys",
  "signing",
  "sign_ins",
  "audit",
  "views",
  "decisions",
  "merges",
  "usage",
  "roster",
];

/** What workerd logs of any damaged file, which may be that of a session. */
const FILE_DAMAGE = /SQLITE_(CORRUPT|NOTADB)/;

export class LocalServer {
  readonly #worker: V4WorkerOptions;
  readonly #options: LocalServerOptions;
  #runtime: Runtime | undefined;
  #stopWatching = () => {};
  #isStopped = false;
  #repair: Promise<void> | undefined;
  #repairedAt = -Infinity;
  #checkedAt = -Infinity;

  constructor(worker: V4WorkerOptions, options: LocalServerOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { newRegistry } = this.#options;
    const rebuild = prepareDatabases(this.#options.data, { newRegistry });
    const runtime = await this.#startRuntime();
    if (newRegistry) void this.#fillRoster(runtime);
    if (rebuild) void this.#rebuild(runtime, rebuild);
  }

  async fire(): Promise<void> {
    await this.#runtime?.fire();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#repair;
    await this.#stopRuntime();
  }

  async #startRuntime(): Promise<Runtime> {
    const { data, onLog } = this.#options;
    const runtime = await startRuntime(this.#worker, {
      ...this.#options,
      onLog: (level, message) => {
        onLog(level, message);
        if (level !== "error" || Date.now() - this.#repairedAt <= REPAIR_PAUSE_MS) return;
        if (D1_DAMAGE.test(message)) this.#startRepair();
        else if (FILE_DAMAGE.test(message)) this.#checkFiles();
      },
    });
    this.#options.onStart();
    const { catalog, registry } = databasesIn(data);
    const watches = [catalog, registry].map(({ path }) =>
      watchFile(path, () => this.#startRepair()),
    );
    this.#stopWatching = () => watches.forEach((stop) => stop());
    this.#runtime = runtime;
    return runtime;
  }

  async #stopRuntime(): Promise<void> {
    this.#stopWatching();
    const runtime = this.#runtime;
    this.#runtime = undefined;
    await runtime?.stop();
  }

  /** Repairs if one of the databases is damaged. Its file is read beside the Worker, at most once in REPAIR_PAUSE_MS. */
  #checkFiles(): void {
    if (Date.now() - this.#checkedAt < REPAIR_PAUSE_MS) return;
    this.#checkedAt = Date.now();
    const { catalog, registry } = databasesIn(this.#options.data);
    if ([catalog, registry].some((file) => file.isDamaged())) this.#startRepair();
  }

  /** Repairs, unless that is under way. */
  #startRepair(): void {
    if (this.#isStopped) return;
    this.#repair ??= this.#restart()
      .catch((error: unknown) => this.#options.onFailure(error))
      .finally(() => {
        this.#repair = undefined;
        this.#repairedAt = Date.now();
      });
  }

  /** Stops the Worker, which may have deleted or damaged files open, before the files are checked; then starts it again. */
  async #restart(): Promise<void> {
    const { registry } = databasesIn(this.#options.data);
    const recovered = registry.exists ? undefined : await this.#readRegistry();
    await this.#stopRuntime();
    if (recovered) {
      registry.create();
      for (const [table, rows] of recovered) registry.fill(table, rows);
      this.#options.onNotice(
        "The registry's file was deleted. It is written again, from the open one.",
      );
    }
    const rebuild = prepareDatabases(this.#options.data);
    const runtime = await this.#startRuntime();
    if (rebuild) void this.#rebuild(runtime, rebuild);
  }

  /** All rows of the registry, if the Worker still has its deleted file open; else undefined. */
  async #readRegistry(): Promise<Map<string, Record<string, unknown>[]> | undefined> {
    const tables = new Map<string, Record<string, unknown>[]>();
    try {
      for (const table of REGISTRY_TABLES) {
        tables.set(table, (await this.#runtime?.query("REGISTRY", `SELECT * FROM ${table}`)) ?? []);
      }
      return tables;
    } catch {
      return undefined; // then the registry is lost, and the start is refused
    }
  }

  /** Runs all steps of the rebuild. Never throws: a step that fails is logged by the Worker and repeated. */
  async #rebuild(runtime: Runtime, { damage, sessions }: Rebuild): Promise<void> {
    const { onNotice } = this.#options;
    const all = formatCount(sessions, "session");
    onNotice(`The catalog is ${damage}: rebuilding it from ${all}.`);
    let last: Progress | undefined;
    while (this.#runtime === runtime) {
      try {
        const [progress] = await runtime.query<Progress>("CATALOG", "SELECT * FROM rebuild");
        if (!progress) {
          const failed = last?.failed ?? 0;
          onNotice(
            failed === 0
              ? "The catalog is complete again."
              : `The catalog is rebuilt, but ${formatCount(failed, "session")} did not answer. Try these again: ${DATACAT} reindex`,
          );
          return;
        }
        if (progress.cursor === last?.cursor) await wait(REBUILD_RETRY_MS);
        last = progress;
        await runtime.fire();
      } catch {
        await wait(REBUILD_RETRY_MS);
      }
    }
  }

  /** Adds all sessions to the roster of a new registry, from the files of their objects. */
  async #fillRoster(runtime: Runtime): Promise<void> {
    const { data, onNotice } = this.#options;
    const objects = objectsIn(data);
    try {
      for (let from = 0; from < objects.length; from += OBJECTS_AT_ONCE) {
        await runtime.post("/api/reindex", {
          objects: objects.slice(from, from + OBJECTS_AT_ONCE),
        });
      }
      onNotice(`The new registry lists the sessions of ${objects.length} files.`);
    } catch (error) {
      onNotice(`The new registry does not list all sessions yet: ${String(error)}`);
    }
  }
}

type Progress = { cursor: string; failed: number };

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
