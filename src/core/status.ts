/**
 * The verdict on a session: a pure function of observations and the time. `observe` updates the observations op by op. Only the
 * session object computes the verdict, so it has one writer. A verdict is reversible: it follows the observations.
 *
 *   crashed    the process ended without an `end` op, or by an error
 *   ended      an `end` op arrived
 *   suspended  neither the program nor its daemon makes contact: offline, asleep, or the machine is gone; the cause is unknown
 *   hung       the process exists, but its heartbeats stopped
 *   active     none of these
 */
import type { Evidence, Transition, Verdict } from "./answers.ts";
import { heartbeatLimitMs } from "./heartbeat.ts";
import {
  CRASH_REVERT_MS,
  DEFAULT_HEARTBEAT_TIMEOUT_MS,
  DEFAULT_LEASE_MS,
  EXIT_HOOKS_MS,
  MAX_NAME_LENGTH,
  MAX_REASON_LENGTH,
  MAX_TRANSITIONS,
} from "./limits.ts";
import { EVENT_HUNG, EVENT_RECOVERED } from "./vocabulary.ts";
import type { Crash, End, Op } from "./wire.ts";
import { formatDuration } from "./format.ts";
import { signalMeaning } from "./signals.ts";

/** Times are of the program's clock, except `lastContactAt`, which is of the server's clock. */
export type Observations = {
  startedAt: number;
  /** When the server last received a batch for the session, from the program or its daemon. */
  lastContactAt: number;
  /** The session is suspended when there is no contact for this time. */
  leaseMs: number;
  /** Time of the newest op of the program itself. */
  lastOpAt: number;
  lastHeartbeatAt: number | null;
  /** The last heartbeat over 1.x's route, which its daemon sends on a timer: contact, but no progress of the program. */
  lastDaemonHeartbeatAt?: number;
  heartbeatTimeoutMs: number;
  /** For how long the program has logged ops since its last heartbeat (see `noteActivity`). */
  runningMs: number;
  paused: boolean;
  /** A hang that has not ended. */
  hang: { at: number; processState?: string; cpuPercent?: number } | null;
  everHung: boolean;
  /** The last hang that ended: from the last heartbeat before it to the one that ended it. */
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

/** Updates `observations` with one op. Ops of several lanes may arrive in any order. */
export function observe(observations: Observations, op: Op): void {
  switch (op.op) {
    case "start":
      observations.startedAt = Math.min(observations.startedAt, op.at);
      noteActivity(observations, op.at);
      break;
    case "heartbeat":
      if (observations.hang && op.at > observations.hang.at) recover(observations, op.at);
      noteActivity(observations, op.at);
      noteHeartbeat(observations, op.at);
      observations.heartbeatTimeoutMs = op.timeout_ms ?? observations.heartbeatTimeoutMs;
      observations.paused = false;
      break;
    case "pause":
      noteActivity(observations, op.at);
      observations.paused = true;
      break;
    case "resume":
      noteActivity(observations, op.at);
      observations.paused = false;
      if (observations.lastHeartbeatAt !== null) noteHeartbeat(observations, op.at);
      break;
    case "hang":
      observations.everHung = true;
      // The heartbeat that ended the hang may have arrived before it.
      if (op.at < (observations.lastHeartbeatAt ?? 0)) break;
      observations.hang = {
        at: op.at,
        processState: op.process_state,
        cpuPercent: op.cpu_percent,
      };
      break;
    case "recovered":
      if (observations.hang) recover(observations, op.at);
      if (op.duration_ms !== undefined)
        observations.pastHang = { at: op.at - op.duration_ms, until: op.at };
      noteActivity(observations, op.at);
      observations.everHung = true;
      break;
    case "slept":
      observations.slept = { at: op.at, durationMs: op.duration_ms };
      // No heartbeats are possible during sleep: the next one is due from the end of the sleep.
      if (observations.lastHeartbeatAt !== null) noteHeartbeat(observations, op.at);
      break;
    case "end":
      observations.end = {
        at: op.at,
        exit_code: op.exit_code,
        signal: op.signal || undefined,
      };
      break;
    case "crash": {
      // The program logged after this time, so it was still running.
      if (observations.lastOpAt > op.at + CRASH_REVERT_MS) break;
      const { op: _, ...crash } = op;
      observations.crash = crash;
      if (crash.reason !== undefined) crash.reason = crash.reason.slice(0, MAX_REASON_LENGTH);
      if (crash.message !== undefined) crash.message = crash.message.slice(0, MAX_REASON_LENGTH);
      break;
    }
    case "event":
      noteActivity(observations, op.at);
      if (op.exception_type && op.at >= (observations.exception?.at ?? 0)) {
        observations.exception = {
          at: op.at,
          type: op.exception_type.slice(0, MAX_NAME_LENGTH),
          message: (op.exception_msg ?? "").slice(0, MAX_REASON_LENGTH),
          handled: op.handled ?? true,
        };
      }
      // 1.x's daemon reports hangs as events.
      if (op.name === EVENT_HUNG) observe(observations, { op: "hang", at: op.at });
      if (op.name === EVENT_RECOVERED) observe(observations, { op: "recovered", at: op.at });
      break;
    case "state":
    case "metric":
      noteActivity(observations, op.at);
      break;
    case "points": {
      let at = op.at;
      let latest = op.at;
      for (const step of op.dt) {
        at += step;
        latest = Math.max(latest, at);
        if (observations.lastHeartbeatAt !== null) noteActivity(observations, at);
      }
      noteActivity(observations, latest);
      break;
    }
    case "dropped":
      break;
    default:
      op satisfies never;
  }
}

/** Notes a heartbeat of 1.x's daemon. It neither ends a hang nor starts hang detection: only its `application_recovered` event ends a hang. */
export function observeDaemonHeartbeat(observations: Observations, at: number): void {
  observations.lastDaemonHeartbeatAt = Math.max(at, observations.lastDaemonHeartbeatAt ?? 0);
}

/**
 * Notes that the program logged an op. A gap between two ops counts as at most half a heartbeat timeout of activity: the machine
 * may have slept meanwhile, or a debugger may have paused the program.
 */
function noteActivity(observations: Observations, at: number): void {
  if (observations.crash && at > observations.crash.at + CRASH_REVERT_MS) observations.crash = null;
  if (at <= observations.lastOpAt) return;
  if (
    observations.lastHeartbeatAt !== null &&
    !observations.paused &&
    at > observations.lastHeartbeatAt
  ) {
    const gap = at - Math.max(observations.lastOpAt, observations.lastHeartbeatAt);
    observations.runningMs += Math.min(gap, observations.heartbeatTimeoutMs / 2);
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

function noteHeartbeat(observations: Observations, at: number): void {
  if (observations.lastHeartbeatAt !== null && at <= observations.lastHeartbeatAt) return;
  observations.lastHeartbeatAt = at;
  observations.runningMs = 0;
}

/** Whether a heartbeat is overdue although the program logs: it runs, but the loop that sends heartbeats does not. */
function isOverdue(observations: Observations): boolean {
  const { paused, runningMs, heartbeatTimeoutMs } = observations;
  return !paused && runningMs > heartbeatLimitMs(heartbeatTimeoutMs);
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

/** Adds a change of the verdict to the transitions. True if there was one. */
export function noteTransition(observations: Observations, now: number): boolean {
  const current = verdict(observations, now);
  if (observations.transitions.at(-1)?.status === current.status) return false;
  // The first batch may already end the session, but it started by running.
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
  const add = (kind: string, text: string, confidence: Evidence["confidence"], at?: number) =>
    evidence.push({ kind, text, confidence, at });

  if (uncaught)
    add(
      "exception",
      `Uncaught ${uncaught.type}${uncaught.message ? `: ${uncaught.message}` : ""}`,
      "certain",
      uncaught.at,
    );
  if (crash.out_of_memory)
    add(
      "out_of_memory",
      "The system killed the process because memory ran out",
      "certain",
      crash.at,
    );
  if (crash.signal) add("signal", signalMeaning(crash.signal), "certain", crash.at);
  if (crash.exit_code !== undefined)
    add("exit_code", `Exit code ${crash.exit_code}`, "certain", crash.at);
  if (crash.rebooted)
    add("rebooted", "The machine restarted while the session was running", "certain", crash.at);
  if (evidence.length === 0)
    add("process_died", "Its process is gone and did not end the session", "likely", crash.at);
  if (crash.message) add("message", crash.message, "likely", crash.at);
  evidence.push(...sleepEvidence(observations), ...heartbeatEvidence(observations, crash.at));
  if (observations.hang)
    add(
      "hung",
      `Hung for ${formatDuration(Math.max(0, crash.at - observations.hang.at))} before the crash`,
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

/** The uncaught exception that ended the program: only exit hooks logged after it. An earlier one ended a thread, not the program. */
function uncaughtException({ exception, lastOpAt }: Observations): Observations["exception"] {
  if (!exception || exception.handled) return null;
  return lastOpAt <= exception.at + EXIT_HOOKS_MS ? exception : null;
}

function crashHeadline(
  crash: NonNullable<Observations["crash"]>,
  uncaught: Observations["exception"],
): string {
  if (crash.out_of_memory) return "Crashed: out of memory";
  if (uncaught) return `Crashed: uncaught ${uncaught.type}`;
  if (crash.signal) return `Crashed: ${crash.signal}`;
  if (crash.rebooted) return "Crashed: the machine restarted";
  if (crash.exit_code !== undefined) return `Crashed: exit code ${crash.exit_code}`;
  return "Crashed: the process is gone";
}

function ended(observations: Observations, end: NonNullable<Observations["end"]>): Verdict {
  const ran = formatDuration(Math.max(0, end.at - observations.startedAt));
  const evidence: Evidence[] = [
    {
      kind: "end",
      text: `The program ended the session after ${ran}`,
      at: end.at,
      confidence: "certain",
    },
  ];
  if (end.exit_code !== undefined) {
    const meaning = end.exit_code === 0 ? "success" : "failure";
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
  const { lastContactAt, leaseMs, lastDaemonHeartbeatAt } = observations;
  const silence = `No contact with the program or its daemon for ${formatDuration(leaseMs)}`;
  return {
    status: "suspended",
    since: lastContactAt + leaseMs,
    headline: "Lost contact",
    confidence: "unsure",
    evidence: [
      {
        kind: "silence",
        text:
          lastDaemonHeartbeatAt === undefined
            ? `${silence}: offline, asleep, or the machine is gone. What it recorded meanwhile arrives when the connection is back`
            : `${silence}: its datacat 1.x daemon sent heartbeats and stopped. The daemon may have ended together with its program, or is offline or asleep. It keeps what it could not send in memory only`,
        at: lastContactAt,
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
    blocked: "The process is blocked and uses no CPU time",
    spinning: "The process keeps a CPU core busy, as an endless loop does",
    stopped: "The process is stopped by a signal or a debugger",
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
      kind: "still_logging",
      text: `The program still logged ${later} after its last heartbeat`,
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
  const text = `Recovered from a hang: no heartbeat for ${formatDuration(until - at)}`;
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

/** When the session became active: the server's time of the contact after a lost contact, else the program's time. */
function activeSince(observations: Observations): number {
  const last = observations.transitions.at(-1);
  if (!last) return observations.startedAt;
  if (last.status === "active") return last.at;
  return Math.max(
    last.at,
    last.status === "suspended" ? observations.lastContactAt : observations.lastOpAt,
  );
}
