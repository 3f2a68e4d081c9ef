/**
 * One session's whole truth. A thin shell: it keeps the transaction, the alarm and the sockets, and calls into core for
 * everything that can be decided without them. Answers are JSON text in the shapes of core/answers.ts: passed on
 * unchanged by the API, and cheap through RPC.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";

/** A moment: by clock, or by the op after which it was so. Absent: now. */
export type Moment = { at?: number; seq?: number };

export type HistoryQuery = {
  from?: number;
  to?: number;
  path?: string[];
  cursor?: string;
  limit?: number;
  order?: "asc" | "desc";
};
export type EventsQuery = {
  from?: number;
  to?: number;
  name?: string;
  category?: string;
  group?: string;
  label?: string;
  text?: string;
  exceptions?: boolean;
  cursor?: string;
  limit?: number;
  order?: "asc" | "desc";
};
export type ChartQuery = {
  ids?: number[];
  name?: string;
  tags?: string[];
  from?: number;
  to?: number;
  points?: number;
};

export class Session extends DurableObject<Env> {
  /** Applies a whole `POST /api/ingest` body that names only this session; answers an IngestAnswer. Never throws for a bad batch. */
  async ingest(_body: string): Promise<string> {
    throw new Error("being written");
  }
  /** Applies a JSON list of ops that came without a lane (1.x's routes), all or nothing. Opens the session if the first is `start`, else throws not_found. */
  async record(_ops: string): Promise<void> {
    throw new Error("being written");
  }
  /** Summary */
  async summary(): Promise<string> {
    throw new Error("being written");
  }
  /** StateAt */
  async state(_moment: Moment): Promise<string> {
    throw new Error("being written");
  }
  /** Page<StateChange>, or with `path` Page<PathChange> */
  async history(_query: HistoryQuery): Promise<string> {
    throw new Error("being written");
  }
  /** StateDiff */
  async diff(_from: Moment, _to: Moment): Promise<string> {
    throw new Error("being written");
  }
  /** Page<EventRow> */
  async events(_query: EventsQuery): Promise<string> {
    throw new Error("being written");
  }
  /** EventCount[] */
  async eventCounts(): Promise<string> {
    throw new Error("being written");
  }
  /** SeriesSummary[] */
  async series(): Promise<string> {
    throw new Error("being written");
  }
  /** Chart[]: every series that matches, over one range, in one pass */
  async charts(_query: ChartQuery): Promise<string> {
    throw new Error("being written");
  }
  /** Timeline */
  async timeline(_query: { from?: number; to?: number; buckets?: number }): Promise<string> {
    throw new Error("being written");
  }
  /** The session as 1.x's `GET /api/sessions/{id}` gives it (COMPATIBILITY.md §1.5), streamed: state_history is full snapshots. */
  async legacy(): Promise<ReadableStream<Uint8Array>> {
    throw new Error("being written");
  }
  /** Everything, as newline-delimited JSON: a Summary line, then every op with its seq, in order. */
  async export(): Promise<ReadableStream<Uint8Array>> {
    throw new Error("being written");
  }
  /** Removes everything, leaves a tombstone; answers {rows, bytes, events, points, states}. */
  async erase(): Promise<string> {
    throw new Error("being written");
  }
  /** Publishes the whole session to the catalog again. */
  async reindex(): Promise<void> {
    throw new Error("being written");
  }
}
