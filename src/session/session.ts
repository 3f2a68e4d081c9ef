/**
 * One session's whole truth. A thin shell: it keeps the transaction, the alarm and the sockets, and calls into core for
 * everything that can be decided without them. Answers are JSON text in the shapes of core/answers.ts, a refusal too; others
 * ask through ask.ts.
 *
 * Applying a batch has no `await` between reading and writing, so it is atomic: the platform delivers nothing else meanwhile, and
 * the answer leaves only when the write is durable. Whatever is in memory can be read back from the newest segment's row; when
 * in doubt (a batch refused half-way) it is thrown away.
 */
import { DurableObject } from "cloudflare:workers";
import * as v from "valibot";
import { openBeforeBoot } from "../catalog/known.ts";
import { forget } from "../catalog/publish.ts";
import type { Change, StateAt, Summary } from "../core/answers.ts";
import { PUBLISH_MS } from "../core/limits.ts";
import { parse, parseJson } from "../core/parse.ts";
import { type SessionIndex, summaryOf } from "../core/session-index.ts";
import { type Outcome, Projection } from "../core/projection.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { isEmpty } from "../core/segment.ts";
import { nextChange, noteTransition, verdict } from "../core/status.ts";
import type { Arrival } from "../core/times.ts";
import { setsValue } from "../core/values.ts";
import { removeFromRoster } from "../registry/roster.ts";
import { Batch, type BatchResult, Ingest, type IngestAnswer, Op, Writer } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { eventPage, type EventsQuery } from "./events.ts";
import {
  type HistoryQuery,
  type Moment,
  pathChanges,
  stateAt,
  stateChanges,
  stateDiff,
} from "./history.ts";
import { type ChartQuery, charts, Rollups, timeline } from "./metrics.ts";
import { Publisher } from "./publisher.ts";
import { type Newest, newSegment, Store } from "./store.ts";
import { exported, legacySession, streamOf } from "./stream.ts";
import { Watchers } from "./watchers.ts";

export type { ChartQuery, EventsQuery, HistoryQuery, Moment };

const Record = v.object({
  ops: v.array(Op),
  writer: v.optional(Writer),
  lease_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
});

type Answering =
  | "summary"
  | "state"
  | "history"
  | "diff"
  | "events"
  | "eventCounts"
  | "series"
  | "charts"
  | "timeline"
  | "everHeld";

/** A method that only reads, with its arguments. */
export type Question = {
  [Method in Answering]: [Method, ...Parameters<Session[Method]>];
}[Answering];

/** A projection and where it is stored. */
type Loaded = { projection: Projection; newest: Newest };

