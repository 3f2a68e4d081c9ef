/** A server that keeps the contract of `POST /api/ingest` (core's wire), and breaks it on demand. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Line } from "./lanes.ts";

export type Batch = {
  session: string;
  lane: string;
  first: number;
  last: number;
  ops: Line[];
  dropped?: Record<string, number>;
  writer?: Line;
  lease_ms?: number;
};

/** What happens to the next request: without a fault it is applied and answered. */
export type Fault =
  | "no answer"
  | "answer lost"
  | "watched"
  | { status: number; retryAfter?: number }
  | { slowDownMs: number };

export type FarServer = {
  url: string;
  /** Faults to come, one per request. */
  faults: Fault[];
  /** Cuts every connection. */
  isDown: boolean;
  /** Refuses batches that hold such an op. */
  refuses: (op: Line) => boolean;
  /** How much of each lane is applied. */
  applied: Map<string, number>;
  ops: Line[];
  dropped: Record<string, number>;
  requests: { at: number; batches: Batch[]; headers: IncomingMessage["headers"] }[];
} & AsyncDisposable;

export async function farServer(): Promise<FarServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "authorization, content-type",
      };
      if (request.method === "OPTIONS") return response.writeHead(204, headers).end();
      if (far.isDown) return request.socket.destroy();
      const bytes = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
      const { batches } = JSON.parse(body.toString()) as { batches: Batch[] };
      far.requests.push({ at: Date.now(), batches, headers: request.headers });

      const fault = far.faults.shift();
      if (fault === "no answer") return request.socket.destroy();
      if (typeof fault === "object" && "status" in fault) {
        const retryAfter =
          fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
        return response.writeHead(fault.status, { ...headers, ...retryAfter }).end("{}");
      }
      const results = batches.map((batch) => apply(far, batch, fault === "watched"));
      if (fault === "answer lost") return request.socket.destroy();
      const slow = typeof fault === "object" ? { slow_down_ms: fault.slowDownMs } : {};
      response.writeHead(200, { ...headers, "content-type": "application/json" });
      return response.end(JSON.stringify({ results, ...slow }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const far: FarServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on a port
    faults: [],
    isDown: false,
    refuses: () => false,
    applied: new Map(),
    ops: [],
    dropped: {},
    requests: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return far;
}

function apply(far: FarServer, batch: Batch, watched: boolean): Line {
  const { session, lane, first, last } = batch;
  const applied = far.applied.get(lane) ?? 0;
  const answer = (at: number, code?: string) => ({
    session,
    lane,
    applied: at,
    ...(watched ? { watched } : {}),
    ...(code === undefined ? {} : { error: { code, message: code } }),
  });
  if (last <= applied && batch.ops.length > 0) return answer(applied);
  if (first > applied + 1) return answer(applied, "lane_gap");
  if (first <= applied) return answer(applied, "lane_overlap");
  if (batch.ops.some(far.refuses)) return answer(applied, "invalid_body");
  far.ops.push(...batch.ops);
  for (const [cause, count] of Object.entries(batch.dropped ?? {}))
    far.dropped[cause] = (far.dropped[cause] ?? 0) + count;
  far.applied.set(lane, Math.max(last, applied));
  return answer(Math.max(last, applied));
}
