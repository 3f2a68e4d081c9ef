/**
 * The Durable Object of one session: its source of truth. It owns the transaction, the alarm and the sockets; the decisions are made by
 * functions of core and publication/schedule.ts. Other folders call it through client.ts.
 *
 * Applying a batch has no `await` between reading and writing, so it is atomic: the platform delivers nothing else meanwhile, and
 * the answer leaves only when the write is durable.
 */
import { DurableObject } from "cloudflare:workers";
import { removeSession } from "../catalog/publication/remove.ts";
import { type Access, checkKind, openerOf } from "../core/access/authority.ts";
import type { Used } from "../core/access/budget.ts";
import type { Change } from "../core/answers/change.ts";
import { parseAttachmentLimits } from "../core/attachments/attachments.ts";
import type { Asked } from "../core/exports/asked.ts";
import { PUBLISH_MS } from "../core/limits.ts";
import { parse, parseJson } from "../core/parse.ts";
import type { Question, Receipt, Source } from "../core/questions/questions.ts";
import { Refusal } from "../core/refusal.ts";
import { parseOwnRules } from "../core/secrets/own.ts";
import { Redactor } from "../core/secrets/redact.ts";
import type { Arrival } from "../core/session/times.ts";
import { noteTransition, verdict } from "../core/status/status.ts";
import { Ingest, type IngestAnswer } from "../core/batch.ts";
import type { Env } from "../env.ts";
import { removeFromRoster } from "../registry/roster.ts";
import { Attachments } from "./attachments/attachments.ts";
import type { Content, Wanted } from "./attachments/content.ts";
import type { Progress, SentChunk } from "./attachments/upload.ts";
import {
  type Imported,
  Imports,
  type Taken,
  type TakenParts,
  type Token,
} from "./imports/imports.ts";
import { type Boot, crashOf } from "./machine.ts";
import { Alarm } from "./publication/alarm.ts";
import type { Write } from "./publication/publication-batch.ts";
import { catalogRows } from "./publication/publication.ts";
import { type Published, Publisher } from "./publication/publisher.ts";
import { NEW_SCHEDULE, type Schedule } from "./publication/schedule.ts";
import { repliesTo } from "./requests/answers.ts";
import { opsIn } from "./requests/batch-result.ts";
import { permitted } from "./requests/permitted.ts";
import { RecordBody, Recorder } from "./requests/recorder.ts";
import { accepted, parsed, type Reply, refusedReply, replyOf } from "./requests/reply.ts";
import { streamFor } from "./requests/stream.ts";
import { accessIn } from "./requests/upgrade.ts";
import { Watchers } from "./requests/watchers.ts";
import { noteFinish, noteImport, noteRequest } from "./residents.ts";
import { SessionMaps } from "./source-maps.ts";
import { damagedStorage } from "./storage/database.ts";
import { type Loaded, Log } from "./storage/log.ts";

/** What a request cost the budgets of its key. */
export type Charged = { cost: Used };

