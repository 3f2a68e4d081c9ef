/**
 * What is known of a session's program and its machine: the observations that its verdict (status.ts) is based on. `observe` updates
 * them op by op; ops of several lanes may arrive in any order.
 */
import { nameLabel } from "../text/recorded-text.ts";
import type { ClockStep } from "../answers/summary.ts";
import type { Transition } from "../answers/verdict.ts";
import { heartbeatLimitMs } from "./heartbeat.ts";
import {
  CLOCK_DELAY_MS,
  CLOCK_TOLERANCE_MS,
  CRASH_REVERT_MS,
  DEFAULT_HEARTBEAT_TIMEOUT_MS,
  DEFAULT_LEASE_MS,
  EXIT_HOOKS_MS,
  MAX_CLOCK_STEPS,
  MAX_HANG_SAMPLES,
  MAX_HEARTBEAT_TIMEOUT_MS,
  MAX_NAME_LENGTH,
  MAX_REASON_LENGTH,
  MAX_TRANSITIONS,
} from "../limits.ts";
import {
  EVENT_FATAL,
  EVENT_HUNG,
  EVENT_NOT_STARTED,
  EVENT_RECOVERED,
  OUTPUT_STREAMS,
} from "../vocabulary.ts";
import { placeText } from "../stack/frame.ts";
import { sampleOf, type StackSample } from "./stacks.ts";
import { newTally, noteTest, noteTestRun, type TestTally } from "../tests/tally.ts";
import type { Crash, End, Event, JsonObject, Op, Stacks } from "../wire.ts";

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
  /** Where the main thread was in the samples of that hang, or of the last one that ended. */
  hangSamples: StackSample[];
  /** Where it was at the end of the process. */
  diedIn?: StackSample;
  everHung: boolean;
  /** The last hang that ended: from the last heartbeat before it to the one that ended it. */
  pastHang?: { at: number; until: number };
  /** The same, if only the times of its heartbeats show it, with what held before: a sleep that is reported later excuses it. */
  inferredHang?: { everHung: boolean; pastHang?: { at: number; until: number } };
  slept: { at: number; durationMs: number } | null;
  end: Omit<End, "op"> | null;
  crash: Omit<Crash, "op"> | null;
  /** The newest exception, for the evidence. */
  exception: {
    at: number;
    type: string;
    message: string;
    handled: boolean;
    /** The runtime wrote it as the process ended. */
    isFatal?: boolean;
    /** The program never ran. */
    isNotStarted?: boolean;
    /** "resolve (queue.js:3)" */
    place?: string;
  } | null;
  /** Exceptions that nothing caught. */
  uncaught: number;
  /** Its tests, if it is a test run. */
  tests?: TestTally;
  /** Times at which a clock was set, the newest ones. */
  clockSteps: ClockStep[];
  transitions: Transition[];
  /** How many older ones were removed. */
  transitionsLeftOut?: number;
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
    hangSamples: [],
    everHung: false,
    slept: null,
    end: null,
    crash: null,
    exception: null,
    uncaught: 0,
    clockSteps: [],
    transitions: [],
  };
}

