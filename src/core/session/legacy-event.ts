/** The events by which 1.x reported a hang, a recovery and a crash: its programs search for these names. */
import { DAEMON_GROUP, EVENT_CRASHED, EVENT_HUNG, EVENT_RECOVERED } from "../vocabulary.ts";
import type { Event, JsonObject, Op } from "../wire.ts";

/** Undefined for ops of other kinds. */
export function legacyEventOf(op: Op): Event | undefined {
  const event = (name: string, category: string, labels: string[], data: JsonObject): Event => ({
    op: "event",
    at: op.at,
    name,
    category,
    group: DAEMON_GROUP,
    labels,
    data,
  });
  switch (op.op) {
    case "hang":
      return event(EVENT_HUNG, "error", ["heartbeat", "hung"], {
        ...(op.last_heartbeat_at !== undefined && {
          seconds_since_heartbeat: Math.round((op.at - op.last_heartbeat_at) / 1_000),
        }),
        ...(op.process_state && { process_state: op.process_state }),
      });
    case "recovered":
      return event(EVENT_RECOVERED, "info", ["heartbeat", "recovery"], {
        ...(op.duration_ms !== undefined && { duration_ms: op.duration_ms }),
      });
    case "crash":
      return event(EVENT_CRASHED, "critical", ["crash", "process"], {
        reason: op.reason ?? "",
        ...(op.signal && { signal: op.signal }),
      });
    default:
      return undefined;
  }
}
