/**
 * Calling session objects: a refusal, which they answer as text (thrown through RPC it would be logged as uncaught), is thrown
 * here; a passing failure of the platform is met again.
 */
import * as v from "valibot";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { Id } from "../core/wire.ts";
import type { Env } from "../env.ts";
import type { Session } from "./session.ts";

type Stub = DurableObjectStub<Session>;

/** How often an object is asked again that was being moved or restarted, and how long to wait before (doubled, with jitter). */
const ATTEMPTS = 3;
const WAIT_MS = 50;

type Ask<Answer> = (session: Stub) => Promise<Answer>;

/**
 * Calls a session's object. With `again`, for calls that may be repeated, a passing failure of the platform is met with a new
 * stub (one that threw is broken); an overloaded object is left alone.
 */
export async function call<Answer>(
  env: Env,
  id: string,
  ask: Ask<Answer>,
  { again }: { again: boolean } = { again: true },
): Promise<Answer> {
  if (!v.is(Id, id)) throw new Refusal("not_found", "Session not found");
  return callStub(() => env.SESSIONS.getByName(id), ask, again);
}

/** The same by the object's own id, 64 hex digits, when the session's is not known. */
export async function callObject<Answer>(
  env: Env,
  objectId: string,
  ask: Ask<Answer>,
): Promise<Answer> {
  return callStub(() => env.SESSIONS.get(objectIdOf(env, objectId)), ask, true);
}

function objectIdOf(env: Env, hex: string): DurableObjectId {
  try {
    return env.SESSIONS.idFromString(hex);
  } catch {
    throw new Refusal("not_found", "This is no id of an object of this server.");
  }
}

async function callStub<Answer>(
  stub: () => Stub,
  ask: Ask<Answer>,
  again: boolean,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await ask(stub());
      const refusal = typeof answer === "string" ? refusalIn(answer) : undefined;
      if (refusal) throw refusal;
      return answer;
    } catch (error) {
      if (refusalOf(error)) throw error;
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }; // as the platform marks its own
      if (overloaded) {
        throw new Refusal(
          "too_many_requests",
          "This session gets more than it can take; slow down.",
          { retry_after: 1 },
        );
      }
      if (!retryable) throw error;
      if (!again || attempt >= ATTEMPTS) {
        throw new Refusal("unavailable", "The session's storage is not answering; try again.", {
          retry_after: 1,
        });
      }
      await scheduler.wait(WAIT_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/** Objects answer refusals rather than throw them; no other answer begins like one. */
export function refusalIn(answer: string): Refusal | undefined {
  if (!answer.startsWith('{"error":')) return undefined;
  const { code, message, ...details } = (JSON.parse(answer) as ReturnType<Refusal["toJSON"]>).error;
  return new Refusal(code, message, details);
}
