/**
 * The verdict on a session: a pure function of observations and the time. Observations are gathered op by op (`observe`); only the session
 * object asks for the verdict, so it has one writer. Verdicts are reversible: they follow the observations.
 *
 *   crashed    its process is gone without goodbye
 *   ended      it said goodbye
 *   suspended  nobody speaks for it any more: offline, asleep, or the whole machine is gone; we can't tell, and say so
 *   hung       it exists, but its heartbeats stopped
 *   active     none of these
 */
import type { Evidence, Transition, Verdict } from "./answers.ts";
import {
  DEFAULT_HEARTBEAT_TIMEOUT_MS,
  DEFAULT_LEASE_MS,
  HEARTBEAT_GRACE_MS,
  MAX_NAME_LENGTH,
  MAX_TRANSITIONS,
} from "./limits.ts";
import { EVENT_HUNG, EVENT_RECOVERED } from "./vocabulary.ts";
import type { Crash, End, Op } from "./wire.ts";
import { formatDuration } from "./format.ts";
import { signalMeaning } from "./signals.ts";

/** Times are the program's clock, except `lastContactAt`: the server's, since only its silence can be measured there. */
export type Observations = {
  startedAt: number;
  /** When the server last heard of the session from anybody. */
  lastContactAt: number;
  /** How long that holds. */
  leaseMs: number;
  /** The newest op of the program itself. */
  lastOpAt: number;
  lastHeartbeatAt: number | null;
  heartbeatTimeoutMs: number;
  /** How long it has shown since its last heartbeat, by its own words, that it runs. */
  runningMs: number;
  paused: boolean;
  /** What is known of a hang that has not ended. */
  hang: { at: number; processState?: string; cpuPercent?: number } | null;
  everHung: boolean;
  /** Its last hang that ended: from the heartbeat before to the one that ended it. Unknown in what was recorded before this was kept. */
  pastHang?: { at: number; until: number };
  slept: { at: number; durationMs: number } | null;
  end: Pick<End, "at" | "exit_code" | "signal"> | null;
  crash: Omit<Crash, "op"> | null;
  /** The newest exception, for the evidence. */
  exception: { at: number; type: string; message: string; handled: boolean } | null;
  transitions: Transition[];
};

export function newObservations(at: number, now: number): Observations {
  return {
    startedAt: at,
    lastContactAt: now,
    leaseMs: DEFAULT_LEASE_MS,
    lastOpAt: at,
    lastHeartbeatAt: null,
    heartbeatTimeoutMs: DEFAULT_HEARTBEAT_TIMEOUT_MS,
    runningMs: 0,
    paused: false,
    hang: null,
    everHung: false,
    slept: null,
    end: null,
    crash: null,
    exception: null,
    transitions: [],
  };
}

/** A little later than the crash, so that the program's last ops, arriving after the news of its death, don't revive it. */
const REVIVAL_MS = 1_000;
/** How much a program still says after an exception that ends it: its exit hooks log too. */
const LAST_WORDS_MS = 5_000;
/** Characters kept of what a program says of its own end. */
const KEPT_TEXT = 1_000;

