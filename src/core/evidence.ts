/** The reasons for a verdict, as sentences. */
import type { Evidence } from "./answers.ts";
import { formatCount, formatDuration } from "./format.ts";
import { CLOCK_TOLERANCE_MS, EXIT_HOOKS_MS } from "./limits.ts";
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

/** The clock of a machine was set, so that its times before and after do not agree. */
export function clockEvidence({ clockSteps }: Observations): Evidence[] {
  const last = clockSteps.at(-1);
  if (!last) return [];
  const by = `${last.by_ms > 0 ? "forward" : "back"} by ${formatDuration(Math.abs(last.by_ms))}`;
  const text =
    clockSteps.length === 1
      ? `The clock of the machine was set ${by}; times are shown as if it had been right`
      : `The clock of the machine was set ${clockSteps.length} times, last ${by}; times are shown as if it had been right`;
  return [{ kind: "clock", text, at: last.at, confidence: "certain" }];
}

/** "agrees with the server's", "1 d ahead of the server's; times are shown corrected". */
export function clockText({ clock_skew_ms: skew, clock_offset_ms: offset }: Clock): string {
  if (Math.abs(skew) < CLOCK_TOLERANCE_MS && offset === 0) return "agrees with the server's";
  const how = `${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the server's`;
  return offset === 0 ? `${how}, or its last request took as long` : `${how}; times are corrected`;
}

type Clock = { clock_skew_ms: number; clock_offset_ms: number };

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
