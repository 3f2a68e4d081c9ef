/** Requests to session objects: a temporary failure of the platform is retried; if the object is overloaded, the request is refused. */
import { Refusal, refusalOf } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { ATTEMPTS, RETRY_MS } from "./limits.ts";
import type { Session } from "./session.ts";

export type Stub = DurableObjectStub<Session>;

/** Whether a request that failed may be sent again. */
export type Repeat = "repeatable" | "once";

/** Sends a request to an object. Each attempt gets a new stub, since one that threw is broken. */
export async function request<Result>(
  env: Env,
  stub: () => Stub,
  send: (object: Stub) => Promise<Result>,
  repeat: Repeat,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(stub());
    } catch (error) {
      if (refusalOf(error)) throw error;
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }; // set by the platform on its errors
      if (overloaded)
        throw new Refusal(
          "too_many_requests",
          "This session receives more requests than it can handle; send fewer.",
          { retry_after: 1 },
        );
      const isTemporary = retryable || (isInternal(error) && !isUnopenable(env, error));
      if (!isTemporary) throw error;
      if (repeat === "once" || attempt >= ATTEMPTS)
        throw new Refusal("unavailable", "The session's storage is not answering; try again.", {
          retry_after: 1,
        });
      await scheduler.wait(RETRY_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/**
 * Whether the platform could not open an object's storage. On one machine it gives no other reason when SQLite does not take the file as a
 * database. On Cloudflare the same error is a fault of the platform that passes, whatever the state of the storage.
 */
export function isUnopenable({ DISK }: Env, error: unknown): boolean {
  return DISK !== undefined && isInternal(error);
}

function isInternal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("internal error; reference = ");
}

/** The stub of an object by its own id, which has 64 hexadecimal digits. */
export function stubOfObject(env: Env, objectId: string): Stub {
  try {
    return env.SESSIONS.get(env.SESSIONS.idFromString(objectId));
  } catch {
    throw new Refusal("not_found", "This server has no object with this id.");
  }
}
