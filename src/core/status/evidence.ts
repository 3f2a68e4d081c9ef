/** The reasons for a verdict, as sentences. */
import type { Evidence, Verdict } from "../answers/verdict.ts";
import { formatBytes, formatCount, formatDuration } from "../text/format.ts";
import {
  CLOCK_TOLERANCE_MS,
  EXIT_HOOKS_MS,
  LOW_MEMORY_SHARE,
  MAX_EXCEPTION_LENGTH,
  NOTABLE_BYTES,
} from "../limits.ts";
import type { Observations } from "./observations.ts";
import { plainText } from "../text/recorded-text.ts";
import { samplesEvidence, type StackSample } from "./stacks.ts";
import type { Crash } from "../wire.ts";

/** The uncaught exception that ended the program: only exit hooks logged after it. An earlier one ended a thread, not the program. */
export function uncaughtException({
  exception,
  lastOpAt,
}: Observations): Observations["exception"] {
  if (!exception || exception.handled) return null;
  return lastOpAt <= exception.at + EXIT_HOOKS_MS ? exception : null;
}

type Known = NonNullable<Observations["exception"]>;

/** "TypeError: config.queue is undefined", in one line. */
export function exceptionText({ type, message }: Known): string {
  const [first = ""] = message.trimStart().split("\n", 1);
  const text = plainText(first).slice(0, MAX_EXCEPTION_LENGTH).trim();
  return text === "" ? type : `${type}: ${text}`;
}

/** The exception that ended the program, and where it was raised. */
export function causeEvidence(exception: Known): Evidence[] {
  const { type, message, place, at, isFatal } = exception;
  // The names of exceptions, not "command not found" or "AddressSanitizer: SEGV".
  const isThrown = !isFatal && /^\S+$/.test(type) && /[A-Z.:]/.test(type);
  const text = `${isThrown ? UNCAUGHT : ""}${type}${message ? `: ${message}` : ""}`;
  const evidence: Evidence[] = [{ kind: "exception", text, at, confidence: "certain" }];
  // The stacks that were recorded with a fatal error show the place as well.
  if (place !== undefined && !isFatal)
    evidence.push({ kind: "place", text: `Raised in ${place}`, confidence: "certain" });
  return evidence;
}

const UNCAUGHT = "Uncaught ";

/** The evidence as people read it, below the headline: without what the headline has already. */
export function shownEvidence({
  headline,
  evidence,
}: Pick<Verdict, "headline" | "evidence">): Evidence[] {
  return evidence.flatMap((each) => {
    if (each.kind !== "exception" && each.kind !== "exit_code") return [each];
    const isUncaught = each.text.startsWith(UNCAUGHT);
    const text = isUncaught ? each.text.slice(UNCAUGHT.length) : each.text;
    if (!headline.toLowerCase().endsWith(`: ${text.toLowerCase()}`)) return [each];
    return isUncaught ? [{ ...each, text: "Nothing caught this exception" }] : [];
  });
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

export function pastHangEvidence({ pastHang, hangSamples }: Observations): Evidence[] {
  if (!pastHang) return [];
  const { at, until } = pastHang;
  const text = `Recovered from a hang: no heartbeat for ${formatDuration(until - at)}`;
  return [
    { kind: "recovered", text, at, confidence: "certain" },
    ...samplesEvidence(hangSamples.filter((sample) => sample.at >= at && sample.at <= until)),
  ];
}

/** A hang that the end of the program ended. */
export function unendedHangEvidence(
  { hang, hangSamples }: Observations,
  endedAt: number,
  what: "crash" | "end",
): Evidence[] {
  if (!hang) return [];
  const text = `Hung for ${formatDuration(Math.max(0, endedAt - hang.at))} before the ${what}`;
  return [
    { kind: "hung", text, at: hang.at, confidence: "likely" },
    ...samplesEvidence(hangSamples),
  ];
}

/** Where the thread was that caused the end, or the main thread when a signal ended the program. */
export function placeAtEnd({ diedIn, crash, end }: Observations): StackSample | undefined {
  const endedAt = crash?.at ?? end?.at;
  if (!diedIn?.own || endedAt === undefined) return undefined;
  // Of a forked process, which ended before.
  return Math.abs(endedAt - diedIn.at) <= EXIT_HOOKS_MS ? diedIn : undefined;
}

/** The memory and the activity of a process before its end, where that is all that is known, and what else ended then. */
export function lastSeenEvidence({ last, also_ended: others, at }: Omit<Crash, "op">): Evidence[] {
  const alsoEnded =
    others &&
    `${formatCount(others, "other recorded program")} of this machine ended in the same second`;
  const texts = {
    memory: last && memoryText(last),
    activity: last && activityText(last),
    machine_memory: last && machineText(last),
    also_ended: alsoEnded || undefined,
  };
  return Object.entries(texts).flatMap(([kind, text]) =>
    text === undefined ? [] : [{ kind, text, at, confidence: "certain" as const }],
  );
}

type LastSeen = NonNullable<Crash["last"]>;

function memoryText({ memory_from: from, memory_to: to, memory_ms: ms }: LastSeen) {
  if (from === undefined || to === undefined || ms === undefined) return undefined;
  if (Math.abs(to - from) < Math.max(from / 10, NOTABLE_BYTES))
    return `It used ${formatBytes(to)} of memory`;
  const how = to > from ? "grew" : "fell";
  return `Its memory ${how} from ${formatBytes(from)} to ${formatBytes(to)} in its last ${formatDuration(ms)}`;
}

function activityText({ process_state: state, cpu_percent: cpu }: LastSeen): string | undefined {
  if (state === undefined) return undefined;
  const percent = cpu === undefined ? "" : ` (${Math.round(cpu)} % CPU)`;
  return `Before its end it ${ACTIVITIES[state]}${percent}`;
}

const ACTIVITIES = {
  blocked: "mostly waited",
  spinning: "kept a CPU core busy",
  stopped: "was stopped by a signal or a debugger",
};

function machineText({ available_bytes: free, total_bytes: total }: LastSeen): string | undefined {
  if (free === undefined || total === undefined || total === 0) return undefined;
  const isLow = free < total * LOW_MEMORY_SHARE;
  return `${isLow ? "The machine was low on memory: it" : "The machine"} had ${formatBytes(free)} of ${formatBytes(total)} available`;
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
