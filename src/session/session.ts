/**
 * The Durable Object of one session: its source of truth. It owns the transaction, the alarm and the sockets; the decisions are made by
 * functions of core and session/publication/schedule.ts. Other folders call it through client.ts.
 *
 * Applying a batch has no `await` between reading and writing, so it is atomic: the platform delivers nothing else meanwhile, and
 * the answer leaves only when the write is durable.
 */
import type { Asked } from "../core/exports/asked.ts";
import { DurableObject } from "cloudflare:workers";
import * as v from "valibot";
import { removeSession } from "../catalog/publication/remove.ts";
import type { Change } from "../core/answers/change.ts";
import { parseAttachmentLimits } from "../core/attachments/attachments.ts";
import {
  type Access,
  checkKind,
  checkMayOpen,
  checkOpener,
  checkOwner,
  isOpenTo,
  openerOf,
} from "../core/access/authority.ts";
import type { Used } from "../core/access/budget.ts";
import { PUBLISH_MS } from "../core/limits.ts";
import { parse, parseJson } from "../core/parse.ts";
import { Redactor } from "../core/secrets/redact.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { noteTransition, verdict } from "../core/status/status.ts";
import type { Arrival } from "../core/session/times.ts";
import type { KeyKind } from "../core/vocabulary.ts";
import { Batch, type BatchResult, Ingest, type IngestAnswer, Op, Writer } from "../core/wire.ts";
import { parseOwnRules } from "../core/secrets/own.ts";
import type { Env } from "../env.ts";
import { removeFromRoster } from "../registry/roster.ts";
import { answer, type Question, type Receipt, type Source } from "../core/questions/questions.ts";
import { failedResult, laneOf, opsIn } from "./requests/batch-result.ts";
import { damagedStorage } from "./storage/database.ts";
import { type Loaded, Log } from "./storage/log.ts";
import { type Boot, crashOf } from "./machine.ts";
import { catalogRows } from "./publication/publication.ts";
import type { Write } from "./publication/publication-batch.ts";
import {
  type Imported,
  Imports,
  type Taken,
  type TakenParts,
  type Token,
} from "./imports/imports.ts";
import { type Published, Publisher } from "./publication/publisher.ts";
import {
  attachmentOf,
  type Progress,
  progressOf,
  type SentChunk,
  takeChunk,
} from "./attachments/upload.ts";
import { type Content, contentOf, type Wanted } from "./attachments/content.ts";
import { accepted, parsed, type Reply, refusedReply, replyOf } from "./requests/reply.ts";
import { noteFinish, noteRequest } from "./residents.ts";
import { SessionMaps, tried } from "./source-maps.ts";
import { isOver, NEW_SCHEDULE, nextAlarm, type Schedule } from "./publication/schedule.ts";
import { streamFor } from "./requests/stream.ts";
import { Turn } from "./requests/turn.ts";
import { accessIn } from "./requests/upgrade.ts";
import { Watchers } from "./requests/watchers.ts";

/** Ops that came without a lane. */
const Record = v.object({
  ops: v.array(Op),
  writer: v.optional(Writer),
  lease_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
});

type Recorded = { access: Access } & v.InferOutput<typeof Record>;

/** What a request cost the budgets of its key. */
export type Charged = { cost: Used };