/** Takes in one op. Changes `observations`. Ops of several lanes may come in any order. */
export function observe(observations: Observations, op: Op): void {
  switch (op.op) {
    case "start":
      observations.startedAt = Math.min(observations.startedAt, op.at);
      speak(observations, op.at);
      break;
    case "heartbeat":
      if (observations.hang && op.at > observations.hang.at) recover(observations, op.at);
      speak(observations, op.at);
      beat(observations, op.at);
      observations.heartbeatTimeoutMs = op.timeout_ms ?? observations.heartbeatTimeoutMs;
      observations.paused = false;
      break;
    case "pause":
      speak(observations, op.at);
      observations.paused = true;
      break;
    case "resume":
      speak(observations, op.at);
      observations.paused = false;
      if (observations.lastHeartbeatAt !== null) beat(observations, op.at);
      break;
    case "hang":
      observations.everHung = true;
      // The heartbeat that ended it may have come first.
      if (op.at < (observations.lastHeartbeatAt ?? 0)) break;
      observations.hang = {
        at: op.at,
        ...(op.process_state && { processState: op.process_state }),
        ...(op.cpu_percent !== undefined && { cpuPercent: op.cpu_percent }),
      };
      break;
    case "recovered":
      if (observations.hang) recover(observations, op.at);
      if (op.duration_ms !== undefined)
        observations.pastHang = { at: op.at - op.duration_ms, until: op.at };
      speak(observations, op.at);
      observations.everHung = true;
      break;
    case "slept":
      observations.slept = { at: op.at, durationMs: op.duration_ms };
      // Asleep, a program cannot beat: its next heartbeat is due from the waking on.
      if (observations.lastHeartbeatAt !== null) beat(observations, op.at);
      break;
    case "end":
      observations.end = {
        at: op.at,
        ...(op.exit_code !== undefined && { exit_code: op.exit_code }),
        ...(op.signal && { signal: op.signal }),
      };
      break;
    case "crash": {
      // Whoever spoke later than its death is not dead.
      if (observations.lastOpAt > op.at + REVIVAL_MS) break;
      const { op: _, ...crash } = op;
      observations.crash = crash;
      if (crash.reason !== undefined) crash.reason = crash.reason.slice(0, KEPT_TEXT);
      if (crash.message !== undefined) crash.message = crash.message.slice(0, KEPT_TEXT);
      break;
    }
    case "event":
      speak(observations, op.at);
      if (op.exception_type && op.at >= (observations.exception?.at ?? 0)) {
        observations.exception = {
          at: op.at,
          type: op.exception_type.slice(0, MAX_NAME_LENGTH),
          message: (op.exception_msg ?? "").slice(0, KEPT_TEXT),
          handled: op.handled ?? true,
        };
      }
      // 1.x's daemon tells of hangs by events.
      if (op.name === EVENT_HUNG) observe(observations, { op: "hang", at: op.at });
      if (op.name === EVENT_RECOVERED) observe(observations, { op: "recovered", at: op.at });
      break;
    case "state":
    case "metric":
      speak(observations, op.at);
      break;
    case "points": {
      let at = op.at;
      let latest = op.at;
      for (const step of op.dt) {
        at += step;
        latest = Math.max(latest, at);
        if (observations.lastHeartbeatAt !== null) speak(observations, at);
      }
      speak(observations, latest);
      break;
    }
    case "dropped":
      break;
    default:
      op satisfies never;
  }
}

/**
 * A gap between two words counts as running for half a heartbeat's time at most: the machine may have slept in it, or a debugger
 * held the program, and then the first word after it says nothing about heartbeats.
 */
function speak(observations: Observations, at: number): void {
  if (observations.crash && at > observations.crash.at + REVIVAL_MS) observations.crash = null;
  if (at <= observations.lastOpAt) return;
  if (
    observations.lastHeartbeatAt !== null &&
    !observations.paused &&
    at > observations.lastHeartbeatAt
  ) {
    const silence = at - Math.max(observations.lastOpAt, observations.lastHeartbeatAt);
    observations.runningMs += Math.min(silence, observations.heartbeatTimeoutMs / 2);
  }
  observations.lastOpAt = at;
}

function recover(observations: Observations, at: number): void {
  observations.pastHang = {
    at: observations.lastHeartbeatAt ?? observations.hang?.at ?? at,
    until: at,
  };
  observations.hang = null;
}

function beat(observations: Observations, at: number): void {
  if (observations.lastHeartbeatAt !== null && at <= observations.lastHeartbeatAt) return;
  observations.lastHeartbeatAt = at;
  observations.runningMs = 0;
}

/** The heartbeat that is overdue, by the program's own later words: then it runs, but the loop that beats does not. */
function isOverdue(observations: Observations): boolean {
  const { paused, runningMs, heartbeatTimeoutMs } = observations;
  return !paused && runningMs > heartbeatLimitMs(heartbeatTimeoutMs);
}

/** How long a program may send no heartbeat before it counts as hung. The daemon decides by the same limit (daemon/watch/hang.ts). */
export function heartbeatLimitMs(timeoutMs: number): number {
  return timeoutMs + HEARTBEAT_GRACE_MS;
}

