/** One session's answers, as pages ask for them. */
import { SERVER } from "../../core/authority.ts";
import type { Env } from "../../env.ts";
import type { QueryOf } from "../../session/answers.ts";
import { sessionOf } from "../../session/client.ts";
import type { Moment } from "../../session/history.ts";

export type Recording = ReturnType<typeof recordingOf>;

export function recordingOf(env: Env, id: string) {
  const session = sessionOf(env, SERVER, id);
  return {
    id,
    summary: () => session.ask("summary"),
    /** Without a time: as it is now. */
    state: (at?: number) => session.ask("state", { at }),
    diff: (from: Moment, to: Moment) => session.ask("diff", { from, to }),
    changes: (...query: QueryOf<"history">) => session.ask("history", ...query),
    valueHistory: (...query: QueryOf<"pathHistory">) => session.ask("pathHistory", ...query),
    events: (...query: QueryOf<"events">) => session.ask("events", ...query),
    eventCounts: () => session.ask("eventCounts"),
    series: () => session.ask("series"),
    charts: (...query: QueryOf<"charts">) => session.ask("charts", ...query),
    timeline: (...query: QueryOf<"timeline">) => session.ask("timeline", ...query),
  };
}
