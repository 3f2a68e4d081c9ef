/** The whole Worker in Miniflare, over a catalog that a benchmark fills. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { prepareDatabases } from "../../daemon/serve/databases.ts";
import { readWorker } from "../../daemon/serve/worker.ts";

/** Start of the newest session. */
export const NEWEST = Date.UTC(2026, 10, 23, 12);

export type Filled = {
  url: string;
  catalog: Awaited<ReturnType<Miniflare["getD1Database"]>>;
  /** Asks the Worker. Throws if it refuses. */
  get(path: string): Promise<string>;
  /** How many rows a statement answers, which a Worker that does nothing else reads from the same database. */
  query(statement: string): Promise<number>;
  stop(): Promise<void>;
};

export async function startFilled(): Promise<Filled> {
  const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
  prepareDatabases(data);
  const worker = await readWorker({ LOCAL: "1" });
  const unsafeDirectSockets = [{ host: "127.0.0.1", port: 0 }];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: () => {},
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      resourcePersistencePath: data,
      workers: [
        { ...worker, unsafeDirectSockets },
        {
          name: "bare",
          modules: true,
          script: BARE,
          compatibilityDate: worker.compatibilityDate,
          d1Databases: worker.d1Databases,
          unsafeDirectSockets,
        },
      ],
    }),
  );
  await miniflare.ready;
  const [url = "", bare = ""] = await Promise.all(
    ["datacat", "bare"].map(async (name) =>
      String(await miniflare.unsafeGetDirectURL(name)).replace(/\/$/, ""),
    ),
  );
  return {
    url,
    catalog: await miniflare.getD1Database("CATALOG", "datacat"),
    get: (path) => textOf(`${url}${path}`),
    query: async (statement) => Number(await textOf(bare, { method: "POST", body: statement })),
    async stop() {
      await miniflare.dispose();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const BARE = `export default {
  async fetch(request, { CATALOG }) {
    const { results } = await CATALOG.prepare(await request.text()).all();
    return new Response(results.length);
  },
};`;

async function textOf(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${text}`);
  return text;
}