export function verdict(observations: Observations, now: number): Verdict {
  if (observations.crash) return crashed(observations, observations.crash);
  if (observations.end) return ended(observations, observations.end);
  if (now > observations.lastContactAt + observations.leaseMs) return suspended(observations);
  if (observations.hang || isOverdue(observations)) return hung(observations);
  return {
    status: "active",
    since: activeSince(observations),
    headline: "Running",
    confidence: "certain",
    evidence: [...heartbeatEvidence(observations), ...pastHangEvidence(observations)],
  };
}

/** The next moment at which the verdict could change without a further op, or null. */
export function nextChange(observations: Observations, now: number): number | null {
  if (observations.crash || observations.end) return null;
  const leaseEnds = observations.lastContactAt + observations.leaseMs;
  return leaseEnds >= now ? leaseEnds + 1 : null;
}

/** Notes a change of verdict among the session's transitions. True if there was one. */
export function noteTransition(observations: Observations, now: number): boolean {
  const current = verdict(observations, now);
  if (observations.transitions.at(-1)?.status === current.status) return false;
  // Whatever became of it by the time it was first heard of, it began by running.
  if (observations.transitions.length === 0 && current.status !== "active") {
    observations.transitions.push({
      at: observations.startedAt,
      status: "active",
      headline: "Running",
    });
  }
  observations.transitions.push({
    at: current.since,
    status: current.status,
    headline: current.headline,
  });
  if (observations.transitions.length > MAX_TRANSITIONS) observations.transitions.shift();
  return true;
}

function crashed(observations: Observations, crash: NonNullable<Observations["crash"]>): Verdict {
  const evidence: Evidence[] = [];
  const uncaught = uncaughtException(observations);
  const say = (kind: string, text: string, confidence: Evidence["confidence"], at?: number) =>
    evidence.push({ kind, text, confidence, ...(at !== undefined && { at }) });

  if (uncaught)
    say(
      "exception",
      `Uncaught ${uncaught.type}${uncaught.message ? `: ${uncaught.message}` : ""}`,
      "certain",
      uncaught.at,
    );
  if (crash.out_of_memory)
    say("out_of_memory", "The system killed it because memory ran out", "certain", crash.at);
  if (crash.signal) say("signal", signalMeaning(crash.signal), "certain", crash.at);
  if (crash.exit_code !== undefined)
    say("exit_code", `It exited with code ${crash.exit_code}`, "certain", crash.at);
  if (crash.rebooted)
    say("rebooted", "The machine was restarted while it ran", "certain", crash.at);
  if (evidence.length === 0)
    say("process_died", "Its process is gone and did not end the session", "likely", crash.at);
  if (crash.message) say("message", crash.message, "likely", crash.at);
  evidence.push(...sleepEvidence(observations), ...heartbeatEvidence(observations, crash.at));
  if (observations.hang)
    say(
      "hung",
      `It had not answered since ${formatDuration(Math.max(0, crash.at - observations.hang.at))} before`,
      "likely",
      observations.hang.at,
    );
  evidence.push(...pastHangEvidence(observations));

  return {
    status: "crashed",
    since: crash.at,
    headline: crashHeadline(crash, uncaught),
    confidence: evidence[0]?.confidence ?? "likely",
    evidence,
  };
}

/** The exception that ended it: not caught, and nothing but last words after it. One that ended a thread long ago is another story. */
function uncaughtException({ exception, lastOpAt }: Observations): Observations["exception"] {
  if (!exception || exception.handled) return null;
  return lastOpAt <= exception.at + LAST_WORDS_MS ? exception : null;
}

function crashHeadline(
  crash: NonNullable<Observations["crash"]>,
  uncaught: Observations["exception"],
): string {
  if (crash.out_of_memory) return "Crashed: out of memory";
  if (uncaught) return `Crashed: uncaught ${uncaught.type}`;
  if (crash.signal) return `Crashed: ${crash.signal}`;
  if (crash.rebooted) return "Crashed: the machine was restarted";
  if (crash.exit_code !== undefined) return `Crashed: exit code ${crash.exit_code}`;
  return "Crashed: the process is gone";
}

