/**
 * What a session object answers: JSON text, which crosses RPC unchanged and which the API passes on unparsed. A refusal is text too,
 * since an error thrown through RPC is logged as uncaught and fails `instanceof`.
 */
import { Refusal, refusalOf } from "../../core/refusal.ts";

declare const origin: unique symbol;

/** JSON text of a value of this type. */
export type JsonOf<Value> = string & { readonly [origin]: Value };

type Refused = ReturnType<Refusal["toJSON"]>;

/** JSON text of an answer, or of the refusal to give it. */
export type Reply<Answer> = JsonOf<Answer | Refused>;

export function jsonOf<Value>(value: Value): JsonOf<Value> {
  return JSON.stringify(value) as JsonOf<Value>; // the only place where such text is made
}

/** The value that the text was made of. */
export function parsed<Value>(text: JsonOf<Value>): Value {
  return JSON.parse(text) as Value; // its type states what it was made of
}

/** Runs `answer`, and gives its result, or its refusal, as text. Throws other errors. */
export async function replyOf<Answer>(
  answer: () => Answer | Promise<Answer>,
): Promise<Reply<Answer>> {
  try {
    return jsonOf(await answer());
  } catch (error) {
    return refusedReply(error);
  }
}

/** A refusal as text. Throws any other error. */
export function refusedReply(error: unknown): Reply<never> {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  return jsonOf(refusal.toJSON());
}

/** The refusal that the reply is, if it is one: no answer starts like it. */
export function refusalIn(reply: Reply<unknown>): Refusal | undefined {
  if (!reply.startsWith('{"error":')) return undefined;
  const { code, message, ...details } = (JSON.parse(reply) as Refused).error;
  return new Refusal(code, message, details);
}

/** The text of the answer. Throws the refusal if the reply is one. */
export function accepted<Answer>(reply: Reply<Answer>): JsonOf<Answer> {
  const refusal = refusalIn(reply);
  if (refusal) throw refusal;
  return reply as JsonOf<Answer>; // not the refusal
}
