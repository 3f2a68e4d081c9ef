/** A session that records nothing: switched off, or nothing works here. */
import { newId } from "./id.ts";
import { Session } from "./session.ts";

export function silent(url: string, id: string = newId(Date.now())): Session {
  const session = new Session(
    id,
    url,
    {},
    {
      write() {},
      flush: () => Promise.resolve(),
      close() {},
      waiting: () => 0,
      losses: () => ({}),
    },
    true,
  );
  session.end(); // from here on every call returns at once
  return session;
}
