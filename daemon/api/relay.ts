/**
 * `POST /api/ingest` at the daemon, for clients on another disk (in a container). They send batches as they would to the server; the
 * daemon answers once they are in a lane here, with the client's own lane id and sequences. Delivery is therefore exactly once from
 * end to end, and a client may switch to the server at any time. The content of attachments is passed on to the server.
 */
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { DEFAULT_LEASE_MS, MAX_INFLATED_BYTES } from "../../src/core/limits.ts";
import { checkRange, recordsOf } from "../../src/core/session/lanes.ts";
import { parse, parseJson } from "../../src/core/parse.ts";
import { Refusal, refusalOf } from "../../src/core/refusal.ts";
import { Batch, type BatchResult, Ingest, type IngestAnswer } from "../../src/core/batch.ts";
import type { Op } from "../../src/core/wire.ts";
import { checked } from "../send/check.ts";
import type { Clock } from "../clock.ts";
import { REFUSAL } from "./caller.ts";
import { type Ask, json, type Reply, type Routes } from "./http.ts";
import { LaneWriter } from "../lanes/lane-file.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Uploader } from "../send/uploader.ts";
import type { Monitor } from "../watch/monitor.ts";
import { CHUNKS, RelayedAttachments } from "./relayed-attachments.ts";

type RelayOptions = {
  folder: string;
  lanes: Lanes;
  monitor: Monitor;
  clock: Clock;
  server: string;
  uploader: Uploader;
  wake: () => void;
};

export class Relay {
  readonly #options: RelayOptions;
  readonly #writers = new Map<string, LaneWriter>();
  readonly #attachments: RelayedAttachments;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#attachments = new RelayedAttachments(options);
  }

  routes(): Routes {
    const attachments = this.#attachments;
    return {
      "/api/ingest": { POST: (ask) => allowed(ask, () => this.#ingest(ask)) },
      [CHUNKS]: { GET: (ask) => allowed(ask, () => attachments.progress(ask)) },
      [`${CHUNKS}/:chunk`]: { PUT: (ask) => allowed(ask, () => attachments.put(ask)) },
    };
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

  /** A process on another machine or in another container can't be observed; its lease shows that it runs. */
  #extendLease({ lane, lease_ms = DEFAULT_LEASE_MS }: Batch): void {
    const known = this.#options.lanes.all.get(lane);
    if (known) this.#options.monitor.extendLease(known, lease_ms);
  }

  #append(writer: LaneWriter, batch: Batch): void {
    const { first, last } = batch;
    const applied = writer.lastSeq;
    if (last <= applied) return;
    checkRange(batch);
    // A lane has a record for each op, so what another sender has aggregated cannot be passed on.
    if (batch.aggregated) throw new Refusal("invalid_body", "The batch has aggregated records.");
    if (first > applied + 1)
      throw new Refusal("lane_gap", `The batch starts after ${applied + 1}.`);
    if (first <= applied) throw new Refusal("lane_overlap", `The lane is at ${applied} already.`);
    const ops: Op[] = batch.ops.map((op) => {
      const good = checked(op);
      if (!good) throw new Refusal("too_deep", `The ${op.op} op is nested too deep, or invalid.`);
      return good;
    });
    const at = this.#options.clock.now();
    for (const [cause, count] of Object.entries(batch.dropped ?? {})) {
      // The client counts sequences that the batch leaves out, and this record takes one of them.
      if (count > 0) ops.push({ op: "dropped", at, cause, count, sequences: count - 1 });
    }
    if (ops.length > last - first + 1)
      throw new Refusal("invalid_body", "There are more ops than sequences.");
    const records = numbered(ops, first, last);
    if (!writer.tryAppendAs(records)) {
      throw new Refusal(
        "unavailable",
        "The daemon's disk is full or failing; send the batch again later.",
      );
    }
    this.#attachments.note(batch.session, batch.lane, records);
  }

  #writer(batch: Batch): LaneWriter {
    const { folder, lanes, clock, server } = this.#options;
    const known = this.#writers.get(batch.lane);
    if (known && lanes.all.has(batch.lane)) return known;
    known?.close();
    lanes.scan(clock.monotonic());
    const lane = lanes.all.get(batch.lane);
    if (lane && lane.header.role !== "relay") {
      throw new Refusal("forbidden", "A program on this machine writes that lane.");
    }
    const writer = lane
      ? LaneWriter.resume(lane.folder, batch.lane)
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

/**
 * Each op with a sequence. Before an op there is a gap as long as the further sequences that it accounts for, so that wherever the
 * daemon's batches end, each accounts for its range. The last op gets the last sequence: the lane's count equals the client's.
 */
function numbered(ops: Op[], first: number, last: number): { seq: number; op: Op }[] {
  let seq = first - 1;
  return ops.map((op, index) => {
    const left = ops.length - 1 - index;
    seq = left === 0 ? last : Math.min(seq + recordsOf(op), last - left);
    return { seq, op };
  });
}

/** A batch may name any session, so it is the owner's to send, or that of a client for which the owner opened an address. */
async function allowed({ caller }: Ask, handle: () => Reply | Promise<Reply>): Promise<Reply> {
  if ((await caller.isOwner()) || (await caller.isElsewhere())) return handle();
  throw new Refusal("unauthorized", REFUSAL);
}

export function relayError(error: unknown): Reply {
  const refusal = refusalOf(error) ?? new Refusal("internal", "The daemon failed.");
  return json(refusal, refusal.status);
}

function inflate(bytes: Buffer, encoding: string | undefined): string {
  if (encoding === undefined || encoding === "identity") return bytes.toString("utf8");
  try {
    if (encoding !== "gzip") throw new Error("only gzip is supported");
    return gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString("utf8");
  } catch {
    throw new Refusal("invalid_encoding", "The body does not match its Content-Encoding.");
  }
}