export class Session extends DurableObject<Env> {
  readonly #store: Store;
  #loaded: Loaded | undefined;
  #rollups: Rollups | undefined;
  readonly #publisher: Publisher;
  readonly #watchers: Watchers;
  /** When the alarm is set; undefined: not known since waking up. */
  #alarmAt: number | null | undefined;
  #announcedBoot = "";

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#store = new Store(context.storage.sql);
    this.#publisher = new Publisher(env.CATALOG, env.REGISTRY);
    this.#watchers = new Watchers(context, (kinds) => this.#news(kinds));
  }

  // Projection.

  /** Applies a whole `POST /api/ingest` body that names only this session; answers an IngestAnswer. Never throws for a bad batch. */
  async ingest(body: string): Promise<string> {
    const answer = answering<IngestAnswer>(() => {
      const { sent_at, batches } = parse(Ingest, parseJson(body, "The body"), "The body");
      const arrival: Arrival = { now: Date.now(), sentAt: sent_at ?? null };
      return { results: batches.map((batch) => this.#ingestOne(batch, arrival)) };
    });
    await this.#arm();
    return answer;
  }

  /**
   * Applies ops that came without a lane (1.x's routes), all or nothing: `{ops, writer?, lease_ms?}` as JSON. Opens the session if the
   * first op is `start`, else refuses with not_found.
   */
  async record(text: string): Promise<string> {
    const answer = answering(() => {
      const { ops, writer, lease_ms } = parse(Record, parseJson(text, "The body"), "The body");
      const arrival: Arrival = { now: Date.now(), sentAt: null };
      const [first] = ops;
      const loaded =
        first?.op === "start" && this.#store.erasedAt() === null
          ? (this.#load() ?? this.#open(first.at, arrival))
          : this.#need();
      this.#commit(loaded, ({ projection }) => projection.record(ops, arrival, lease_ms, writer));
      return null;
    });
    await this.#arm();
    return answer;
  }

  #ingestOne(value: unknown, arrival: Arrival): BatchResult {
    const session = this.#id();
    const lane = laneOf(value);
    try {
      const erasedAt = this.#store.erasedAt();
      if (erasedAt !== null)
        throw new Refusal(
          "gone",
          `Session ${session} was deleted; nothing is recorded for it any more.`,
        );
      const batch = parse(Batch, value, "The batch");
      if (batch.session !== session)
        throw new Refusal("invalid_body", `The batch is of session ${batch.session}.`);
      const loaded = this.#load() ?? this.#open(batch.ops[0]?.at ?? arrival.now, arrival);
      const applied = loaded.projection.applied(batch.lane);
      // All of it is here already: a reply was lost, or a daemon began again from its checkpoint.
      const isRepeat = batch.last <= applied && batch.first <= applied;
      if (!isRepeat) this.#commit(loaded, ({ projection }) => projection.apply(batch, arrival));
      const watched = this.#watchers.isAnyone;
      return { session, lane, applied: Math.max(applied, batch.last), ...(watched && { watched }) };
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      const applied = this.#load()?.projection.applied(lane) ?? 0;
      return { session, lane, applied, error: { code: refusal.code, message: refusal.message } };
    }
  }

  /** Applies, then stores in one row. A refusal leaves nothing behind, in memory or on disk. */
  #commit(loaded: Loaded, apply: (loaded: Loaded) => Outcome): void {
    const before = this.#nextSegment(loaded);
    let outcome: Outcome;
    try {
      outcome = apply(loaded);
      const { index } = loaded.projection;
      this.#countRow(index);
      if (isEmpty(outcome.contents) && loaded.newest.stored)
        this.#store.rewriteIndex(loaded.newest, index);
      else loaded.newest = this.#store.append(before, outcome.contents, index);
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
    this.#loaded = loaded;

    this.#rollups?.keepUp(outcome.contents, loaded.projection.index.series);
    this.#publisher.note(outcome, Date.now());
    this.#watchers.tell(outcome.kinds);
  }

  /** Where the next batch goes: into the open segment, or a new one that begins with the state as it is now. */
  #nextSegment({ projection, newest }: Loaded): Newest {
    if (!newest.sealed && !newest.closed) return newest;
    const { index, state } = projection;
    return newSegment({
      id: this.#store.nextId(),
      fromAt: index.clockAt,
      firstSeq: index.seq + 1,
      keyframe: JSON.stringify(state),
    });
  }

  #open(at: number, arrival: Arrival): Loaded {
    const id = this.#store.nextId();
    const projection = Projection.open(this.#id(), at, arrival);
    if (id > 1) projection.loseTail(); // all there was is damaged
    return { projection, newest: newSegment({ id, fromAt: 0, firstSeq: 1, keyframe: "{}" }) };
  }

  #load(): Loaded | undefined {
    if (this.#loaded) return this.#loaded;
    const stored = this.#store.load();
    if (!stored) return undefined;
    const { index, newest, state } = stored;
    const projection = new Projection(index, state);
    if (newest.closed) projection.loseTail();
    return (this.#loaded = { projection, newest });
  }

  #need(): Loaded {
    const loaded = this.#load();
    if (loaded) return loaded;
    if (this.#store.erasedAt() !== null)
      throw new Refusal("gone", `Session ${this.#id()} was deleted.`);
    throw new Refusal("not_found", `Session not found: ${this.#id()}`);
  }

  #id(): string {
    return this.ctx.id.name ?? this.ctx.id.toString();
  }

  // Asking.

  /** Several questions in one request; each answer is what the method itself would say. */
  async answer(questions: Question[]): Promise<string[]> {
    return Promise.all(
      questions.map(([method, ...query]) => {
        const ask = this[method] as (...query: unknown[]) => Promise<string>; // Question pairs them
        return ask.apply(this, query);
      }),
    );
  }

  /** Summary */
  async summary(): Promise<string> {
    return answering(() => this.#summary());
  }

  #summary(): Summary {
    const { index } = this.#need().projection;
    return summaryOf(index, Date.now(), {
      segments: this.#store.segmentCount,
      damaged_segments: this.#store.damaged.size,
      bytes: this.#store.bytes,
      rows_written: index.rowsWritten,
    });
  }

  /** StateAt */
  async state(moment: Moment = {}): Promise<string> {
    return answering(() => this.#stateAt(moment));
  }

  #stateAt(moment: Moment): StateAt {
    const { projection } = this.#need();
    if (moment.at !== undefined || moment.seq !== undefined) return stateAt(this.#store, moment);
    const { index, state } = projection;
    return { seq: index.seq, at: index.clockAt || null, state };
  }

  /** Page<StateChange>, or with `path` Page<PathChange> */
  async history(query: HistoryQuery = {}): Promise<string> {
    return answering(() => {
      this.#need();
      return query.path
        ? pathChanges(this.#store, query.path, query)
        : stateChanges(this.#store, query);
    });
  }

  /** StateDiff */
  async diff(from: Moment, to: Moment): Promise<string> {
    return answering(() => stateDiff(this.#stateAt(from), this.#stateAt(to)));
  }

  /** Page<EventRow> */
  async events(query: EventsQuery = {}): Promise<string> {
    return answering(() => {
      this.#need();
      return eventPage(this.#store, query);
    });
  }

  /** EventCount[] */
  async eventCounts(): Promise<string> {
    return answering(() =>
      this.#need().projection.index.names.map(({ name, category, count, first_at, last_at }) => ({
        name,
        category,
        count,
        first_at,
        last_at,
      })),
    );
  }

  /** SeriesSummary[] */
  async series(): Promise<string> {
    return answering(() => {
      const { series } = this.#need().projection.index;
      const rollups = this.#allRollups();
      return series.filter(({ points }) => points > 0).map((one) => rollups.summary(one));
    });
  }

  /** Chart[]: every series that matches, over one range, in one pass */
  async charts(query: ChartQuery = {}): Promise<string> {
    return answering(() =>
      charts(this.#store, this.#allRollups(), this.#need().projection.index.series, query),
    );
  }

  /** Timeline */
  async timeline(query: { from?: number; to?: number; buckets?: number } = {}): Promise<string> {
    return answering(() => {
      const { index } = this.#need().projection;
      const {
        from = index.createdAt,
        to = Math.max(index.updatedAt, index.createdAt + 1),
        buckets = 240,
      } = query;
      return timeline(this.#store, from, to, buckets);
    });
  }

  /** Whether the state ever held a value (as core/values.ts writes it) at a dotted path. */
  async everHeld(path: string, text: string): Promise<string> {
    return answering(() => {
      const entry = this.#need().projection.index.values.find(
        (candidate) => candidate.path === path,
      );
      return entry && !entry.over
        ? entry.values.some((held) => held.text === text)
        : pathHeld(this.#store, path, text);
    });
  }

  /** The session as 1.x's `GET /api/sessions/{id}` gives it (COMPATIBILITY.md §1.5), streamed: state_history is full snapshots. */
  async legacy(): Promise<ReadableStream<Uint8Array> | string> {
    return streaming(() => {
      const { index, state } = this.#need().projection;
      return legacySession(this.#store, index, state, this.#summary());
    });
  }

  /** Everything, as newline-delimited JSON: a Summary line, then every op with its seq, in order. */
  async export(): Promise<ReadableStream<Uint8Array> | string> {
    return streaming(() => exported(this.#store, this.#need().projection.index, this.#summary()));
  }

  #allRollups(): Rollups {
    return (this.#rollups ??= new Rollups(this.#store, this.#need().projection.index.series));
  }

  // Judging and publishing.

  /** Another program of the same product runs on the same machine after a restart: so this one, silent since, is dead. */
  async machineReturned(bootId: string): Promise<void> {
    const loaded = this.#load();
    if (!loaded) return;
    const { index } = loaded.projection;
    const now = Date.now();
    if (
      index.bootId === "" ||
      index.bootId === bootId ||
      verdict(index.observations, now).status !== "suspended"
    )
      return;
    const crash: Op = {
      op: "crash",
      at: Math.max(index.updatedAt, index.observations.lastOpAt), // points may be newer than their op
      reason: "rebooted",
      rebooted: true,
      message: "The machine runs again since, and this session did not go on",
    };
    this.#commit(loaded, ({ projection }) => projection.conclude(crash, now));
    await this.#arm();
  }

  /** Due when the verdict may have changed, or the catalog wants news. Running it twice changes nothing. */
  override async alarm(): Promise<void> {
    // Not the loading tells whether it rested: someone may have asked it something since.
    const rested = this.#alarmAt === undefined;
    this.#alarmAt = null;
    const loaded = this.#load();
    if (!loaded) return;
    const now = Date.now();
    const { index } = loaded.projection;
    // What was to be published is forgotten with the memory; publishing again writes only rows that differ.
    if (rested) this.#publisher.expect(now);

    if (noteTransition(index.observations, now)) {
      this.#countRow(index);
      this.#store.rewriteIndex(loaded.newest, index);
      this.#publisher.expect(now);
      this.#watchers.tell(["status"]);
    }
    if (this.#publisher.due <= now) await this.#publish(loaded, false);
    await this.#arm();
  }

  async #publish({ projection }: Loaded, whole: boolean): Promise<void> {
    const { index } = projection;
    await this.#publisher.publish(
      projection,
      this.#allRollups(),
      this.#store.bytes,
      Date.now(),
      whole,
    );
    // Deleted while the catalog was writing: then what it wrote must go again.
    if (this.#store.erasedAt() !== null) {
      await forget(this.env.CATALOG, index.id);
      await removeFromRoster(this.env.REGISTRY, index.id);
    } else if (!this.#publisher.isFailing) await this.#announceBoot(index);
  }

  async #announceBoot({ id, machineId, bootId, product }: SessionIndex): Promise<void> {
    if (bootId === "" || this.#announcedBoot === bootId) return;
    try {
      const before = await openBeforeBoot(this.env.CATALOG, {
        machine_id: machineId,
        boot_id: bootId,
        product,
      });
      for (const other of before) {
        if (other !== id) await this.env.SESSIONS.getByName(other).machineReturned(bootId);
      }
      this.#announcedBoot = bootId;
    } catch (error) {
      // Of no hurry: those sessions count as suspended until then.
      this.#publisher.expect(Date.now() + PUBLISH_MS);
      console.error(`Session ${id}: the machine's other sessions could not be told:`, error);
    }
  }

  #countRow(index: SessionIndex): void {
    index.rowsWritten++;
    this.#publisher.countRow();
  }

  /** Sets the alarm for the next thing to do. Each setting is a billed row, so an earlier alarm is left to find out. */
  async #arm(): Promise<void> {
    if (!this.#loaded) return;
    const { index } = this.#loaded.projection;
    if (this.#alarmAt === undefined) {
      this.#alarmAt = await this.ctx.storage.getAlarm();
      // An alarm from before this object slept may have been for a publication.
      if (this.#alarmAt !== null) this.#publisher.expect(this.#alarmAt);
    }
    const due = Math.min(
      nextChange(index.observations, Date.now()) ?? Infinity,
      this.#publisher.due,
    );
    if (due === Infinity || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    this.#countRow(index);
    await this.ctx.storage.setAlarm(due);
  }

  /** Publishes the whole session to the catalog again. */
  async reindex(): Promise<string> {
    const loaded = this.#load();
    if (loaded) await this.#publish(loaded, true);
    await this.#arm();
    return answering(() => {
      this.#need();
      if (this.#publisher.isFailing)
        throw new Refusal("unavailable", "The catalog does not answer; try again later.");
      return null;
    });
  }

  /** Removes everything, leaves a tombstone; answers a Receipt (ask.ts). */
  async erase(): Promise<string> {
    const summary = answering(() => this.#summary());
    if (!this.#load()) return summary;
    const { id, counts, segments, bytes } = this.#summary();
    this.#publisher.forget();

    let removed: number;
    try {
      removed = await forget(this.env.CATALOG, id);
      await removeFromRoster(this.env.REGISTRY, id);
    } catch (error) {
      console.error(`Session ${id} was not deleted:`, error);
      this.#publisher.expect(Date.now() + PUBLISH_MS);
      return JSON.stringify(
        new Refusal(
          "unavailable",
          "The catalog does not answer, so nothing was deleted; try again later.",
        ),
      );
    }
    this.#watchers.dismiss("The session was deleted");
    await this.ctx.storage.deleteAll();
    this.#store.markErased(Date.now());
    this.#loaded = undefined;
    this.#rollups = undefined;
    this.#alarmAt = null;
    const { states, events, points } = counts;
    return JSON.stringify({ id, segments, catalog_rows: removed, bytes, states, events, points });
  }

  // Watching.

  /** A page that watches: gets a Change now, and after each change, at most every LIVE_MS. */
  override async fetch(): Promise<Response> {
    if (!this.#load()) return new Response("There is no such session.\n", { status: 404 });
    return this.#watchers.welcome();
  }

  override webSocketMessage(): void {
    // Pages only listen.
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  #news(kinds: Change["kinds"]): Change {
    const { index } = this.#need().projection;
    return { revision: index.seq, status: verdict(index.observations, Date.now()).status, kinds };
  }
}

/** For the answer to a batch that may be too broken to say more. */
function laneOf(batch: unknown): string {
  if (typeof batch !== "object" || batch === null || !("lane" in batch)) return "";
  return typeof batch.lane === "string" ? batch.lane : "";
}

/** An answer as JSON text; a refusal too, as `{"error":…}`. Thrown through RPC it would be logged as uncaught. */
function answering<Answer>(answer: () => Answer): string {
  try {
    return JSON.stringify(answer());
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return JSON.stringify(refusal);
  }
}

function streaming(pieces: () => Iterator<string>): ReadableStream<Uint8Array> | string {
  try {
    return streamOf(pieces());
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return JSON.stringify(refusal);
  }
}

/** Of a path with too many values to list, the log itself is asked. */
function pathHeld(store: Store, path: string, text: string): boolean {
  return store.list().some((info) =>
    store
      .open(info)
      ?.reader.states()
      .some(({ patch }) => setsValue(patch, path, text)),
  );
}