/** Updates `observations` with one op, the session's `seq`-th. Ops of several lanes may arrive in any order. */
export function observe(observations: Observations, op: Op, seq = 0): void {
  switch (op.op) {
    case "start":
      observations.startedAt = Math.min(observations.startedAt, op.at);
      // It goes on, as a page that is shown again.
      if (observations.end && op.at >= observations.end.at) observations.end = null;
      if (op.state) noteState(observations, op.state);
      noteActivity(observations, op.at);
      break;
    case "heartbeat":
      if (observations.hang && op.at > observations.hang.at) recover(observations, op.at);
      else noteLateHeartbeat(observations, op.at);
      noteActivity(observations, op.at);
      noteHeartbeat(observations, op.at);
      observations.heartbeatTimeoutMs = Math.min(
        op.timeout_ms ?? observations.heartbeatTimeoutMs,
        MAX_HEARTBEAT_TIMEOUT_MS,
      );
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
      noteHang(observations, op);
      break;
    case "recovered":
      if (observations.hang) recover(observations, op.at);
      // The heartbeats themselves show it as well, by times in which no step of the clock is left.
      if (op.duration_ms !== undefined && !isMeasured(observations, op.at))
        observations.pastHang = { at: op.at - op.duration_ms, until: op.at };
      delete observations.inferredHang;
      noteActivity(observations, op.at);
      observations.everHung = true;
      break;
    case "slept":
      observations.slept = { at: op.at, durationMs: op.duration_ms };
      excuseHang(observations, op.at - op.duration_ms, op.at);
      // No heartbeats are possible during sleep: the next one is due from the end of the sleep.
      if (observations.lastHeartbeatAt !== null) noteHeartbeat(observations, op.at);
      break;
    case "end":
      observations.end = {
        at: op.at,
        exit_code: op.exit_code,
        signal: op.signal || undefined,
        thread_ended: op.thread_ended,
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
      if (op.exception_type !== undefined) noteException(observations, op);
      if (op.test) noteTest((observations.tests ??= newTally()), op, op.test, seq);
      // 1.x's daemon reports hangs as events.
      if (op.name === EVENT_HUNG) observe(observations, { op: "hang", at: op.at });
      if (op.name === EVENT_RECOVERED) observe(observations, { op: "recovered", at: op.at });
      break;
    case "state":
      noteState(observations, op.patch);
      noteActivity(observations, op.at);
      break;
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
    case "stacks":
      noteStacks(observations, op, seq);
      break;
    case "attachment":
    case "tags":
      noteActivity(observations, op.at);
      break;
    case "dropped":
      break;
    default:
      op satisfies never;
  }
}

function noteHang(observations: Observations, op: Extract<Op, { op: "hang" }>): void {
  observations.everHung = true;
  // The heartbeat that ended the hang may have arrived before it.
  if (op.at < (observations.lastHeartbeatAt ?? 0)) return;
  if (!observations.hang) observations.hangSamples = [];
  observations.hang = {
    at: op.at,
    processState: op.process_state,
    cpuPercent: op.cpu_percent,
  };
}

function noteState(observations: Observations, patch: JsonObject): void {
  const tests = noteTestRun(observations.tests, patch);
  if (tests) observations.tests = tests;
}

function noteStacks(observations: Observations, op: Stacks, seq: number): void {
  const sample = sampleOf(op, seq);
  if (op.when === "died") observations.diedIn = sample;
  else observations.hangSamples = [...observations.hangSamples, sample].slice(-MAX_HANG_SAMPLES);
}

/** Notes an exception. A program's client and the recorder of its output may both report the one that ended it. */
function noteException(observations: Observations, op: Event): void {
  const { exception: last } = observations;
  const exception = {
    at: op.at,
    type: nameLabel((op.exception_type ?? "").slice(0, MAX_NAME_LENGTH)),
    message: (op.exception_msg ?? "").slice(0, MAX_REASON_LENGTH),
    handled: op.handled ?? true,
    isFatal: op.name === EVENT_FATAL || undefined,
    isNotStarted: op.name === EVENT_NOT_STARTED || undefined,
    place: placeOf(op),
  };
  const isRepeated =
    last !== null &&
    !last.handled &&
    !exception.handled &&
    last.message === exception.message &&
    typeName(last.type) === typeName(exception.type) &&
    OUTPUT_STREAMS.includes(op.group ?? "") &&
    Math.abs(op.at - last.at) <= EXIT_HOOKS_MS;
  if (op.handled === false && !isRepeated) observations.uncaught++;
  if (op.exception_type && op.at >= (last?.at ?? 0)) observations.exception = exception;
}

/** A type's name without its module, which not every report of it has. */
const typeName = (type: string): string => type.slice(type.lastIndexOf(".") + 1);

function placeOf({ source_file, source_line, source_function }: Event): string | undefined {
  if (!source_file) return undefined;
  const place = { file: source_file, line: source_line, name: source_function ?? "" };
  return nameLabel(placeText(place).slice(0, MAX_REASON_LENGTH));
}

/** Notes that a clock was set. Several lanes of a machine show the same step. */
export function noteClockStep(
  { clockSteps }: Observations,
  { at, byMs }: { at: number; byMs: number },
): void {
  const isKnown = clockSteps.some(
    (step) =>
      Math.abs(step.by_ms - byMs) <= CLOCK_TOLERANCE_MS && Math.abs(step.at - at) <= CLOCK_DELAY_MS,
  );
  if (isKnown) return;
  clockSteps.push({ at, by_ms: byMs });
  if (clockSteps.length > MAX_CLOCK_STEPS) clockSteps.shift();
}

/** The times of earlier ops were too late by this much. */
export function shiftBack(observations: Observations, ms: number): void {
  const { startedAt, lastOpAt, lastHeartbeatAt } = observations;
  observations.lastOpAt = Math.max(startedAt, lastOpAt - ms);
  if (lastHeartbeatAt !== null)
    observations.lastHeartbeatAt = Math.max(startedAt, lastHeartbeatAt - ms);
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

/**
 * Notes a hang that has ended: the heartbeat is too late by its own time, whether a daemon watched or not. A pause is none. Neither is a
 * sleep: the client resumes after one that its clocks show, and the daemon reports it. A gap that is longer than the lease, too, is a
 * lost contact, whose cause is unknown. Steps of the clock are corrected before (core/session/clock.ts).
 */
function noteLateHeartbeat(observations: Observations, at: number): void {
  const { lastHeartbeatAt, heartbeatTimeoutMs, paused, leaseMs, everHung, pastHang } = observations;
  if (lastHeartbeatAt === null || paused) return;
  // The daemon has reported this heartbeat as a recovery already: it has a lane of its own.
  if (pastHang && Math.abs(pastHang.until - at) <= CLOCK_TOLERANCE_MS) return;
  const gap = at - lastHeartbeatAt;
  const limit = heartbeatLimitMs(heartbeatTimeoutMs);
  if (gap <= limit || gap > Math.max(leaseMs, limit * 2)) return;

  observations.inferredHang = { everHung, pastHang };
  observations.everHung = true;
  observations.pastHang = { at: lastHeartbeatAt, until: at };
  const { transitions, startedAt } = observations;
  if ((transitions.at(-1)?.status ?? "active") !== "active") return;
  if (transitions.length === 0)
    transitions.push({ at: startedAt, status: "active", headline: "Running" });
  transitions.push(
    { at: lastHeartbeatAt + heartbeatTimeoutMs, status: "hung", headline: "Hung: no heartbeat" },
    { at, status: "active", headline: "Running" },
  );
  transitions.splice(0, transitions.length - MAX_TRANSITIONS);
}

/** Removes a hang that only heartbeats showed, if the machine slept so long that they could not come earlier. */
function excuseHang(observations: Observations, from: number, to: number): void {
  const { inferredHang, pastHang, heartbeatTimeoutMs } = observations;
  if (!inferredHang || !pastHang) return;
  const { at, until } = pastHang;
  const awake = until - at - Math.max(0, Math.min(until, to) - Math.max(at, from));
  if (awake > heartbeatLimitMs(heartbeatTimeoutMs)) return;
  observations.everHung = inferredHang.everHung;
  observations.pastHang = inferredHang.pastHang;
  observations.transitions = observations.transitions.filter(
    (transition) => transition.at <= at || transition.at > until,
  );
  delete observations.inferredHang;
}

/** Whether the hang that ended then is known from heartbeats. */
function isMeasured({ lastHeartbeatAt, pastHang }: Observations, until: number): boolean {
  if (lastHeartbeatAt === null || !pastHang) return false;
  return Math.abs(pastHang.until - until) <= CLOCK_TOLERANCE_MS;
}

function noteHeartbeat(observations: Observations, at: number): void {
  if (observations.lastHeartbeatAt !== null && at <= observations.lastHeartbeatAt) return;
  observations.lastHeartbeatAt = at;
  observations.runningMs = 0;
}

/** Whether a heartbeat is overdue although the program logs: it runs, but the loop that sends heartbeats does not. */
export function isOverdue(observations: Observations): boolean {
  const { paused, runningMs, heartbeatTimeoutMs } = observations;
  return !paused && runningMs > heartbeatLimitMs(heartbeatTimeoutMs);
}
