/** A fake server: it applies batches by the rule of lanes (`Batch` in src/core/batch.ts), and fails in the way that a test chooses. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { ATTACHMENT_CHUNK_BYTES as CHUNK } from "../../src/core/limits.ts";
import { Batch, type BatchResult, type Writer } from "../../src/core/batch.ts";
import type { Op } from "../../src/core/wire.ts";

export type AppliedLane = { applied: number; writer?: Writer; dropped: Record<string, number> };
export type StoredSession = {
  ops: Op[];
  lanes: Map<string, AppliedLane>;
  batches: Batch[];
  /** Which requests, counted from 1, brought something of it. */ requests: number[];
};
/** What a request gets: the normal answer, the work but no answer, no work and no answer, or another answer without the work. */
export type Behaviour =
  | "work"
  | "lose reply"
  | "hang up"
  | { status: number; body?: string; headers?: Record<string, string> };

/** What the server has of an attachment. */
export type StoredAttachment = { chunks: Map<number, Buffer>; refused?: string };

export class FakeServer {
  /** By session and id. */
  readonly attachments = new Map<string, StoredAttachment>();
  /** Requests of attachments: "GET", or "PUT 0". */
  readonly uploads: string[] = [];
  /** The behaviour for each of the next requests of attachments. */
  nextUpload: Behaviour[] = [];
  readonly sessions = new Map<string, StoredSession>();
  readonly requests: { at: number; bytes: number; batches: number }[] = [];
  /** The behaviour for each of the next requests; for those after them, `behaviour`. */
  next: Behaviour[] = [];
  behaviour: Behaviour = "work";
  /** Batches refused by `refuse`. */
  refused = 0;
  /** Refuses a batch, by its content. */
  refuse: (batch: Batch) => string | undefined = () => undefined;
  isWatched = false;
  slowDownMs: number | undefined;
  /** Larger requests are answered 413. */
  maxBytes = Number.POSITIVE_INFINITY;
  authorization: (string | undefined)[] = [];
  /** Answers to other requests, by path. */
  pages = new Map<string, { status: number; body: string }>();
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<FakeServer> {
    const server = new FakeServer();
    await server.up();
    return server;
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

  session(id: string): StoredSession {
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
    const [, session = "", id = "", chunk] =
      /^\/api\/sessions\/([^/]+)\/attachments\/([^/]+)\/chunks(?:\/(\d+))?$/.exec(
        request.url ?? "",
      ) ?? [];
    if (id !== "") return this.#attachment(request, response, { session, id, chunk, bytes });
    if (request.url !== "/api/ingest") return void response.writeHead(404).end("not found");

    const behaviour = this.next.shift() ?? this.behaviour;
    if (behaviour === "hang up") return void request.socket.destroy();
    if (typeof behaviour === "object") {
      return void response
        .writeHead(behaviour.status, behaviour.headers ?? {})
        .end(behaviour.body ?? "");
    }
    if (bytes.length > this.maxBytes) return void response.writeHead(413).end();
    const gzip = request.headers["content-encoding"] === "gzip";
    const body = JSON.parse((gzip ? gunzipSync(bytes) : bytes).toString()) as {
      batches: unknown[];
    };
    this.requests.push({ at: Date.now(), bytes: bytes.length, batches: body.batches.length });
    const results = body.batches.map((batch) => this.#apply(v.parse(Batch, batch)));
    if (behaviour === "lose reply") return void request.socket.destroy();
    const slow = this.slowDownMs === undefined ? {} : { slow_down_ms: this.slowDownMs };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ results, ...slow }));
  }

  /** By the contract of the server's routes: an unknown op, a bad chunk, a wrong checksum, complete. */
  #attachment(
    request: IncomingMessage,
    response: ServerResponse,
    { session, id, chunk, bytes }: { session: string; id: string; chunk?: string; bytes: Buffer },
  ): void {
    this.uploads.push([request.method, chunk].filter(Boolean).join(" "));
    const behaviour = this.nextUpload.shift() ?? "work";
    if (behaviour === "hang up") return void request.socket.destroy();
    const answer = (status: number, body: object) =>
      void response.writeHead(status).end(JSON.stringify(body));
    const refuse = (status: number, code: string) =>
      answer(status, { error: { code, message: `${code} in this test` } });
    if (typeof behaviour === "object")
      return void response
        .writeHead(behaviour.status, behaviour.headers ?? {})
        .end(behaviour.body ?? "");
    const op = this.ops(session, "attachment").find((each) => each.id === id);
    if (!op) return refuse(404, "not_found");
    const stored: StoredAttachment = this.attachments.get(`${session} ${id}`) ?? {
      chunks: new Map(),
    };
    this.attachments.set(`${session} ${id}`, stored);
    const chunks = Math.ceil(op.size / CHUNK);
    if (chunk !== undefined) {
      const number = Number(chunk);
      const expected = Math.min(CHUNK, op.size - number * CHUNK);
      const checksum = createHash("sha256").update(bytes).digest("hex");
      if (bytes.length !== expected || request.headers["x-chunk-sha256"] !== checksum)
        return refuse(400, "bad_chunk");
      stored.chunks.set(number, bytes);
      if (stored.chunks.size === chunks && sha256(this.content(session, id)) !== op.sha256) {
        stored.chunks.clear();
        return refuse(409, "checksum_mismatch");
      }
    }
    if (behaviour === "lose reply") return void request.socket.destroy();
    const received = [...stored.chunks.keys()].toSorted((a, b) => a - b);
    const complete = received.length === chunks;
    answer(200, { id, size: op.size, chunks, received, complete, refused: stored.refused });
  }

  /** What arrived of an attachment. */
  content(session: string, id: string): Buffer {
    const { chunks } = this.attachments.get(`${session} ${id}`) ?? { chunks: new Map() };
    return Buffer.concat([...chunks].toSorted(([a], [b]) => a - b).map(([, bytes]) => bytes));
  }

  #apply(batch: Batch): BatchResult {
    const session = this.session(batch.session);
    const lane: AppliedLane = session.lanes.get(batch.lane) ?? { applied: 0, dropped: {} };
    session.lanes.set(batch.lane, lane);
    const result = (code?: string): BatchResult => ({
      session: batch.session,
      lane: batch.lane,
      applied: lane.applied,
      ...(this.isWatched && { watched: true }),
      ...(code && { error: { code, message: `${code} in this test` } }),
    });
    if (batch.last <= lane.applied) return result();
    if (batch.first > lane.applied + 1) return result("lane_gap");
    if (batch.first <= lane.applied) return result("lane_overlap");
    const refused = this.refuse(batch);
    if (refused) {
      this.refused += 1;
      return result(refused);
    }
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

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
