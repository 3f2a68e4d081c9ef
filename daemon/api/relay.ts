/**
 * `POST /api/ingest` at the daemon: clients without its disk (in another container) send batches as they would to the server, and it
 * answers once they are in a lane here, under the client's own lane id and sequences. So it is exactly once from end to end, and
 * a client may change over to the server at any time.
 */
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { DEFAULT_LEASE_MS, MAX_INFLATED_BYTES } from "../../src/core/limits.ts";
import { parse, parseJson } from "../../src/core/parse.ts";
import { Refusal, refusalOf } from "../../src/core/refusal.ts";
import {
  Batch,
  type BatchResult,
  Ingest,
  type IngestAnswer,
  type Op,
} from "../../src/core/wire.ts";
import { checked } from "../send/check.ts";
import type { Clock } from "../clock.ts";
import { type Ask, json, type Reply, type Routes } from "./http.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import type { Lanes } from "../lanes/lanes.ts";

export type RelayOptions = {
  folder: string;
  lanes: Lanes;
  clock: Clock;
  server: string;
  wake: () => void;
};

export class Relay {
  readonly #options: RelayOptions;
  readonly #writers = new Map<string, LaneWriter>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  routes(): Routes {
    return { "/api/ingest": { POST: (ask) => this.#ingest(ask) } };
  }

  close(): void {
    for (const writer of this.#writers.values()) writer.close();
    this.#writers.clear();
  }

  #ingest({ body, encoding }: Ask): Reply {
    const text = inflate(body, encoding);
    const { batches } = parse(Ingest, parseJson(text, "The body"), "The body");
    const answer: IngestAnswer = { results: batches.map((batch) => this.#take(batch)) };
    this.#options.wake();
    return json(answer);
  }

  #take(value: unknown): BatchResult {
    const named = v.safeParse(v.object({ session: v.string(), lane: v.string() }), value);
    const result = {
      session: named.success ? named.output.session : "",
      lane: named.success ? named.output.lane : "",
    };
    let applied = 0;
    try {
      const batch = parse(Batch, value, "The batch");
      const writer = this.#writer(batch);
      this.#extendLease(batch);
      applied = writer.lastSeq;
      this.#append(writer, batch);
      return { ...result, applied: writer.lastSeq };
    } catch (error) {
      const refusal = refusalOf(error) ?? new Refusal("unavailable", "The daemon's disk failed.");
      return { ...result, applied, error: { code: refusal.code, message: refusal.message } };
    }
  }

  /** A client that is somewhere else cannot be watched; it is taken at its word. */
  #extendLease({ lane, lease_ms }: Batch): void {
    const known = this.#options.lanes.all.get(lane);
    if (!known) return;
    known.leaseUntil = this.#options.clock.monotonic() + (lease_ms ?? DEFAULT_LEASE_MS);
    known.isSilent = false;
  }

  #append(writer: LaneWriter, batch: Batch): void {
    const { first, last } = batch;
    const applied = writer.lastSeq;
    if (last <= applied) return;
    if (first > applied + 1)
      throw new Refusal("lane_gap", `The batch starts after ${applied + 1}.`);
    if (first <= applied) throw new Refusal("lane_overlap", `The lane is at ${applied} already.`);
    const ops: Op[] = batch.ops.map((op) => {
      const good = checked(op);
      if (!good) throw new Refusal("too_deep", `An op of kind ${op.op} is nested too deep.`);
      return good;
    });
    const at = this.#options.clock.now();
    for (const [cause, count] of Object.entries(batch.dropped ?? {})) {
      ops.push({ op: "dropped", at, cause, count });
    }
    // The last record carries the last number, whatever is missing before it, so that the client's count is ours.
    const room = last - first + 1;
    if (ops.length > room) throw new Refusal("invalid_body", "There are more ops than sequences.");
    if (ops.length === 0) ops.push({ op: "dropped", at, cause: "filtered", count: 0 });
    const records = ops.map((op, index) => ({
      seq: index === ops.length - 1 ? last : first + index,
      op,
    }));
    if (!writer.tryAppendAs(records)) {
      throw new Refusal(
        "unavailable",
        "The daemon's disk is full or failing; send it again later.",
      );
    }
  }

  #writer(batch: Batch): LaneWriter {
    const { folder, lanes, clock, server } = this.#options;
    const known = this.#writers.get(batch.lane);
    if (known && lanes.all.has(batch.lane)) return known;
    known?.close();
    lanes.scan(clock.monotonic());
    const lane = lanes.all.get(batch.lane);
    if (lane && lane.header.role !== "relay") {
      throw new Refusal("forbidden", "That lane is written by a program on this machine.");
    }
    const writer = lane
      ? LaneWriter.resume(folder, batch.lane)
      : LaneWriter.create(
          folder,
          {
            lane: batch.lane,
            session: batch.session,
            server,
            at: clock.now(),
            writer: batch.writer ?? {},
            role: "relay",
          },
          { first: batch.first },
        );
    this.#writers.set(batch.lane, writer);
    lanes.scan(clock.monotonic());
    return writer;
  }
}

export function relayError(error: unknown): Reply {
  const refusal = refusalOf(error) ?? new Refusal("internal", "The daemon failed.");
  return json(refusal, refusal.status);
}

function inflate(bytes: Buffer, encoding: string | undefined): string {
  if (encoding === undefined || encoding === "identity") return bytes.toString("utf8");
  try {
    if (encoding !== "gzip") throw new Error("only gzip is understood");
    return gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString("utf8");
  } catch {
    throw new Refusal("invalid_encoding", "The body is not what its Content-Encoding says.");
  }
}
