/** For session.bench.ts: our session object, and beside it the obvious first design: a row per item. */
import { DurableObject } from "cloudflare:workers";
import { SERVER } from "../../src/core/access/authority.ts";
import type { Env } from "../../src/env.ts";
import { sessionOf } from "../../src/session/client.ts";
import { Session } from "../../src/session/session.ts";

type BenchEnv = Env & {
  NAIVE: DurableObjectNamespace<NaiveSession>;
  BARE: DurableObjectNamespace<BareObject>;
};

export class BenchSession extends Session {
  /** Drops everything in memory, as an eviction by the platform does. */
  async sleep(): Promise<void> {
    this.ctx.abort("asleep");
  }
}

/** One row per point and per patch, in WITHOUT ROWID tables and through one JSON parameter: the fastest way to store rows. */
export class NaiveSession extends DurableObject<BenchEnv> {
  constructor(context: DurableObjectState, env: BenchEnv) {
    super(context, env);
    context.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS points (series TEXT, step INTEGER, at REAL, value REAL, PRIMARY KEY (series, step)) WITHOUT ROWID",
    );
    context.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS patches (seq INTEGER PRIMARY KEY, at REAL, patch TEXT)",
    );
  }

  async ingest(body: string): Promise<string> {
    const { sql } = this.ctx.storage;
    const { batches } = JSON.parse(body) as {
      batches: {
        lane: string;
        first: number;
        ops: {
          op: string;
          name: string;
          at: number;
          dt: number[];
          values: number[];
          patch: object;
        }[];
      }[];
    };
    for (const { lane, first, ops } of batches) {
      const start = first + Number(lane.slice(-1)) * 1e9; // several lanes, each with its own steps
      const points: [string, number, number, number][] = [];
      const patches: [number, string][] = [];
      for (const op of ops) {
        let { at } = op;
        if (op.op === "points")
          op.values.forEach((value, i) =>
            points.push([op.name, start + i, (at += op.dt[i] ?? 0), value]),
          );
        if (op.op === "state") patches.push([at, JSON.stringify(op.patch)]);
      }
      if (points.length > 0)
        sql.exec(
          "INSERT INTO points SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?)",
          JSON.stringify(points),
        );
      if (patches.length > 0)
        sql.exec(
          "INSERT INTO patches (at, patch) SELECT value->>0, value->>1 FROM json_each(?)",
          JSON.stringify(patches),
        );
    }
    return "{}";
  }

  async state({ at }: { at: number }): Promise<string> {
    const rows = this.ctx.storage.sql.exec<{ patch: string }>(
      "SELECT patch FROM patches WHERE at <= ? ORDER BY seq",
      at,
    );
    let state = {};
    for (const { patch } of rows) state = { ...state, ...(JSON.parse(patch) as object) };
    return JSON.stringify(state);
  }

  async charts({
    name,
    from,
    to,
    points,
  }: {
    name: string;
    from: number;
    to: number;
    points: number;
  }): Promise<string> {
    const width = (to - from) / points;
    return JSON.stringify(
      this.ctx.storage.sql
        .exec(
          "SELECT cast((at - ?) / ? AS INTEGER) AS bucket, count(*) AS n, min(value) AS low, max(value) AS high, avg(value) AS mean FROM points WHERE series = ? GROUP BY bucket",
          from,
          width,
          name,
        )
        .toArray(),
    );
  }

  async summary(): Promise<string> {
    return JSON.stringify(
      this.ctx.storage.sql
        .exec("SELECT series, count(*) AS n FROM points GROUP BY series")
        .toArray(),
    );
  }

  async bytes(): Promise<number> {
    return this.ctx.storage.sql.databaseSize;
  }

  async sleep(): Promise<void> {
    this.ctx.abort("asleep");
  }
}

/** One packed, unvalidated row per batch: the most that storage and HTTP allow. */
export class BareObject extends DurableObject<BenchEnv> {
  #next = 0;
  constructor(context: DurableObjectState, env: BenchEnv) {
    super(context, env);
    context.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, body TEXT)",
    );
  }
  async ingest(body: string): Promise<string> {
    this.ctx.storage.sql.exec("INSERT INTO batches VALUES (?, ?)", this.#next++, body);
    return "{}";
  }
}

/** What our session object answers, by the client that the API uses. */
async function answerOf(env: BenchEnv, id: string, method: string, body: string): Promise<string> {
  if (method === "sleep") {
    await (env.SESSIONS.getByName(id) as unknown as BenchSession).sleep(); // the class that the benchmark binds
    return "";
  }
  const session = sessionOf(env, SERVER, id);
  if (method === "ingest") return JSON.stringify(await session.ingest(body));
  const [query] = body === "" ? [] : [JSON.parse(body) as object];
  switch (method) {
    case "summary":
      return session.json("summary");
    case "state":
      return session.json("state", query);
    case "charts":
      return session.json("charts", query);
    default:
      throw new Error(`The benchmark has no method ${method}.`);
  }
}

export default {
  async fetch(request: Request, env: BenchEnv): Promise<Response> {
    const [, kind = "", id = "", method = ""] = new URL(request.url).pathname.split("/");
    const body = await request.text();
    if (method === "ping") return new Response("pong");
    if (kind === "session") return new Response(await answerOf(env, id, method, body));
    const object = kind === "naive" ? env.NAIVE.getByName(id) : env.BARE.getByName(id);
    const argument: unknown =
      method === "ingest" ? body : body === "" ? undefined : JSON.parse(body);
    try {
      // The benchmark names the methods: it has the list of each object's methods.
      const answer: unknown = await (
        object as unknown as { [method: string]: (argument: unknown) => Promise<unknown> }
      )[method]?.(argument);
      return new Response(typeof answer === "string" ? answer : JSON.stringify(answer ?? null));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
