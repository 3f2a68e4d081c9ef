/** Records ops: in the log, each batch or request as a whole, then for the catalog and for the pages that watch. */
import * as v from "valibot";
import { type Access, checkOpener, isOpenTo, openerOf } from "../../core/access/authority.ts";
import { parse } from "../../core/parse.ts";
import { Refusal, refusalOf } from "../../core/refusal.ts";
import type { Arrival } from "../../core/session/times.ts";
import { Batch, type BatchResult, Writer } from "../../core/batch.ts";
import { Op } from "../../core/wire.ts";
import type { Alarm } from "../publication/alarm.ts";
import { catalogRows } from "../publication/publication.ts";
import type { Publisher } from "../publication/publisher.ts";
import type { Loaded, Log } from "../storage/log.ts";
import { failedResult, laneOf } from "./batch-result.ts";
import { continuedOrOpened } from "./permitted.ts";
import { Turn } from "./turn.ts";
import type { Watchers } from "./watchers.ts";

/** Ops that came without a lane. */
export const RecordBody = v.object({
  ops: v.array(Op),
  writer: v.optional(Writer),
  lease_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** `access`: of who sent them. */
type Recorded = { access: Access } & v.InferOutput<typeof RecordBody>;

type Parts = {
  log: Log;
  publisher: Publisher;
  watchers: Watchers;
  alarm: Alarm;
  /** Resolves when what was written is on the disk. */
  stored: () => Promise<unknown>;
};

export class Recorder {
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #watchers: Watchers;
  readonly #alarm: Alarm;
  readonly #turn: Turn<Recorded>;

  constructor({ log, publisher, watchers, alarm, stored }: Parts) {
    this.#log = log;
    this.#publisher = publisher;
    this.#watchers = watchers;
    this.#alarm = alarm;
    this.#turn = new Turn((records) => this.#recordAll(records), stored);
  }

  /** Applies a batch, which may have any shape. The result of a bad one has its error. */
  ingest(access: Access, value: unknown, arrival: Arrival): BatchResult {
    const session = this.#log.id;
    try {
      this.#log.checkNotErased();
      const batch = parse(Batch, value, "The batch");
      if (batch.session !== session)
        throw new Refusal("invalid_body", `The batch is of session ${batch.session}.`);
      const { lane, first, last, ops } = batch;
      const loaded = continuedOrOpened(this.#log, access, ops, arrival);
      const known = loaded.projection.index.lanes.find((each) => each.lane === lane);
      checkOpener(access, known?.opener, `Lane ${lane}`);
      const applied = known?.applied ?? 0;
      // The whole batch is stored already: the reply was lost, or the daemon was restarted with an older checkpoint.
      const isRepeat = last <= applied && first <= applied;
      if (!isRepeat)
        this.commit(loaded, access, (projection) =>
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
   * Applies the ops of a request without a lane: now if it opens the session or `isAtOnce`, else together with requests that arrive
   * meanwhile. Rejects with a Refusal, after which none is applied.
   */
  async record(recorded: Recorded, isAtOnce: boolean): Promise<void> {
    const { access, ops, writer, lease_ms } = recorded;
    if (isAtOnce || ops[0]?.op === "start") this.#recordAll([recorded]);
    else await this.#turn.add(JSON.stringify([access, writer, lease_ms]), recorded);
  }

  /** Applies the ops of requests that have the same caller, writer and lease. */
  #recordAll(records: Recorded[]): void {
    const arrival: Arrival = { now: Date.now(), sentAt: null };
    const [first] = records;
    if (!first) return;
    const ops = records.flatMap((record) => record.ops);
    if (ops[0]?.op !== "start") this.#log.need();
    const loaded = continuedOrOpened(this.#log, first.access, ops, arrival);
    this.commit(loaded, first.access, (projection) =>
      projection.record(ops, arrival, first.lease_ms, first.writer),
    );
  }

  /** `access`: who records; undefined: the server itself. */
  commit(loaded: Loaded, access: Access | undefined, apply: Parameters<Log["commit"]>[1]): void {
    const isNew = this.#log.loaded === undefined;
    const before = isNew ? 0 : catalogRows(loaded.projection.index);
    const outcome = this.#log.commit(loaded, apply);
    if (isNew && !this.#alarm.isKnown) this.#alarm.noteNone(); // so it need not be read
    this.#publisher.countRow();
    const listed = catalogRows(loaded.projection.index) - before;
    if (access) this.#publisher.noteCost(openerOf(access), { isNew, listed });
    this.#publisher.noteOutcome(outcome, Date.now());
    this.#watchers.notify(outcome.kinds);
  }
}
