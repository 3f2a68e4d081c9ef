/** A session object of its own for each test, and the calls that everybody makes. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Summary } from "../../src/core/answers/summary.ts";
import type { BatchResult, IngestAnswer, Writer } from "../../src/core/batch.ts";
import type { Op } from "../../src/core/wire.ts";
import { SERVER } from "../../src/core/access/authority.ts";
import { type SessionClient, sessionOf } from "../../src/session/client.ts";

let made = 0;

/** A Monday noon; the tests' programs start then. */
export const NOON = Date.UTC(2026, 0, 5, 12);

export type Sent = {
  lane?: string;
  first?: number;
  last?: number;
  lease_ms?: number;
  writer?: Writer;
  dropped?: { [cause: string]: number };
  aggregated?: number;
};

export class World {
  readonly id: string;
  readonly client: SessionClient;
  readonly #applied = new Map<string, number>();

  constructor(id = `session-${crypto.randomUUID()}-${++made}`) {
    this.id = id;
    this.client = sessionOf(env, SERVER, id);
  }

  get stub() {
    return env.SESSIONS.getByName(this.id);
  }

  /** The next batch of its lane, unless `first` is set. */
  batch(ops: Op[], { lane = "lane-1", ...rest }: Sent = {}) {
    const first = rest.first ?? (this.#applied.get(lane) ?? 0) + 1;
    return { session: this.id, lane, first, last: first + ops.length - 1, ops, ...rest };
  }

  /** Sends one batch; its answer, which may be an error. */
  async send(ops: Op[], sent: Sent = {}): Promise<BatchResult> {
    return (await this.deliver([this.batch(ops, sent)]))[0] ?? never();
  }

  async deliver(batches: unknown[], sent_at?: number): Promise<BatchResult[]> {
    const answer = await this.client.ingest(
      JSON.stringify({ batches, ...(sent_at !== undefined && { sent_at }) }),
    );
    return this.note(answer).results;
  }

  /** Remembers how far the lanes are. */
  note(answer: IngestAnswer): IngestAnswer {
    for (const { lane, applied } of answer.results) this.#applied.set(lane, applied);
    return answer;
  }

  /** Takes the object out of memory; the next call wakes it up. */
  async evict(): Promise<void> {
    try {
      await evictDurableObject(this.stub);
    } catch (error) {
      if (!String(error).includes("not currently running")) throw error;
    }
  }

  /** Runs the alarm now, if one is set. */
  async ring(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  /** All answers of a session, without its rows and bytes: an alarm's row is counted with the next batch. */
  async everything(): Promise<object> {
    const summary: Partial<Summary> = await this.client.ask("summary");
    // Costs, and what counts on while the session goes on.
    for (const key of ["rows_written", "bytes", "last_at", "ran_ms", "status_ms"] as const)
      delete summary[key];
    return {
      summary,
      state: await this.client.ask("state"),
      events: await this.client.ask("events", { limit: 1_000 }),
      changes: await this.client.ask("history", { limit: 1_000 }),
      series: await this.client.ask("series"),
      charts: await this.client.ask("charts"),
    };
  }

  async sql<Row extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: SqlStorageValue[]
  ): Promise<Row[]> {
    return runInDurableObject(this.stub, (_, { storage }) =>
      storage.sql.exec<Row>(query, ...values).toArray(),
    );
  }

  async alarmAt(): Promise<number | null> {
    return runInDurableObject(this.stub, (_, { storage }) => storage.getAlarm());
  }

  async catalogued(): Promise<{ [column: string]: unknown } | null> {
    return env.CATALOG.prepare("SELECT * FROM sessions WHERE id = ?").bind(this.id).first();
  }

  /** How many segments there are, and which are sealed. */
  async segments(): Promise<{ id: number; sealed: number }[]> {
    return this.sql("SELECT id, sealed FROM segments ORDER BY id");
  }
}

function never(): never {
  throw new Error("a batch without an answer");
}

export const start = (at = NOON): Op => ({ op: "start", at, product: "game", version: "1.0" });
export const state = (at: number, patch: { [key: string]: never } | object): Op => ({
  op: "state",
  at,
  patch: patch as never, // any JSON object
});
export const event = (at: number, name: string, more: object = {}): Op => ({
  op: "event",
  at,
  name,
  ...more,
});
export const gauge = (at: number, name: string, value: number): Op => ({
  op: "metric",
  at,
  type: "gauge",
  name,
  value,
});
export const heartbeat = (at: number): Op => ({ op: "heartbeat", at });

/** An op of about so many bytes that do not compress away. */
export function bulky(at: number, bytes: number): Op {
  const random = crypto.getRandomValues(new Uint8Array(Math.ceil(bytes * 0.75)));
  return event(at, "bulk", { message: btoa(String.fromCharCode(...random)) });
}
