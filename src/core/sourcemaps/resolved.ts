/** Exceptions whose stacks were resolved by source maps. */
import type { Event } from "../wire.ts";

type Shown = Pick<Event, "stacktrace" | "causes" | "sources" | "resolved">;

/** An exception with its resolved stacks in place of the recorded ones, where there are some. */
export function asResolved<Row extends Shown>(event: Row): Row {
  const { resolved } = event;
  if (!resolved) return event;
  const causes = event.causes?.map((cause, index) => {
    const stacktrace = resolved.causes?.[index];
    return stacktrace ? { ...cause, stacktrace } : cause;
  });
  return {
    ...event,
    ...(resolved.stacktrace && { stacktrace: resolved.stacktrace }),
    ...(causes && { causes }),
    sources: [...(resolved.sources ?? []), ...(event.sources ?? [])],
  };
}