export class Session extends DurableObject<Env> {
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #alarm: Alarm;
  readonly #watchers: Watchers;
  readonly #recorder: Recorder;
  readonly #attachments: Attachments;
  readonly #maps: SessionMaps;
  readonly #imports: Imports;
  /** Damage was found that is not published yet. */
  #hasNewDamage = false;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const { rules } = parseOwnRules(env.DATACAT_REDACT);
    const limits = parseAttachmentLimits(env.DATACAT_ATTACHMENTS);
    const redactor = new Redactor(rules);
    this.#log = new Log(context.storage.sql, this.#id, redactor, limits);
    this.#maps = new SessionMaps(env, () => this.#log.loaded?.projection.index, redactor);
    this.#imports = new Imports(context.storage, this.#log, {
      id: this.#id,
      redactor,
      attachmentLimits: limits,
    });
    this.#log.store.damage.onFound = () => (this.#hasNewDamage = true);
    this.#publisher = new Publisher(env);
    this.#alarm = new Alarm(context.storage, this.#publisher, () =>
      noteFinish(this.env, this.#objectId),
    );
    this.#watchers = new Watchers(context, (kinds) => this.#change(kinds));
    this.#attachments = new Attachments(this.#log, this.#publisher, this.#watchers);
    this.#recorder = new Recorder({
      log: this.#log,
      publisher: this.#publisher,
      watchers: this.#watchers,
      alarm: this.#alarm,
      stored: () => context.storage.sync(),
    });
  }

  get #objectId(): string {
    return this.ctx.id.toString();
  }

  get #id(): string {
    return this.ctx.id.name ?? this.ctx.id.toString();
  }

  // Recording.

  /**
   * Applies a whole `POST /api/ingest` body that names only this session. A bad batch has its error in its result. A publication that is
   * due at once goes to `write` before the answer, if there is one.
   */
  async ingest(
    access: Access,
    body: string,
    write?: Write,
  ): Promise<Reply<IngestAnswer & Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(write, async (): Promise<IngestAnswer> => {
      const { sent_at, batches } = parse(Ingest, parseJson(body, "The body"), "The body");
      await this.#maps.beforeApplied(body, batches.flatMap(opsIn), access.product);
      const arrival: Arrival = { now: Date.now(), sentAt: sent_at ?? null };
      return { results: batches.map((batch) => this.#recorder.ingest(access, batch, arrival)) };
    });
  }

  /** The answer after what was recorded is published, if it is due, with its cost. */
  async #charged<Answer extends object>(
    write: Write | undefined,
    answer: () => Answer | Promise<Answer>,
  ): Promise<Reply<Answer & Charged>> {
    const recorded = await replyOf(answer);
    await this.#settle(write);
    return replyOf(() => ({ ...parsed(accepted(recorded)), cost: this.#publisher.takeCost() }));
  }

  /**
   * Applies ops that came without a lane (1.x's routes), all or nothing: `{ops, writer?, lease_ms?}` as JSON. Opens the session if the
   * first op is `start`, else refuses with not_found. `write`: as of `ingest`.
   */
  async record(access: Access, body: string, write?: Write): Promise<Reply<Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(write, async () => {
      const record = { access, ...parse(RecordBody, parseJson(body, "The body"), "The body") };
      await this.#maps.beforeApplied(body, record.ops, access.product);
      // What is published with the answer does not wait for the end of the turn.
      await this.#recorder.record(record, write !== undefined);
      return {};
    });
  }

  /** After ops were applied: publishes by `write` what is due at once, and sets the alarm for the rest. */
  async #settle(write?: Write): Promise<void> {
    const { loaded } = this.#log;
    if (!loaded) return;
    if (write) await this.#alarm.read();
    const now = Date.now();
    if (write && this.#publisher.isDueTogether(loaded.projection, now)) {
      // In the transaction of the ops, since nothing was awaited that leaves this turn. Without a publication, because that would ring now;
      // if this process ends before it is written, the sender repeats the batch, which publishes it.
      await this.#setAlarm(NEW_SCHEDULE);
      await this.#publishing(loaded, (published) =>
        this.#publisher.publishIfDue(published, now, write),
      );
    }
    await this.#setAlarm();
  }

  // Attachments.

  /** How far the upload of an attachment is, for who may send it. */
  async uploaded(access: Access, id: string): Promise<Reply<Progress>> {
    noteRequest(this.env, this.#objectId);
    return replyOf(() => this.#attachments.progress(access, id));
  }

  /** Stores a chunk of an attachment's content. Repeating it changes nothing. */
  async upload(access: Access, sent: SentChunk): Promise<Reply<Progress & Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(undefined, () => this.#attachments.take(access, sent));
  }

  /** The content of an attachment, or a part of it. */
  async content(access: Access, wanted: Wanted): Promise<Content | Reply<never>> {
    noteRequest(this.env, this.#objectId);
    try {
      return this.#attachments.content(access, wanted);
    } catch (error) {
      return refusedReply(error);
    } finally {
      await this.#publishDamage();
    }
  }

  // Imports.

  /** Takes parts of a file (imports/imports.ts). */
  async takeParts(access: Access, ...taken: TakenParts): Promise<Reply<Taken & Charged>> {
    noteImport(this.env, this.#objectId);
    return this.#charged(undefined, async () => {
      const cost = await this.#imports.take(access, ...taken);
      this.#publisher.noteStored(openerOf(access), cost);
      return cost;
    });
  }

  /** After the last part of a file: the session exists, and is published. */
  async finishImport(access: Access, token: Token): Promise<Reply<Imported & Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(undefined, async () => {
      const { counts, updatedAt } = this.#imports.finish(access, token);
      const loaded = this.#log.need();
      const { index } = loaded.projection;
      const now = Date.now();
      this.#publisher.noteCost(openerOf(access), { isNew: true, listed: catalogRows(index) });
      this.#publisher.expect(now);
      await this.#publishing(loaded, (published) => this.#publisher.publishIfDue(published, now));
      return { counts, updatedAt };
    });
  }

  async cancelImport(access: Access, token: Token): Promise<Reply<null>> {
    return replyOf(() => {
      checkKind(access, "ingest");
      this.#imports.cancel(token);
      return null;
    });
  }

  // Answering.

  /** Several questions in one request, which are all answered as of the same moment. */
  async answer(access: Access, questions: Question[]): Promise<Reply<unknown>[]> {
    noteRequest(this.env, this.#objectId);
    const now = Date.now();
    const replies = await repliesTo(questions, () => this.#source(access, now), {
      store: this.#log.store,
      maps: this.#maps,
    });
    await this.#publishDamage();
    return replies;
  }

  /** Throws `damaged` if nothing can be read. */
  #source(access: Access, now: number): Source {
    const loaded = permitted(this.#log, access, "read");
    if (loaded.isLost) throw damagedStorage();
    return this.#log.source(loaded, now);
  }

  /** A whole session as text or as a file, or a table of it. */
  async stream(access: Access, query: Asked): Promise<ReadableStream<Uint8Array> | Reply<never>> {
    try {
      const source = this.#source(access, Date.now());
      return streamFor(query, source, this.#log.store);
    } catch (error) {
      return refusedReply(error);
    }
  }

  // Publishing.

  /** Publishes the whole session to the catalog, whether it is due or not. */
  async publish(access: Access): Promise<Reply<null>> {
    return replyOf(async () => {
      const loaded = permitted(this.#log, access, "ingest");
      if (loaded.isLost) throw damagedStorage();
      await this.#publishing(loaded, (published) =>
        this.#publisher.publishAll(published, Date.now()),
      );
      await this.#setAlarm();
      this.#log.checkNotErased();
      if (this.#publisher.isFailing)
        throw new Refusal("unavailable", "The catalog does not answer; try again later.");
      return null;
    });
  }

  /** Due when the verdict may have changed, or a publication is due. Running it twice changes nothing. */
  override async alarm(): Promise<void> {
    noteRequest(this.env, this.#objectId);
    // Not `this.#log.loaded`: a question may have loaded the log since the object woke up.
    const wokeUp = !this.#alarm.isKnown;
    this.#alarm.noteNone();
    const loaded = this.#log.load();
    const now = Date.now();
    await this.#imports.dropAbandoned(now);
    if (!loaded || loaded.isLost) return;
    // The schedule was in memory only, so everything counts as due; the publication writes only rows that differ.
    if (wokeUp) this.#publisher.expect(now);

    if (noteTransition(loaded.projection.index.observations, now)) {
      this.#log.commitIndex(loaded);
      this.#publisher.countRow();
      this.#publisher.expect(now);
      this.#watchers.notify(["status"]);
    }
    await this.#publishing(loaded, (published) => this.#publisher.publishIfDue(published, now));
    await this.#setAlarm();
  }

  /** The catalog's row names the damage as well. */
  async #publishDamage(): Promise<void> {
    if (!this.#hasNewDamage) return;
    this.#hasNewDamage = false;
    this.#publisher.expect(Date.now());
    await this.#setAlarm();
  }

  async #publishing(
    { projection }: Loaded,
    publish: (published: Published) => Promise<boolean>,
  ): Promise<void> {
    const { store } = this.#log;
    const [rollups, tests] = [() => this.#log.rollups(), () => this.#log.tests()];
    const damaged = store.damage.list().length;
    if (!(await publish({ projection, rollups, tests, bytes: store.segments.bytes, damaged })))
      return;
    // The session may have been deleted while its rows were written.
    if (store.erasedAt() !== null) await this.#removeRows(projection.index.id);
  }

  /** Removes the session's rows from the databases, and gives how many the catalog had. */
  async #removeRows(id: string): Promise<number> {
    const removed = await removeSession(this.env.CATALOG, id);
    await removeFromRoster(this.env.REGISTRY, id);
    return removed;
  }

  /** Another session reports that this session's machine was restarted. */
  async machineRestarted(boot: Boot): Promise<void> {
    const loaded = this.#log.load();
    if (!loaded) return;
    const now = Date.now();
    const crash = crashOf(loaded.projection.index, boot, now);
    if (!crash) return;
    this.#recorder.commit(loaded, undefined, (projection) => projection.conclude(crash, now));
    await this.#setAlarm();
  }

  async #setAlarm(schedule?: Schedule): Promise<void> {
    const { loaded } = this.#log;
    if (loaded) await this.#alarm.set(loaded.projection.index, schedule);
  }

  // Deleting.

  /** Removes everything and leaves a tombstone. */
  async erase(access: Access): Promise<Reply<Receipt>> {
    return replyOf(async () => {
      const { index } = permitted(this.#log, access, "admin").projection;
      const { id, counts } = index;
      const { segmentCount: segments, bytes } = this.#log.store.segments;
      this.#publisher.stop();

      let catalog_rows: number;
      try {
        catalog_rows = await this.#removeRows(id);
      } catch (error) {
        console.error(`Session ${id} was not deleted:`, error);
        this.#publisher.expect(Date.now() + PUBLISH_MS);
        throw new Refusal(
          "unavailable",
          "The catalog does not answer, so nothing was deleted; try again later.",
        );
      }
      this.#watchers.close("The session was deleted");
      await this.ctx.storage.deleteAll();
      this.#log.erase(Date.now());
      this.#alarm.noteNone();
      const { states, events, points } = counts;
      return { id, segments, catalog_rows, bytes, states, events, points };
    });
  }

  // Watching.

  /** Opens the socket of a page. The page receives a Change now and after each change, at most one per LIVE_MS. */
  override async fetch(request: Request): Promise<Response> {
    try {
      permitted(this.#log, accessIn(request), "read");
      return this.#watchers.accept();
    } catch (error) {
      return new Response(refusedReply(error), { status: 403 }); // the client reads the refusal's own status
    }
  }

  override webSocketMessage(): void {
    // Pages send nothing.
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  #change(kinds: Change["kinds"]): Change {
    const { index } = this.#log.need().projection;
    return { revision: index.seq, status: verdict(index.observations, Date.now()).status, kinds };
  }
}
