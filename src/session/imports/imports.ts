/** The import that an object is taking: one at a time, in several requests, each with a few parts of the file. */
import { type Access, checkKind, checkMayOpen, checkOwner } from "../../core/access/authority.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Part } from "../../core/session-file/parts.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import { equal } from "../../core/state/merge.ts";
import { formatCount } from "../../core/text/format.ts";
import type { Json } from "../../core/wire.ts";
import { damagedStorage } from "../storage/database.ts";
import type { Log } from "../storage/log.ts";
import { IMPORT_PAUSE_MS } from "../limits.ts";
import { FileImport, type Target } from "./file-import.ts";

/** Names an import: the sender's requests have the same one. */
export type Token = string;

/** What a request's parts cost. `isPresent`: the session is here already, as the file has it, so the rest is not needed. */
export type Taken = { rows: number; bytes: number; isPresent: boolean };

type Current = { token: Token; file: FileImport; at: number };

/** `isFirst`: an import begins, in place of any before it. */
export type TakenParts = [token: Token, parts: Part[], isFirst: boolean];

/** What was imported. */
export type Imported = Pick<SessionIndex, "counts" | "updatedAt">;

export class Imports {
  readonly #storage: DurableObjectStorage;
  readonly #log: Log;
  readonly #session: Pick<Target, "id" | "redactor" | "attachmentLimits">;
  #current: Current | undefined;

  constructor(
    storage: DurableObjectStorage,
    log: Log,
    session: Pick<Target, "id" | "redactor" | "attachmentLimits">,
  ) {
    this.#storage = storage;
    this.#log = log;
    this.#session = session;
  }

  /** Takes the next parts of a file. Throws a Refusal, after which the import is over. */
  async take(access: Access, ...[token, parts, isFirst]: TakenParts): Promise<Taken> {
    checkKind(access, "ingest");
    const now = Date.now();
    const current = isFirst ? this.#begin(access, token, now) : this.#of(token);
    current.at = now;
    const taken = { rows: 0, bytes: 0, isPresent: false };
    try {
      for (const part of parts) {
        const { rows, bytes } = current.file.take(part);
        taken.rows += rows;
        taken.bytes += bytes;
      }
      // Removes what is staged, if the sender does not go on.
      if (isFirst) await this.#storage.setAlarm(now + IMPORT_PAUSE_MS);
      return taken;
    } catch (error) {
      this.cancel(token);
      if (error instanceof Present) return { ...taken, isPresent: true };
      throw error;
    }
  }

  /** The index of the session that is imported now. */
  finish(access: Access, token: Token): SessionIndex {
    checkKind(access, "ingest");
    const { file } = this.#of(token);
    try {
      const index = file.finish();
      this.#current = undefined;
      return index;
    } catch (error) {
      this.cancel(token);
      throw error;
    }
  }

  /** Nothing of the import remains. */
  cancel(token: Token): void {
    if (this.#current?.token !== token) return;
    this.#current = undefined;
    this.#log.store.staging.drop();
  }

  /** By the alarm: removes an import whose sender stopped. */
  async dropAbandoned(now: number): Promise<void> {
    if (!this.#log.store.staging.isOpen) return;
    const until = (this.#current?.at ?? -Infinity) + IMPORT_PAUSE_MS;
    if (until > now) return this.#storage.setAlarm(until);
    this.#current = undefined;
    this.#log.store.staging.drop();
    await this.#storage.deleteAll();
  }

  #begin(access: Access, token: Token, now: number): Current {
    this.#log.checkNotErased();
    const { store } = this.#log;
    if (store.isUnwritable) throw damagedStorage();
    const file = new FileImport({
      ...this.#session,
      store,
      access,
      now,
      admit: (index) => {
        this.#checkIsNew(access, index);
        checkMayOpen(access);
        store.staging.begin();
      },
    });
    return (this.#current = { token, file, at: now });
  }

  #of(token: Token): Current {
    const current = this.#current;
    if (current?.token !== token)
      throw new Refusal(
        "unavailable",
        "This import was interrupted by a restart of the server, or by another one of the same session. Import the file again.",
        { retry_after: 1 },
      );
    if (this.#log.load()) {
      this.#current = undefined;
      throw exists(`Session ${this.#session.id} was opened by a program meanwhile`);
    }
    return current;
  }

  #checkIsNew(access: Access, index: SessionIndex): void {
    const here = this.#log.load()?.projection.index;
    if (!here) return;
    checkOwner(access, here.product);
    if (isSame(here, index)) throw new Present();
    const [held, sent] = [amountOf(here), amountOf(index)];
    throw exists(
      held === sent
        ? `This server has another session with the id ${this.#session.id}`
        : `This server has session ${this.#session.id} already, with ${held}; the file has ${sent}`,
    );
  }
}

/** The session of the file is here. */
class Present extends Error {}

function exists(what: string): Refusal {
  return new Refusal(
    "exists",
    `${what}. Import the file under another id (\`--as-new-id\`, or \`?id=\`), or delete the session here first.`,
  );
}

/** "12 ops and 2 whole attachments" */
function amountOf({ seq, attachments }: SessionIndex): string {
  const whole = attachments.filter(({ complete }) => complete).length;
  return `${formatCount(seq, "op")} and ${formatCount(whole, "whole attachment")}`;
}

/** Whether both are the same session at the same revision. What each server observed after it may differ. */
function isSame(here: SessionIndex, file: SessionIndex): boolean {
  return equal(revisionOf(here), revisionOf(file));
}

function revisionOf(index: SessionIndex): Json {
  const { id, seq, createdAt, updatedAt, counts, accepted, dropped, attachments } = index;
  // Contents arrive without an op.
  const contents = attachments.map((one): Json => [one.id, one.complete, one.refused ?? null]);
  return { id, seq, createdAt, updatedAt, counts, accepted, dropped, contents };
}
