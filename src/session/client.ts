/**
 * The only access to a session's object. Every request carries its caller, and the object decides from its own storage what the caller
 * may do. Refusals are thrown here.
 *
 *   const session = sessionOf(env, access, id);
 *   const { items } = await session.ask("events", { name: "door" });
 */
import type { Asked } from "../core/exports/asked.ts";
import * as v from "valibot";
import { fullDisk } from "../catalog/outage.ts";
import type { Held } from "../catalog/search/sessions.ts";
import type { Access } from "../core/access/authority.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { Id } from "../core/wire-fields.ts";
import type { IngestAnswer, Writer } from "../core/batch.ts";
import type { Op } from "../core/wire.ts";
import type { Env } from "../env.ts";
import type {
  AnswerOf,
  QueryOf,
  Question,
  QuestionName,
  Receipt,
} from "../core/questions/questions.ts";
import type { Content, ContentInfo, Wanted } from "./attachments/content.ts";
import type { Progress, SentChunk } from "./attachments/upload.ts";
import { damagedStorage } from "./storage/database.ts";
import type { Write } from "./publication/publication-batch.ts";
import {
  accepted,
  type JsonOf,
  parsed,
  refusalIn,
  refusedReply,
  type Reply,
} from "./requests/reply.ts";
import type { Imported, Taken, TakenParts, Token } from "./imports/imports.ts";
import type { Charged } from "./session.ts";
import { isUnopenable, type Repeat, request, type Stub, stubOfObject } from "./stub.ts";
import {
  eraseUnreadable,
  isListed,
  unreadableReplies,
  unreadableStream,
} from "./storage/unreadable.ts";
import { withAccess } from "./requests/upgrade.ts";

/** The session of an id. Nothing is sent before a method is called; of an unknown session every method throws `not_found`. */
export function sessionOf(env: Env, access: Access, id: string): SessionClient {
  return new SessionClient(env, id, access, () => {
    if (!v.is(Id, id)) throw new Refusal("not_found", "Session not found");
    return env.SESSIONS.getByName(id);
  });
}

/** Asks the objects of sessions what is left out in the catalog: the argument of catalog/search/sessions.ts. */
export function askHeld(env: Env, access: Access): Held {
  return (id, query) => sessionOf(env, access, id).ask("held", query);
}

/** The session of an object's own id, as Cloudflare lists it. */
export function sessionOfObject(env: Env, access: Access, objectId: string): SessionClient {
  return new SessionClient(env, objectId, access, () => stubOfObject(env, objectId));
}

/** A question that waits for the end of the turn. */
type Waiting = {
  question: Question;
  resolve: (reply: Reply<unknown>) => void;
  reject: (error: unknown) => void;
};

/** Instead of an answer: the session is listed, and its object has nothing stored. */
const MISSING = Symbol("missing");

export class SessionClient {
  /** The session's id; the object's own id if `sessionOfObject` made this client. */
  readonly id: string;
  readonly #env: Env;
  readonly #access: Access;
  readonly #stub: () => Stub;
  readonly #waiting: Waiting[] = [];

