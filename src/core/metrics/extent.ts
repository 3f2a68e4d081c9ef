/** The range of time over which a session's charts are drawn, where points may be outside of the session. */
import { WIDEST_EXCESS } from "../limits.ts";

type Span = { from: number; to: number };

/** The range, and what is outside of it. */
export type Extent = Span & { outside: Span | undefined };

/**
 * The session's own range, widened on each side to points that are a little outside: a batch of points has the time of its first. Points
 * far outside, as after a change of the clock, would leave no space for the others.
 */
export function extentOf(session: Span, points: Span[]): Extent {
  const most = (session.to - session.from) * WIDEST_EXCESS;
  let { from, to } = session;
  let [earliest, latest] = [from, to];
  for (const span of points) {
    if (span.from >= session.from - most) from = Math.min(from, span.from);
    if (span.to <= session.to + most) to = Math.max(to, span.to);
    earliest = Math.min(earliest, span.from);
    latest = Math.max(latest, span.to);
  }
  const isInside = earliest >= from && latest <= to;
  return { from, to, outside: isInside ? undefined : { from: earliest, to: latest } };
}