function ended(observations: Observations, end: NonNullable<Observations["end"]>): Verdict {
  const ran = formatDuration(Math.max(0, end.at - observations.startedAt));
  const evidence: Evidence[] = [
    { kind: "end", text: `It ended its session after ${ran}`, at: end.at, confidence: "certain" },
  ];
  if (end.exit_code !== undefined) {
    const meaning = end.exit_code === 0 ? "success" : "not a success";
    evidence.push({
      kind: "exit_code",
      text: `Exit code ${end.exit_code}, ${meaning}`,
      at: end.at,
      confidence: "certain",
    });
  }
  if (end.signal)
    evidence.push({
      kind: "signal",
      text: signalMeaning(end.signal),
      at: end.at,
      confidence: "certain",
    });
  evidence.push(...sleepEvidence(observations), ...pastHangEvidence(observations));

  let headline = "Ended";
  if (end.signal) headline = `Ended by ${end.signal}`;
  else if (end.exit_code !== undefined) headline = `Ended with exit code ${end.exit_code}`;
  return { status: "ended", since: end.at, headline, confidence: "certain", evidence };
}

function suspended(observations: Observations): Verdict {
  const since = observations.lastContactAt + observations.leaseMs;
  return {
    status: "suspended",
    since,
    headline: "Lost contact",
    confidence: "unsure",
    evidence: [
      {
        kind: "silence",
        text: `Neither the program nor its daemon was heard for ${formatDuration(observations.leaseMs)}: offline, asleep, or the machine is gone. What was recorded meanwhile arrives when it is back`,
        at: observations.lastContactAt,
        confidence: "unsure",
      },
      ...heartbeatEvidence(observations),
      ...pastHangEvidence(observations),
    ],
  };
}

function hung(observations: Observations): Verdict {
  const deadline =
    (observations.lastHeartbeatAt ?? observations.startedAt) + observations.heartbeatTimeoutMs;
  const since = observations.hang
    ? Math.min(observations.hang.at, Math.max(deadline, observations.startedAt))
    : deadline;
  const evidence = heartbeatEvidence(observations);
  const doing: { [state: string]: string } = {
    blocked: "Its process waits for something and uses no processor time",
    spinning: "Its process keeps a processor busy: an endless loop",
    stopped: "Its process is stopped by a signal or a debugger",
  };
  const state = observations.hang?.processState;
  if (observations.hang && state) {
    const cpu =
      observations.hang.cpuPercent === undefined
        ? ""
        : ` (${Math.round(observations.hang.cpuPercent)} % CPU)`;
    evidence.push({
      kind: state,
      text: `${doing[state] ?? state}${cpu}`,
      at: observations.hang.at,
      confidence: "certain",
    });
  }
  if (!observations.hang && observations.lastHeartbeatAt !== null) {
    const later = formatDuration(observations.lastOpAt - observations.lastHeartbeatAt);
    evidence.push({
      kind: "still_speaking",
      text: `It still logged ${later} after its last heartbeat`,
      at: observations.lastOpAt,
      confidence: "certain",
    });
  }
  const how = state === "spinning" ? "Hung in a loop" : state === "stopped" ? "Stopped" : "Hung";
  return {
    status: "hung",
    since,
    headline: `${how}: no heartbeat`,
    confidence: observations.hang ? "certain" : "likely",
    evidence,
  };
}

function heartbeatEvidence(observations: Observations, crashAt?: number): Evidence[] {
  const { lastHeartbeatAt: at, heartbeatTimeoutMs } = observations;
  if (at === null) return [];
  const before =
    crashAt === undefined ? "" : ` ${formatDuration(Math.max(0, crashAt - at))} before the crash`;
  const text = `Last heartbeat${before} (one is due every ${formatDuration(heartbeatTimeoutMs)})`;
  return [{ kind: "heartbeat", text, at, confidence: "certain" }];
}

function pastHangEvidence({ pastHang }: Observations): Evidence[] {
  if (!pastHang) return [];
  const { at, until } = pastHang;
  const text = `It had hung, without a heartbeat for ${formatDuration(until - at)}, and recovered`;
  return [{ kind: "recovered", text, at, confidence: "certain" }];
}

function sleepEvidence(observations: Observations): Evidence[] {
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

/** Since it was last something else; the server's word for when silence ended, the program's for the rest. */
function activeSince(observations: Observations): number {
  const last = observations.transitions.at(-1);
  if (!last) return observations.startedAt;
  if (last.status === "active") return last.at;
  return Math.max(
    last.at,
    last.status === "suspended" ? observations.lastContactAt : observations.lastOpAt,
  );
}