  constructor(
    env: Env,
    id: string,
    { kind, product, key, continuesOthers, noNewSession }: Access,
    stub: () => Stub,
  ) {
    this.#env = env;
    this.id = id;
    // What crosses to the object is plain data.
    const { message, details } = noNewSession ?? {};
    this.#access = {
      kind,
      product,
      key,
      continuesOthers,
      ...(message !== undefined && details && { noNewSession: { message, details } }),
    };
    this.#stub = stub;
  }

  /** The answer to a question of core/questions/questions.ts. */
  async ask<Name extends QuestionName>(
    name: Name,
    ...query: QueryOf<Name>
  ): Promise<AnswerOf<Name>> {
    return parsed(await this.json(name, ...query));
  }

  /** The answer as JSON text. Questions of one turn of the event loop are sent in one request, because the platform bills requests. */
  json<Name extends QuestionName>(
    name: Name,
    ...query: QueryOf<Name>
  ): Promise<JsonOf<AnswerOf<Name>>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        question: [name, ...query] as unknown as Question, // the tuple of this name
        resolve: (reply) => {
          const refusal = refusalIn(reply);
          if (refusal) reject(refusal);
          else resolve(reply as JsonOf<AnswerOf<Name>>); // to this question
        },
        reject,
      });
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#send());
    });
  }

  /** Never rejects: each question gets its answer or its error. */
  async #send(waiting = this.#waiting.splice(0)): Promise<void> {
    try {
      const questions = waiting.map(({ question }) => question);
      const replies = await this.#orUnreadable(
        (object): Promise<Reply<unknown>[]> => object.answer(this.#access, questions),
        ([first]) => first,
        (env) => unreadableReplies(env, this.#access, this.id, questions),
      );
      replies.forEach((reply, index) => waiting[index]?.resolve(reply));
    } catch (error) {
      // One question may be the cause, so each is sent again alone. A refusal (the object is overloaded) is final.
      if (waiting.length > 1 && !refusalOf(error))
        for (const one of waiting) void this.#send([one]);
      else for (const { reject } of waiting) reject(error);
    }
  }

  /** `body`: a whole ingest body that names only this session. What is to be published at once goes to `write`. */
  async ingest(body: string, write?: Write): Promise<IngestAnswer & Charged> {
    return this.#call((object) => object.ingest(this.#access, body, write));
  }

  /** Records ops without a lane; the first must be `start` if the session is new. Sent once: a repetition would be applied again. */
  async record(
    ops: Op[],
    more: { writer?: Writer; lease_ms?: number } = {},
    write?: Write,
  ): Promise<Charged> {
    const body = JSON.stringify({ ops, ...more });
    return this.#call((object) => object.record(this.#access, body, write), "once");
  }

  /** The whole session as text or as a file, or a table of it. */
  async stream(query: Asked): Promise<ReadableStream<Uint8Array>> {
    const stream = await this.#orUnreadable(
      async (object): Promise<ReadableStream<Uint8Array> | Reply<never>> =>
        object.stream(this.#access, query),
      (answer) => (typeof answer === "string" ? answer : undefined),
      async (env) =>
        query.kind === "file"
          ? refusedReply(damagedStorage())
          : unreadableStream(env, this.#access, this.id, query),
    );
    if (typeof stream !== "string") return stream;
    throw refusalIn(stream) ?? new Error("A session answered with text where a stream is due.");
  }

  /** How far the upload of an attachment is. */
  async uploaded(id: string): Promise<Progress> {
    return this.#call((object) => object.uploaded(this.#access, id));
  }

  async upload(chunk: SentChunk): Promise<Progress & Charged> {
    return this.#call((object) => object.upload(this.#access, chunk));
  }

  /** The content of an attachment, or a part of it. */
  async content(wanted: Wanted): Promise<{ info: ContentInfo; body: ReadableStream<Uint8Array> }> {
    const content = await this.#orUnreadable(
      async (object): Promise<Content | Reply<never>> => object.content(this.#access, wanted),
      // A refusal that names the attachment is not about the session.
      (answer) =>
        typeof answer === "string" && refusalIn(answer)?.details["attachment"] === undefined
          ? answer
          : undefined,
      async () => refusedReply(damagedStorage()),
    );
    if (typeof content !== "string")
      return { info: JSON.parse(content.info) as ContentInfo, body: content.body }; // as: what contentOf wrote
    throw refusalIn(content) ?? new Error("A session answered with text where a content is due.");
  }

  /** Takes the next parts of a file, after its header, for an import. Sent once: a part is not taken twice. */
  async takeParts(...taken: TakenParts): Promise<Taken & Charged> {
    return this.#call((object) => object.takeParts(this.#access, ...taken), "once");
  }

  /** After the last part: the session exists. */
  async finishImport(token: Token): Promise<Imported & Charged> {
    return this.#call((object) => object.finishImport(this.#access, token), "once");
  }

  /** Nothing of the import remains. */
  async cancelImport(token: Token): Promise<void> {
    await this.#call((object) => object.cancelImport(this.#access, token));
  }

  /** Publishes the session to the catalog now. */
  async publish(): Promise<void> {
    await this.#call((object) => object.publish(this.#access));
  }

  /** An object that cannot be opened keeps its file, but the session is in no list any more. */
  async erase(): Promise<Receipt> {
    let left: string | undefined;
    try {
      const reply = await this.#untilStored(
        (object) => object.erase(this.#access),
        (answer) => answer,
      );
      if (reply !== MISSING) return parsed(accepted(reply));
    } catch (error) {
      if (!isUnopenable(this.#env, error)) throw error;
      left = this.#stub().id.toString();
    }
    return eraseUnreadable(this.#env, this.#access, this.id, left);
  }

  /** A WebSocket upgrade: the page then gets a `Change` after each change. */
  async live(upgrade: Request): Promise<Response> {
    const asked = upgrade.headers.get("upgrade")?.toLowerCase();
    if (upgrade.method !== "GET" || asked !== "websocket")
      throw new Refusal(
        "invalid_query",
        "This address is for WebSockets: connect with `Upgrade: websocket`.",
      );
    const response = await this.#request((object) =>
      object.fetch(withAccess(upgrade, this.#access)),
    );
    // A new answer, because the headers of the object's can't be changed.
    if (response.webSocket)
      return new Response(null, { status: 101, webSocket: response.webSocket });
    const refused = (await response.text()) as Reply<never>; // an object opens the socket or refuses
    throw refusalIn(refused) ?? new Error(`A session answered ${response.status} to an upgrade.`);
  }

  /** The answer of the object, or what the catalog has of a session of whose storage nothing can be read. */
  async #orUnreadable<Answer>(
    send: (object: Stub) => Promise<Answer>,
    replyIn: (answer: Answer) => Reply<unknown> | undefined,
    otherwise: (env: Env) => Promise<Answer>,
  ): Promise<Answer> {
    let received: Answer | typeof MISSING;
    try {
      received = await this.#untilStored(send, replyIn);
    } catch (error) {
      if (!isUnopenable(this.#env, error)) throw error;
      const full = await fullDisk(this.#env.DISK);
      if (full) throw full;
      console.error(`Session ${this.id}: its object cannot be opened:`, error);
      return otherwise(this.#env);
    }
    if (received === MISSING) return otherwise(this.#env);
    const reply = replyIn(received);
    const isLost = reply !== undefined && refusalIn(reply)?.code === "damaged";
    return isLost ? otherwise(this.#env) : received;
  }

  /**
   * The answer of the object; MISSING if the session is listed and the object has nothing stored, because its file was removed or
   * emptied. A session that began after the first request is listed as well, so the object is asked a second time.
   */
  async #untilStored<Answer>(
    send: (object: Stub) => Promise<Answer>,
    replyIn: (answer: Answer) => Reply<unknown> | undefined,
  ): Promise<Answer | typeof MISSING> {
    const isUnknown = (answer: Answer) => {
      const reply = replyIn(answer);
      return reply !== undefined && refusalIn(reply)?.code === "not_found";
    };
    const first = await this.#request(send);
    if (!isUnknown(first) || this.#access.product !== null) return first;
    if (!(await isListed(this.#env, this.id))) return first;
    const second = await this.#request(send);
    return isUnknown(second) ? MISSING : second;
  }

  async #call<Answer>(
    send: (object: Stub) => Promise<Reply<Answer>>,
    repeat?: Repeat,
  ): Promise<Answer> {
    return parsed(accepted(await this.#request(send, repeat)));
  }

  #request<Result>(
    send: (object: Stub) => Promise<Result>,
    repeat: Repeat = "repeatable",
  ): Promise<Result> {
    return request(this.#env, this.#stub, send, repeat);
  }
}
