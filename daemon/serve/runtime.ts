/** The Worker on Miniflare: one process of workerd, its data in one folder, its sockets on loopback. */
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  Response,
  type V4WorkerOptions,
} from "miniflare";
import { statfsSync } from "node:fs";
import type { Binding } from "./database-file.ts";
import { withEvictor } from "./evictor.ts";
import { guardRuntime } from "./guard.ts";

type RuntimeOptions = {
  data: string;
  /** An admin key of the Worker. */
  token: string;
  onLog: (level: string, message: string) => void;
  inspectorPort?: number | undefined;
};

/** The Worker can ask how much room the disk of its data has: errors of its own storage do not name their cause. */
function withRoom(worker: V4WorkerOptions, folder: string): V4WorkerOptions {
  const answer = () => {
    const { bavail, bsize } = statfsSync(folder);
    return Response.json({ folder, free: bavail * bsize }); // DiskRoom of src/catalog/outage.ts
  };
  return { ...worker, serviceBindings: { ...worker.serviceBindings, DISK: answer } };
}

export type Runtime = Awaited<ReturnType<typeof startRuntime>>;

/** Started and listening. */
export async function startRuntime(
  worker: V4WorkerOptions,
  { data, token, onLog, inspectorPort }: RuntimeOptions,
) {
  let releaseGuard = () => {};
  const guard = () => {
    releaseGuard();
    releaseGuard = guardRuntime();
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0, // of the entry worker, which has no users
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ level, message }: { level: string; message: string }) =>
        onLog(level, message),
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      resourcePersistencePath: data,
      ...(inspectorPort !== undefined && { inspectorPort }),
      unsafeHandleRuntimeRestart: guard,
      workers: withEvictor(withRoom(worker, data)),
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
    /** Runs the Worker's scheduled handler. */
    async fire(): Promise<void> {
      const fetcher = await miniflare.getWorker();
      for (const cron of worker.cronTriggers ?? []) await fetcher.scheduled({ cron });
    },
    /** Rows of one of its databases. */
    async query<Row>(binding: Binding, sql: string): Promise<Row[]> {
      const database = await miniflare.getD1Database(binding);
      return (await database.prepare(sql).all<Row>()).results;
    },
    /** A request to its API. */
    async post(path: string, body: object): Promise<void> {
      const answer = await miniflare.dispatchFetch(`http://localhost${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      await answer.text();
    },
    async stop(): Promise<void> {
      await miniflare.dispose();
      releaseGuard();
    },
  };
}
