/** The far server, faked: takes batches by the rule of lanes (wire.ts, `Batch`), and fails in whatever way a test wants. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { Batch, type BatchResult, type Op, type Writer } from "../../src/core/wire.ts";

export type FarLane = { applied: number; writer?: Writer; dropped: Record<string, number> };
export type FarSession = {
  ops: Op[];
  lanes: Map<string, FarLane>;
  batches: Batch[];
  /** Which requests, counted from 1, brought something of it. */ requests: number[];
};
/** What to do with a request: nothing special, an answer instead of the work, or the work and then no answer. */
export type Mood =
  | "work"
  | "lose reply"
  | "hang up"
  | { status: number; body?: string; headers?: Record<string, string> };

export class Far {
  readonly sessions = new Map<string, FarSession>();
  readonly requests: { at: number; bytes: number; batches: number }[] = [];
  /** The mood of each request to come; after them, `mood`. */
  moods: Mood[] = [];
  mood: Mood = "work";
  /** Refuses a batch, by what is in it. */
  refuse: (batch: Batch) => string | undefined = () => undefined;
  isWatched = false;
  slowDownMs: number | undefined;
  /** Larger requests are answered 413. */
  maxBytes = Number.POSITIVE_INFINITY;
  authorization: (string | undefined)[] = [];
  /** Other requests: path to answer. */
  pages = new Map<string, { status: number; body: string }>();
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<Far> {
    const far = new Far();
    await far.up();
    return far;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port; // listening on a port, so never a path
  }

  async down(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  session(id: string): FarSession {
    let session = this.sessions.get(id);
    if (!session) {
      session = { ops: [], lanes: new Map(), batches: [], requests: [] };
      this.sessions.set(id, session);
    }
    return session;
  }

  /** Ops of one kind in a session, in the order they were applied. */
  ops<Name extends Op["op"]>(session: string, name: Name): Extract<Op, { op: Name }>[] {
    return this.session(session).ops.filter(
      (op): op is Extract<Op, { op: Name }> => op.op === name,
    );
  }

  dropped(session: string): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const lane of this.session(session).lanes.values()) {
      for (const [cause, count] of Object.entries(lane.dropped))
        sum[cause] = (sum[cause] ?? 0) + count;
    }
    return sum;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding was set
    const bytes = Buffer.concat(chunks);
    this.authorization.push(request.headers.authorization);
    const page = this.pages.get(request.url ?? "");
    if (page) return void response.writeHead(page.status).end(page.body);
    if (request.url !== "/api/ingest") return void response.writeHead(404).end("not found");

    const mood = this.moods.shift() ?? this.mood;
    if (mood === "hang up") return void request.socket.destroy();
    if (typeof mood === "object") {
      return void response.writeHead(mood.status, mood.headers ?? {}).end(mood.body ?? "");
    }
    if (bytes.length > this.maxBytes) return void response.writeHead(413).end();
    const gzip = request.headers["content-encoding"] === "gzip";
    const body = JSON.parse((gzip ? gunzipSync(bytes) : bytes).toString()) as {
      batches: unknown[];
    };
    this.requests.push({ at: Date.now(), bytes: bytes.length, batches: body.batches.length });
    const results = body.batches.map((batch) => this.#apply(v.parse(Batch, batch)));
    if (mood === "lose reply") return void request.socket.destroy();
    const slow = this.slowDownMs === undefined ? {} : { slow_down_ms: this.slowDownMs };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ results, ...slow }));
  }

  #apply(batch: Batch): BatchResult {
    const session = this.session(batch.session);
    const lane: FarLane = session.lanes.get(batch.lane) ?? { applied: 0, dropped: {} };
    session.lanes.set(batch.lane, lane);
    const result = (code?: string): BatchResult => ({
      session: batch.session,
      lane: batch.lane,
      applied: lane.applied,
      ...(this.isWatched && { watched: true }),
      ...(code && { error: { code, message: `${code}, because the test wants it` } }),
    });
    if (batch.last <= lane.applied) return result();
    if (batch.first > lane.applied + 1) return result("lane_gap");
    if (batch.first <= lane.applied) return result("lane_overlap");
    const refused = this.refuse(batch);
    if (refused) return result(refused);
    lane.applied = batch.last;
    if (batch.writer) lane.writer = batch.writer;
    for (const [cause, count] of Object.entries(batch.dropped ?? {})) {
      lane.dropped[cause] = (lane.dropped[cause] ?? 0) + count;
    }
    session.batches.push(batch);
    session.requests.push(this.requests.length);
    session.ops.push(...batch.ops);
    return result();
  }
}
