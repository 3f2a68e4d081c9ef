/**
 * The least that a session can cost on this runtime: a Worker that only asks an object, which only writes one row. Miniflare as in
 * `npm start`, on a port of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const CODE = `
  import { DurableObject } from "cloudflare:workers";
  export class Least extends DurableObject {
    #waiting = [];
    #isRunning = false;
    constructor(context, env) {
      super(context, env);
      context.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT)");
    }
    write(text) {
      this.ctx.storage.sql.exec("INSERT OR REPLACE INTO rows VALUES (1, ?)", text);
    }
    /** As src/session/requests/turn.ts: those that come during a write share the next one. */
    post(text) {
      return new Promise((resolve) => {
        this.#waiting.push(resolve);
        if (!this.#isRunning) void this.#run(text);
      });
    }
    async #run(text) {
      this.#isRunning = true;
      await new Promise((resolve) => setTimeout(resolve, 0));
      while (this.#waiting.length > 0) {
        const waiting = this.#waiting.splice(0);
        this.write(text);
        for (const resolve of waiting) resolve();
        await this.ctx.storage.sync();
      }
      this.#isRunning = false;
    }
  }
  let opened = 0;
  export default {
    async fetch(request, env) {
      const [what, count] = new URL(request.url).pathname.slice(1).split("/");
      const text = await request.text();
      if (what === "post") await env.LEAST.getByName("one").post(text);
      else await Promise.all(Array.from({ length: count }, () => env.LEAST.getByName(String(opened++)).write(text)));
      return new Response("{}");
    },
  };`;

/** `POST /post` to one object; `POST /open/N` makes N new objects with one row each in every request. */
export type Floor = { port: number; stop(): Promise<void> };

export async function startFloor(): Promise<Floor> {
  const data = mkdtempSync(join(tmpdir(), "datacat-floor-"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.ERROR),
      unsafeObservability: false,
      unsafeLocalExplorer: false,
      resourcePersistencePath: data,
      workers: [
        {
          name: "least",
          modules: true,
          script: CODE,
          compatibilityDate: "2026-04-01",
          durableObjects: { LEAST: { className: "Least", useSQLite: true } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  const url = await miniflare.unsafeGetDirectURL("least");
  return {
    port: Number(url.port),
    async stop() {
      await miniflare.dispose();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
