/**
 * The verdict on a session: a pure function of facts and the time. Facts are gathered op by op (`learn`); only the session
 * object asks for the verdict, so it has one writer. Verdicts are reversible: they follow the facts.
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
import { duration, signalMeaning } from "./words.ts";

/** Times are the program's clock, except `heardAt`: the server's, since only its silence can be measured there. */
export type Facts = {
  startedAt: number;
  /** When the server last heard of the session from anybody. */
  heardAt: number;
  /** How long that holds. */
  leaseMs: number;
  /** The newest op of the program itself. */
  spokeAt: number;
  lastHeartbeatAt: number | null;
  heartbeatTimeoutMs: number;
  /** How long it has shown since its last heartbeat, by its own words, that it runs. */
  awakeMs: number;
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

export function newFacts(at: number, now: number): Facts {
  return {
    startedAt: at,
    heardAt: now,
    leaseMs: DEFAULT_LEASE_MS,
    spokeAt: at,
    lastHeartbeatAt: null,
    heartbeatTimeoutMs: DEFAULT_HEARTBEAT_TIMEOUT_MS,
    awakeMs: 0,
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

/** Takes in one op. Changes `facts`. Ops of several lanes may come in any order. */
export function learn(facts: Facts, op: Op): void {
  switch (op.op) {
    case "start":
      facts.startedAt = Math.min(facts.startedAt, op.at);
      speak(facts, op.at);
      break;
    case "heartbeat":
      if (facts.hang && op.at > facts.hang.at) recover(facts, op.at);
      speak(facts, op.at);
      beat(facts, op.at);
      facts.heartbeatTimeoutMs = op.timeout_ms ?? facts.heartbeatTimeoutMs;
      facts.paused = false;
      break;
    case "pause":
      speak(facts, op.at);
      facts.paused = true;
      break;
    case "resume":
      speak(facts, op.at);
      facts.paused = false;
      if (facts.lastHeartbeatAt !== null) beat(facts, op.at);
      break;
    case "hang":
      facts.everHung = true;
      // The heartbeat that ended it may have come first.
      if (op.at < (facts.lastHeartbeatAt ?? 0)) break;
      facts.hang = {
        at: op.at,
        ...(op.process_state && { processState: op.process_state }),
        ...(op.cpu_percent !== undefined && { cpuPercent: op.cpu_percent }),
      };
      break;
    case "recovered":
      if (facts.hang) recover(facts, op.at);
      if (op.duration_ms !== undefined)
        facts.pastHang = { at: op.at - op.duration_ms, until: op.at };
      speak(facts, op.at);
      facts.everHung = true;
      break;
    case "slept":
      facts.slept = { at: op.at, durationMs: op.duration_ms };
      // Asleep, a program cannot beat: its next heartbeat is due from the waking on.
      if (facts.lastHeartbeatAt !== null) beat(facts, op.at);
      break;
    case "end":
      facts.end = {
        at: op.at,
        ...(op.exit_code !== undefined && { exit_code: op.exit_code }),
        ...(op.signal && { signal: op.signal }),
      };
      break;
    case "crash": {
      // Whoever spoke later than its death is not dead.
      if (facts.spokeAt > op.at + REVIVAL_MS) break;
      const { op: _, ...crash } = op;
      facts.crash = crash;
      if (crash.reason !== undefined) crash.reason = crash.reason.slice(0, KEPT_TEXT);
      if (crash.message !== undefined) crash.message = crash.message.slice(0, KEPT_TEXT);
      break;
    }
    case "event":
      speak(facts, op.at);
      if (op.exception_type && op.at >= (facts.exception?.at ?? 0)) {
        facts.exception = {
          at: op.at,
          type: op.exception_type.slice(0, MAX_NAME_LENGTH),
          message: (op.exception_msg ?? "").slice(0, KEPT_TEXT),
          handled: op.handled ?? true,
        };
      }
      // 1.x's daemon tells of hangs by events.
      if (op.name === EVENT_HUNG) learn(facts, { op: "hang", at: op.at });
      if (op.name === EVENT_RECOVERED) learn(facts, { op: "recovered", at: op.at });
      break;
    case "state":
    case "metric":
      speak(facts, op.at);
      break;
    case "points": {
      let at = op.at;
      let latest = op.at;
      for (const step of op.dt) {
        at += step;
        latest = Math.max(latest, at);
        if (facts.lastHeartbeatAt !== null) speak(facts, at);
      }
      speak(facts, latest);
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
function speak(facts: Facts, at: number): void {
  if (facts.crash && at > facts.crash.at + REVIVAL_MS) facts.crash = null;
  if (at <= facts.spokeAt) return;
  if (facts.lastHeartbeatAt !== null && !facts.paused && at > facts.lastHeartbeatAt) {
    const silence = at - Math.max(facts.spokeAt, facts.lastHeartbeatAt);
    facts.awakeMs += Math.min(silence, facts.heartbeatTimeoutMs / 2);
  }
  facts.spokeAt = at;
}

function recover(facts: Facts, at: number): void {
  facts.pastHang = { at: facts.lastHeartbeatAt ?? facts.hang?.at ?? at, until: at };
  facts.hang = null;
}

function beat(facts: Facts, at: number): void {
  if (facts.lastHeartbeatAt !== null && at <= facts.lastHeartbeatAt) return;
  facts.lastHeartbeatAt = at;
  facts.awakeMs = 0;
}

/** The heartbeat that is overdue, by the program's own later words: then it runs, but the loop that beats does not. */
function isOverdue(facts: Facts): boolean {
  return !facts.paused && facts.awakeMs > facts.heartbeatTimeoutMs + HEARTBEAT_GRACE_MS;
}

export function verdict(facts: Facts, now: number): Verdict {
  if (facts.crash) return crashed(facts, facts.crash);
  if (facts.end) return ended(facts, facts.end);
  if (now > facts.heardAt + facts.leaseMs) return suspended(facts);
  if (facts.hang || isOverdue(facts)) return hung(facts);
  return {
    status: "active",
    since: activeSince(facts),
    headline: "Running",
    confidence: "certain",
    evidence: [...heartbeatEvidence(facts), ...pastHangEvidence(facts)],
  };
}

/** The next moment at which the verdict could change without a further op, or null. */
export function nextChange(facts: Facts, now: number): number | null {
  if (facts.crash || facts.end) return null;
  const leaseEnds = facts.heardAt + facts.leaseMs;
  return leaseEnds >= now ? leaseEnds + 1 : null;
}

/** Notes a change of verdict among the session's transitions. True if there was one. */
export function noteTransition(facts: Facts, now: number): boolean {
  const current = verdict(facts, now);
  if (facts.transitions.at(-1)?.status === current.status) return false;
  // Whatever became of it by the time it was first heard of, it began by running.
  if (facts.transitions.length === 0 && current.status !== "active") {
    facts.transitions.push({ at: facts.startedAt, status: "active", headline: "Running" });
  }
  facts.transitions.push({ at: current.since, status: current.status, headline: current.headline });
  if (facts.transitions.length > MAX_TRANSITIONS) facts.transitions.shift();
  return true;
}

function crashed(facts: Facts, crash: NonNullable<Facts["crash"]>): Verdict {
  const evidence: Evidence[] = [];
  const uncaught = uncaughtException(facts);
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
  evidence.push(...sleepEvidence(facts), ...heartbeatEvidence(facts, crash.at));
  if (facts.hang)
    say(
      "hung",
      `It had not answered since ${duration(Math.max(0, crash.at - facts.hang.at))} before`,
      "likely",
      facts.hang.at,
    );
  evidence.push(...pastHangEvidence(facts));

  return {
    status: "crashed",
    since: crash.at,
    headline: crashHeadline(crash, uncaught),
    confidence: evidence[0]?.confidence ?? "likely",
    evidence,
  };
}

/** The exception that ended it: not caught, and nothing but last words after it. One that ended a thread long ago is another story. */
function uncaughtException({ exception, spokeAt }: Facts): Facts["exception"] {
  if (!exception || exception.handled) return null;
  return spokeAt <= exception.at + LAST_WORDS_MS ? exception : null;
}

function crashHeadline(crash: NonNullable<Facts["crash"]>, uncaught: Facts["exception"]): string {
  if (crash.out_of_memory) return "Crashed: out of memory";
  if (uncaught) return `Crashed: uncaught ${uncaught.type}`;
  if (crash.signal) return `Crashed: ${crash.signal}`;
  if (crash.rebooted) return "Crashed: the machine was restarted";
  if (crash.exit_code !== undefined) return `Crashed: exit code ${crash.exit_code}`;
  return "Crashed: the process is gone";
}

function ended(facts: Facts, end: NonNullable<Facts["end"]>): Verdict {
  const ran = duration(Math.max(0, end.at - facts.startedAt));
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
  evidence.push(...sleepEvidence(facts), ...pastHangEvidence(facts));

  let headline = "Ended";
  if (end.signal) headline = `Ended by ${end.signal}`;
  else if (end.exit_code !== undefined) headline = `Ended with exit code ${end.exit_code}`;
  return { status: "ended", since: end.at, headline, confidence: "certain", evidence };
}

function suspended(facts: Facts): Verdict {
  const since = facts.heardAt + facts.leaseMs;
  return {
    status: "suspended",
    since,
    headline: "No word from it",
    confidence: "unsure",
    evidence: [
      {
        kind: "silence",
        text: `Neither the program nor its daemon was heard for ${duration(facts.leaseMs)}: offline, asleep, or the machine is gone. What was recorded meanwhile arrives when it is back`,
        at: facts.heardAt,
        confidence: "unsure",
      },
      ...heartbeatEvidence(facts),
      ...pastHangEvidence(facts),
    ],
  };
}

function hung(facts: Facts): Verdict {
  const deadline = (facts.lastHeartbeatAt ?? facts.startedAt) + facts.heartbeatTimeoutMs;
  const since = facts.hang
    ? Math.min(facts.hang.at, Math.max(deadline, facts.startedAt))
    : deadline;
  const evidence = heartbeatEvidence(facts);
  const doing: { [state: string]: string } = {
    blocked: "Its process waits for something and uses no processor time",
    spinning: "Its process keeps a processor busy: an endless loop",
    stopped: "Its process is stopped by a signal or a debugger",
  };
  const state = facts.hang?.processState;
  if (facts.hang && state) {
    const cpu =
      facts.hang.cpuPercent === undefined ? "" : ` (${Math.round(facts.hang.cpuPercent)} % CPU)`;
    evidence.push({
      kind: state,
      text: `${doing[state] ?? state}${cpu}`,
      at: facts.hang.at,
      confidence: "certain",
    });
  }
  if (!facts.hang && facts.lastHeartbeatAt !== null) {
    const later = duration(facts.spokeAt - facts.lastHeartbeatAt);
    evidence.push({
      kind: "still_speaking",
      text: `It still logged ${later} after its last heartbeat`,
      at: facts.spokeAt,
      confidence: "certain",
    });
  }
  const how = state === "spinning" ? "Hung in a loop" : state === "stopped" ? "Stopped" : "Hung";
  return {
    status: "hung",
    since,
    headline: `${how}: no heartbeat`,
    confidence: facts.hang ? "certain" : "likely",
    evidence,
  };
}

function heartbeatEvidence(facts: Facts, crashAt?: number): Evidence[] {
  const { lastHeartbeatAt: at, heartbeatTimeoutMs } = facts;
  if (at === null) return [];
  const before =
    crashAt === undefined ? "" : ` ${duration(Math.max(0, crashAt - at))} before the crash`;
  const text = `Last heartbeat${before} (one is due every ${duration(heartbeatTimeoutMs)})`;
  return [{ kind: "heartbeat", text, at, confidence: "certain" }];
}

function pastHangEvidence({ pastHang }: Facts): Evidence[] {
  if (!pastHang) return [];
  const { at, until } = pastHang;
  const text = `It had hung, without a heartbeat for ${duration(until - at)}, and recovered`;
  return [{ kind: "recovered", text, at, confidence: "certain" }];
}

function sleepEvidence(facts: Facts): Evidence[] {
  if (!facts.slept) return [];
  return [
    {
      kind: "slept",
      text: `The machine slept for ${duration(facts.slept.durationMs)}`,
      at: facts.slept.at,
      confidence: "certain",
    },
  ];
}

/** Since it was last something else; the server's word for when silence ended, the program's for the rest. */
function activeSince(facts: Facts): number {
  const last = facts.transitions.at(-1);
  if (!last) return facts.startedAt;
  if (last.status === "active") return last.at;
  return Math.max(last.at, last.status === "suspended" ? facts.heardAt : facts.spokeAt);
}