export class Session extends DurableObject<Env> {
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #watchers: Watchers;
  readonly #turn = new Turn<Recorded>(
    (records) => this.#record(records),
    () => this.ctx.storage.sync(),
  );
  readonly #maps: SessionMaps;
  readonly #imports: Imports;
  /** When the alarm is set; undefined: not known since the object woke up. */
  #alarmAt: number | null | undefined;
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
    this.#watchers = new Watchers(context, (kinds) => this.#change(kinds));
  }

  get #objectId(): string {
    return this.ctx.id.toString();
  }

  get #id(): string {
    return this.ctx.id.name ?? this.ctx.id.toString();
  }

  /** The session that exists. Throws a Refusal if there is none, or if the caller may not do this with it. */
  #allowed(access: Access, action: KeyKind): Loaded {
    checkKind(access, action);
    const loaded = this.#log.need();
    checkOwner(access, loaded.projection.index.product);
    return loaded;
  }

  /** The session for a caller who records in it, with the key that opened it unless the key may continue others' sessions. A new one belongs to the product of the caller's key, if that is bound to one. */
  #recorded(access: Access, ops: Op[], arrival: Arrival): Loaded {
    checkKind(access, "ingest");
    this.#log.checkNotErased();
    for (const op of ops) if (op.op === "start" && op.product) checkOwner(access, op.product);
    // Writing into a file that SQLite cannot read could spread the damage. Any other damage is left as it is, and the session goes on
    // in a segment after it. The owner may be among what is damaged; then only keys for all products may go on.
    if (this.#log.store.isUnwritable) throw damagedStorage();
    if (this.#log.load()) return this.#continued(access);
    checkMayOpen(access);
    this.#alarmAt ??= null; // none yet, so it need not be read
    return this.#log.open(ops[0]?.at ?? arrival.now, arrival, access);
  }

  /** The session for a caller who adds to it, as `#recorded`. */
  #continued(access: Access): Loaded {
    const loaded = this.#allowed(access, "ingest");
    checkOpener(access, loaded.projection.index.opener, `Session ${this.#id}`);
    return loaded;
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
      return { results: batches.map((batch) => this.#ingestOne(access, batch, arrival)) };
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

  #ingestOne(access: Access, value: unknown, arrival: Arrival): BatchResult {
    const session = this.#id;
    try {
      this.#log.checkNotErased();
      const batch = parse(Batch, value, "The batch");
      if (batch.session !== session)
        throw new Refusal("invalid_body", `The batch is of session ${batch.session}.`);
      const { lane, first, last, ops } = batch;
      const loaded = this.#recorded(access, ops, arrival);
      const known = loaded.projection.index.lanes.find((each) => each.lane === lane);
      checkOpener(access, known?.opener, `Lane ${lane}`);
      const applied = known?.applied ?? 0;
      // The whole batch is stored already: the reply was lost, or the daemon was restarted with an older checkpoint.
      const isRepeat = last <= applied && first <= applied;
      if (!isRepeat)
        this.#commit(loaded, access, (projection) =>
          projection.apply(batch, arrival, openerOf(access)),
        );
      const watched = this.#watchers.arePresent || undefined;
      return { session, lane, applied: Math.max(applied, last), watched };
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      const failed = failedResult(session, value, refusal);
      if (refusal.code === "forbidden") return failed;
      const stored = this.#log.load()?.projection;
      if (stored && !isOpenTo(access, stored.index.product)) return failed;
      return { ...failed, applied: stored?.applied(laneOf(value)) ?? 0 };
    }
  }

  /**
   * Applies ops that came without a lane (1.x's routes), all or nothing: `{ops, writer?, lease_ms?}` as JSON. Opens the session if the
   * first op is `start`, else refuses with not_found. `write`: as of `ingest`.
   */
  async record(access: Access, body: string, write?: Write): Promise<Reply<Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(write, async () => {
      const record = { access, ...parse(Record, parseJson(body, "The body"), "The body") };
      const { ops, writer, lease_ms } = record;
      await this.#maps.beforeApplied(body, ops, access.product);
      // A start, and what is published with the answer, does not wait for the end of the turn.
      if (write || ops[0]?.op === "start") this.#record([record]);
      else await this.#turn.add(JSON.stringify([access, writer, lease_ms]), record);
      return {};
    });
  }

  /** Applies the ops of requests that have the same caller, writer and lease. */
  #record(records: Recorded[]): void {
    const arrival: Arrival = { now: Date.now(), sentAt: null };
    const [first] = records;
    if (!first) return;
    const ops = records.flatMap((record) => record.ops);
    if (ops[0]?.op !== "start") this.#log.need();
    const loaded = this.#recorded(first.access, ops, arrival);
    this.#commit(loaded, first.access, (projection) =>
      projection.record(ops, arrival, first.lease_ms, first.writer),
    );
  }

  // Attachments.

  /** How far the upload of an attachment is, for who may send it. */
  async uploaded(access: Access, id: string): Promise<Reply<Progress>> {
    noteRequest(this.env, this.#objectId);
    return replyOf(() => {
      const { index } = this.#continued(access).projection;
      const attachment = attachmentOf(index.attachments, this.#log.attachmentLimits, id);
      return progressOf(this.#log.store.chunks, attachment);
    });
  }

  /** Stores a chunk of an attachment's content. Repeating it changes nothing. */
  async upload(access: Access, sent: SentChunk): Promise<Reply<Progress & Charged>> {
    noteRequest(this.env, this.#objectId);
    return this.#charged(undefined, () => {
      const loaded = this.#continued(access);
      const { index } = loaded.projection;
      const { chunks } = this.#log.store;
      const attachment = attachmentOf(index.attachments, this.#log.attachmentLimits, sent.id);
      const { stored, isDecided, refusal } = takeChunk(chunks, attachment, sent);
      if (stored > 0) {
        index.rowsWritten++;
        this.#publisher.noteStored(openerOf(access), { rows: 1, bytes: stored });
      }
      if (isDecided) {
        this.#log.commitIndex(loaded);
        this.#publisher.countRow();
        this.#publisher.expect(Date.now() + PUBLISH_MS);
      }
      this.#watchers.notify(stored > 0 || isDecided ? ["attachment"] : []);
      if (refusal) throw refusal;
      return progressOf(chunks, attachment);
    });
  }

  // Imports.

  /** Takes parts of a file (imports/imports.ts). */
  async takeParts(access: Access, ...taken: TakenParts): Promise<Reply<Taken & Charged>> {
    noteRequest(this.env, this.#objectId);
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
      const { id, counts } = this.#imports.finish(access, token);
      const loaded = this.#log.need();
      const { index } = loaded.projection;
      const now = Date.now();
      this.#publisher.noteCost(openerOf(access), { isNew: true, listed: catalogRows(index) });
      this.#publisher.expect(now);
      await this.#publishing(loaded, (published) => this.#publisher.publishIfDue(published, now));
      return { id, counts };
    });
  }

  async cancelImport(access: Access, token: Token): Promise<Reply<null>> {
    return replyOf(() => {
      checkKind(access, "ingest");
      this.#imports.cancel(token);
      return null;
    });
  }

  /** The content of an attachment, or a part of it. */
  async content(access: Access, wanted: Wanted): Promise<Content | Reply<never>> {
    noteRequest(this.env, this.#objectId);
    try {
      const { index } = this.#allowed(access, "read").projection;
      const attachment = attachmentOf(index.attachments, this.#log.attachmentLimits, wanted.id);
      return contentOf(this.#log.store.chunks, attachment, wanted);
    } catch (error) {
      return refusedReply(error);
    } finally {
      await this.#publishDamage();
    }
  }

  /** After ops were applied: publishes by `write` what is due at once, and sets the alarm for the rest. */
  async #settle(write?: Write): Promise<void> {
    const { loaded } = this.#log;
    if (!loaded) return;
    if (write) await this.#readAlarm();
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

  /** `access`: who records; undefined: the server itself. */
  #commit(loaded: Loaded, access: Access | undefined, apply: Parameters<Log["commit"]>[1]): void {
    const isNew = this.#log.loaded === undefined;
    const before = isNew ? 0 : catalogRows(loaded.projection.index);
    const outcome = this.#log.commit(loaded, apply);
    this.#publisher.countRow();
    const listed = catalogRows(loaded.projection.index) - before;
    if (access) this.#publisher.noteCost(openerOf(access), { isNew, listed });
    this.#publisher.noteOutcome(outcome, Date.now());
    this.#watchers.notify(outcome.kinds);
  }

  // Answering.

  /** Several questions in one request, which are all answered as of the same moment. */
  async answer(access: Access, questions: Question[]): Promise<Reply<unknown>[]> {
    noteRequest(this.env, this.#objectId);
    const now = Date.now();
    const replies: Reply<unknown>[] = [];
    // These last: they name the damage that the other answers met.
    const isLast = ([name]: Question) => name === "summary" || name === "damage";
    const inOrder = [...questions.entries()].sort(
      ([, one], [, other]) => Number(isLast(one)) - Number(isLast(other)),
    );
    this.#log.store.keep();
    const answers: (() => unknown)[] = [];
    for (const [index, question] of inOrder)
      answers[index] = tried(() => answer(this.#source(access, now), question));
    this.#log.store.release();
    // The answers are of one moment: this waits for other objects.
    for (const [index, [name]] of questions.entries())
      replies[index] = await replyOf(() => this.#maps.answer(name, answers[index]?.()));
    await this.#publishDamage();
    return replies;
  }

  /** Throws `damaged` if nothing can be read. */
  #source(access: Access, now: number): Source {
    const loaded = this.#allowed(access, "read");
    if (loaded.isLost) throw damagedStorage();
    return this.#log.source(loaded, now);
  }

  /** The catalog's row names the damage as well. */
  async #publishDamage(): Promise<void> {
    if (!this.#hasNewDamage) return;
    this.#hasNewDamage = false;
    this.#publisher.expect(Date.now());
    await this.#setAlarm();
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
      const loaded = this.#allowed(access, "ingest");
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
    const wokeUp = this.#alarmAt === undefined;
    this.#alarmAt = null;
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

  async #publishing(
    { projection }: Loaded,
    publish: (published: Published) => Promise<boolean>,
  ): Promise<void> {
    const { store } = this.#log;
    const [rollups, tests] = [() => this.#log.rollups(), () => this.#log.tests()];
    const damaged = store.damage.list().length;
    if (!(await publish({ projection, rollups, tests, bytes: store.bytes, damaged }))) return;
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
    this.#commit(loaded, undefined, (projection) => projection.conclude(crash, now));
    await this.#setAlarm();
  }

  async #readAlarm(): Promise<void> {
    if (this.#alarmAt !== undefined) return;
    this.#alarmAt = await this.ctx.storage.getAlarm();
    // An alarm that was set before the object slept may be for a publication. Without one, a publication may have been interrupted.
    this.#publisher.expect(this.#alarmAt ?? Date.now());
  }

  async #setAlarm(schedule?: Schedule): Promise<void> {
    const { loaded } = this.#log;
    if (!loaded) return;
    await this.#readAlarm();
    const { index } = loaded.projection;
    const { observations } = index;
    if (this.#alarmAt === null && isOver(observations) && this.#publisher.schedule.rowAt === null)
      noteFinish(this.env, this.#objectId);
    const at = nextAlarm(
      {
        alarmAt: this.#alarmAt ?? null,
        schedule: schedule ?? this.#publisher.schedule,
        observations,
      },
      Date.now(),
    );
    if (at === null) return;
    this.#alarmAt = at;
    index.rowsWritten++;
    this.#publisher.countRow();
    await this.ctx.storage.setAlarm(at);
  }

  // Deleting.

  /** Removes everything and leaves a tombstone. */
  async erase(access: Access): Promise<Reply<Receipt>> {
    return replyOf(async () => {
      const { index } = this.#allowed(access, "admin").projection;
      const { id, counts } = index;
      const { segmentCount: segments, bytes } = this.#log.store;
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
      this.#alarmAt = null;
      const { states, events, points } = counts;
      return { id, segments, catalog_rows, bytes, states, events, points };
    });
  }

  // Watching.

  /** Opens the socket of a page. The page receives a Change now and after each change, at most one per LIVE_MS. */
  override async fetch(request: Request): Promise<Response> {
    try {
      this.#allowed(accessIn(request), "read");
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
