/** A session that records nothing: recording is disabled, or cannot work here. */
import type { Session } from "./session.ts";

const NO_ID = "00000000-0000-7000-8000-000000000000";

export function silent<Silent extends Session>(
  Kind: new (...args: ConstructorParameters<typeof Session>) => Silent,
  url = "",
  id: string = NO_ID,
): Silent {
  const session = new Kind(
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
  session.end(); // after this, every call returns at once
  return session;
}
