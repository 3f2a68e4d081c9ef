/**
 * `POST /api/sessions/import`: a session from a file (core/session-file/parts.ts), which is read as it arrives. Its parts go to the session's
 * object a few at a time. Nothing of it is stored unless all of it is.
 */
import { type Context, Hono } from "hono";
import { type AccessEnv, records } from "../access/access.ts";
import { record } from "../access/audit.ts";
import type { ImportAnswer } from "../core/answers/import.ts";
import { Refusal } from "../core/refusal.ts";
import { keptUntil } from "../core/retention.ts";
import { BadFile, refusedFile } from "../core/session-file/bad-file.ts";
import { MAX_FILE_BYTES } from "../core/session-file/limits.ts";
import { readHeader } from "../core/session-file/header.ts";
import { type Part, PART, PartReader } from "../core/session-file/parts.ts";
import { formatBytes } from "../core/text/format.ts";
import { type SessionClient, sessionOf } from "../session/client.ts";
import { CODEC } from "../session/storage/row.ts";
import { IMPORT_CONTACT_MS, IMPORT_PARTS_BYTES, PART_OBJECT_BYTES } from "./limits.ts";
import { arriving } from "./request/arriving.ts";
import * as query from "./request/query.ts";
import { parseQuery } from "./request/query.ts";

export const imports = new Hono<AccessEnv>();

imports.post("/sessions/import", records, async (c) => {
  const { id } = parseQuery(query.Import, c.req.url);
  if ((c.req.header("content-encoding") ?? "identity") !== "identity")
    throw new Refusal("invalid_encoding", "A session file is sent as it is; it is compressed.");
  const declared = Number(c.req.header("content-length") ?? 0);
  c.var.spending.begin({ sessions: 1, bytes: Math.min(declared, MAX_FILE_BYTES) });

  const transfer = new Transfer(c, id);
  try {
    await readInto(transfer, c, declared);
    const imported = await transfer.finish();
    if (imported.imported)
      await record(c, "session_imported", c.var.access.by, `session ${imported.session}`);
    return c.json(imported);
  } catch (error) {
    await transfer.cancel();
    throw error instanceof BadFile ? refusedFile(error) : error;
  }
});

async function readInto(
  transfer: Transfer,
  c: Context<AccessEnv>,
  declared: number,
): Promise<void> {
  const parts = new PartReader(CODEC);
  let received = 0;
  const { body } = c.req.raw;
  for await (const bytes of arriving(body, IMPORT_CONTACT_MS, () => transfer.keep())) {
    received += bytes.length;
    if (Math.max(declared, received) > MAX_FILE_BYTES) throw tooLarge();
    c.var.spending.received(received);
    for (const part of parts.add(bytes)) await transfer.add(part);
    // The rest is not needed.
    if (transfer.isPresent) return;
    await transfer.keep();
  }
  parts.finish();
}

/** Sends the parts of one file to its session. */
class Transfer {
  readonly #c: Context<AccessEnv>;
  readonly #asked: string | undefined;
  readonly #token = crypto.randomUUID();
  #session: SessionClient | undefined;
  #parts: Part[] = [];
  #bytes = 0;
  #hasBegun = false;
  #sentAt = 0;
  isPresent = false;

  constructor(c: Context<AccessEnv>, asked: string | undefined) {
    this.#c = c;
    this.#asked = asked;
  }

  async add(part: Part): Promise<void> {
    this.#session ??= this.#sessionOf(part);
    this.#parts.push(part);
    this.#bytes += PART_OBJECT_BYTES + part.payload.length;
    if (this.#bytes >= IMPORT_PARTS_BYTES) await this.#send(this.#session);
  }

  async finish(): Promise<ImportAnswer> {
    const session = this.#session;
    if (!session) throw new BadFile("it has no header");
    if (!this.isPresent && this.#parts.length > 0) await this.#send(session);
    if (this.isPresent) return { session: session.id, imported: false };
    const { cost, counts, updatedAt } = await session.finishImport(this.#token);
    this.#hasBegun = false;
    const { env, var: variables } = this.#c;
    variables.spending.add(cost);
    const kept_until = keptUntil(updatedAt, env.DATACAT_RETENTION_DAYS);
    return { session: session.id, imported: true, counts, kept_until };
  }

  /** An object that has no request for some seconds is removed from memory, and its import with it: on a slow connection, a part takes longer. */
  async keep(): Promise<void> {
    if (this.#session && this.#hasBegun && Date.now() - this.#sentAt >= IMPORT_CONTACT_MS)
      await this.#send(this.#session);
  }

  /** Never throws: the object removes what is left after a pause. */
  async cancel(): Promise<void> {
    if (!this.#hasBegun) return;
    try {
      await this.#session?.cancelImport(this.#token);
    } catch (error) {
      console.error("An import was not cancelled:", error);
    }
  }

  async #send(session: SessionClient): Promise<void> {
    const { spending } = this.#c.var;
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    const parts = this.#parts.splice(0);
    this.#bytes = 0;
    const { cost, isPresent } = await session.takeParts(this.#token, parts, isFirst);
    this.#sentAt = Date.now();
    this.isPresent = isPresent;
    spending.add(cost);
    if (!isPresent) spending.checkDay(Date.now());
  }

  /** The session of a file by its header. */
  #sessionOf({ kind, payload }: Part): SessionClient {
    if (kind !== PART.header) throw new BadFile("it does not begin with a header");
    const { session } = readHeader(payload, CODEC);
    const id = this.#asked ?? session;
    const { env, var: variables } = this.#c;
    const noNewSession = variables.spending.open(Date.now());
    return sessionOf(env, { ...variables.access, ...(noNewSession && { noNewSession }) }, id);
  }
}

function tooLarge(): Refusal {
  return new Refusal("too_large", `A session file may have ${formatBytes(MAX_FILE_BYTES)}.`);
}
