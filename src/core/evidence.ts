/** The reasons for a verdict, as sentences. */
import type { Evidence } from "./answers.ts";
import { formatCount, formatDuration } from "./format.ts";
import { EXIT_HOOKS_MS } from "./limits.ts";
import type { Observations } from "./observations.ts";

/** The uncaught exception that ended the program: only exit hooks logged after it. An earlier one ended a thread, not the program. */
export function uncaughtException({
  exception,
  lastOpAt,
}: Observations): Observations["exception"] {
  if (!exception || exception.handled) return null;
  return lastOpAt <= exception.at + EXIT_HOOKS_MS ? exception : null;
}

/** The exceptions that ended no program, but a thread, a callback or an event handler of it. */
export function uncaughtEvidence({ exception, uncaught }: Observations): Evidence[] {
  if (uncaught === 0) return [];
  const last = exception && !exception.handled ? exception : null;
  const message = last?.message ? `: ${last.message}` : "";
  const named = last ? `, the last one ${last.type}${message}` : "";
  const text = `${formatCount(uncaught, "exception was", "exceptions were")} not caught${named}`;
  return [{ kind: "uncaught", text, at: last?.at, confidence: "certain" }];
}

export function heartbeatEvidence(observations: Observations, crashAt?: number): Evidence[] {
  const { lastHeartbeatAt: at, heartbeatTimeoutMs } = observations;
  if (at === null) return [];
  const before =
    crashAt === undefined ? "" : ` ${formatDuration(Math.max(0, crashAt - at))} before the crash`;
  const text = `Last heartbeat${before} (one is due every ${formatDuration(heartbeatTimeoutMs)})`;
  return [{ kind: "heartbeat", text, at, confidence: "certain" }];
}

export function pastHangEvidence({ pastHang }: Observations): Evidence[] {
  if (!pastHang) return [];
  const { at, until } = pastHang;
  const text = `Recovered from a hang: no heartbeat for ${formatDuration(until - at)}`;
  return [{ kind: "recovered", text, at, confidence: "certain" }];
}

export function sleepEvidence(observations: Observations): Evidence[] {
  if (!observations.slept) return [];
  return [
    {
      kind: "slept",
      text: `The machine slept for ${formatDuration(observations.slept.durationMs)}`,
      at: observations.slept.at,
      confidence: "certain",
    },
  ];
}
