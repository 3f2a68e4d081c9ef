/**
 * The verdict on a session: a pure function of observations and the time. Only the session object computes the verdict, so it has one
 * writer. A verdict is reversible: it follows the observations.
 *
 *   crashed    the process ended without an `end` op, or by an error
 *   ended      an `end` op arrived
 *   suspended  neither the program nor its daemon makes contact: offline, asleep, or the machine is gone; the cause is unknown
 *   hung       the process exists, but its heartbeats stopped
 *   active     none of these
 */
import type { Evidence, Verdict } from "../answers/verdict.ts";
import {
  causeEvidence,
  clockEvidence,
  exceptionText,
  heartbeatEvidence,
  lastSeenEvidence,
  pastHangEvidence,
  placeAtEnd,
  sleepEvidence,
  uncaughtEvidence,
  uncaughtException,
  unendedHangEvidence,
} from "./evidence.ts";
import { formatCount, formatDuration } from "../text/format.ts";
import { BUSY_PERCENT, MAX_TRANSITIONS } from "../limits.ts";
import { isOverdue, type Observations } from "./observations.ts";
import { placeText } from "../stack/frame.ts";
import { exitCodeMeaning, shellSignal, signalMeaning } from "./signals.ts";
import {
  crashedIn,
  failedTests,
  runningHeadline,
  testEvidence,
  testHeadline,
} from "../tests/verdict.ts";
import { commonPlace, samplesEvidence, type StackSample, whereText } from "./stacks.ts";

export function verdict(observations: Observations, now: number): Verdict {
  if (observations.crash) return crashed(observations, observations.crash);
  if (observations.end) return ended(observations, observations.end);
  if (now > observations.lastContactAt + observations.leaseMs) return suspended(observations);
  if (observations.hang || isOverdue(observations)) return hung(observations);
  return {
    status: "active",
    since: activeSince(observations),
    headline: runningHeadline(observations.tests),
    confidence: "certain",
    evidence: [
      ...testEvidence(observations.tests, false),
      ...uncaughtEvidence(observations),
      ...heartbeatEvidence(observations),
      ...pastHangEvidence(observations),
      ...clockEvidence(observations),
    ],
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
  const last = observations.transitions.at(-1);
  if (last?.status === current.status) {
    // The stacks of a hang follow it, and name the place.
    const isSame = current.status !== "hung" || last.headline === current.headline;
    last.headline = current.status === "hung" ? current.headline : last.headline;
    return !isSame;
  }
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
  if (observations.transitions.length > MAX_TRANSITIONS) {
    observations.transitions.shift();
    observations.transitionsLeftOut = (observations.transitionsLeftOut ?? 0) + 1;
  }
  return true;
}

function crashed(observations: Observations, crash: NonNullable<Observations["crash"]>): Verdict {
  const evidence: Evidence[] = [];
  const uncaught = uncaughtException(observations);
  const add = (kind: string, text: string, confidence: Evidence["confidence"], at?: number) =>
    evidence.push({ kind, text, confidence, at });

  const place = placeAtEnd(observations);
  if (uncaught) evidence.push(...causeEvidence(uncaught));
  if (place) add("stacks", `It was in ${whereText(place)}`, "certain", place.at);
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
  const isUnknown = evidence.length === 0;
  if (isUnknown)
    add("process_died", "Its process is gone and did not end the session", "likely", crash.at);
  if (crash.message) add("message", crash.message, "likely", crash.at);
  if (isUnknown || crash.out_of_memory || crash.signal === "SIGKILL")
    evidence.push(...lastSeenEvidence(crash));
  evidence.push(...testEvidence(observations.tests, true, crash.exit_code));
  evidence.push(...sleepEvidence(observations), ...heartbeatEvidence(observations, crash.at));
  evidence.push(
    ...unendedHangEvidence(observations, crash.at, "crash"),
    ...pastHangEvidence(observations),
    ...clockEvidence(observations),
  );

  return {
    status: "crashed",
    since: crash.at,
    headline: crashHeadline(crash, uncaught, place, crashedIn(observations.tests)),
    confidence: evidence[0]?.confidence ?? "likely",
    evidence,
  };
}

function crashHeadline(
  crash: NonNullable<Observations["crash"]>,
  uncaught: Observations["exception"],
  place: StackSample | undefined,
  test: string | undefined,
): string {
  if (test !== undefined) {
    if (crash.out_of_memory) return `Out of memory in ${test}`;
    if (uncaught)
      return `Crashed in ${test}: ${uncaught.isFatal ? uncaught.type : exceptionText(uncaught)}`;
    return crash.signal ? `Killed by ${crash.signal} in ${test}` : `Crashed in ${test}`;
  }
  if (crash.out_of_memory) return "Crashed: out of memory";
  const where = place?.own ? ` in ${placeText(place.own)}` : "";
  if (uncaught?.isFatal) return `Crashed: ${uncaught.type}${where}`;
  if (uncaught) return `Crashed: ${exceptionText(uncaught)}`;
  if (crash.signal) return `Crashed: ${crash.signal}${where}`;
  if (crash.rebooted) return "Crashed: the machine restarted";
  if (crash.exit_code !== undefined) return `Crashed: exit code ${crash.exit_code}`;
  return "Crashed: the process is gone";
}

function ended(observations: Observations, end: NonNullable<Observations["end"]>): Verdict {
  const ran = formatDuration(Math.max(0, end.at - observations.startedAt));
  const cause = causeOfFailure(observations, end);
  const evidence: Evidence[] = cause ? causeEvidence(cause) : [];
  evidence.push(...testEvidence(observations.tests, true, end.exit_code), {
    kind: "end",
    text: endText(ran, end, cause),
    at: end.at,
    confidence: "certain",
  });
  if (end.exit_code !== undefined)
    evidence.push({
      kind: "exit_code",
      text: exitCodeMeaning(end.exit_code),
      at: end.at,
      confidence: "certain",
    });
  if (end.signal)
    evidence.push({
      kind: "signal",
      text: signalMeaning(end.signal),
      at: end.at,
      confidence: "certain",
    });
  const place = placeAtEnd(observations);
  if (end.signal && place)
    evidence.push({
      kind: "stacks",
      text: `It was in ${whereText(place)}`,
      at: place.at,
      confidence: "certain",
    });
  if (!cause || observations.uncaught > 1) evidence.push(...uncaughtEvidence(observations));
  evidence.push(
    ...unendedHangEvidence(observations, end.at, "end"),
    ...sleepEvidence(observations),
    ...pastHangEvidence(observations),
    ...clockEvidence(observations),
  );

  const headline =
    endOfTests(observations, end, cause !== null) ??
    (cause ? `Failed: ${exceptionText(cause)}` : endHeadline(observations, end));
  return { status: "ended", since: end.at, headline, confidence: "certain", evidence };
}

/** The headline of a test run. An uncaught exception explains an exit code better than tests that all passed. */
function endOfTests(
  { tests }: Observations,
  end: NonNullable<Observations["end"]>,
  hasCause: boolean,
): string | undefined {
  if (!tests || (hasCause && failedTests(tests) === 0)) return undefined;
  return testHeadline(tests, end);
}

function endText(
  ran: string,
  end: NonNullable<Observations["end"]>,
  cause: Observations["exception"],
): string {
  if (end.thread_ended)
    return `The thread that recorded ended after ${ran} without an end of the session, and its process ran on`;
  if (cause?.isNotStarted) return "The command could not be started";
  return `The program ended the session after ${ran}`;
}

/** The exception that made a program end with an exit code other than 0. */
function causeOfFailure(
  observations: Observations,
  { exit_code, signal }: NonNullable<Observations["end"]>,
): Observations["exception"] {
  if (signal || exit_code === undefined || exit_code === 0) return null;
  return uncaughtException(observations);
}

function endHeadline({ uncaught }: Observations, end: NonNullable<Observations["end"]>): string {
  if (end.signal) return `Ended by ${end.signal}`;
  const reasons: string[] = [];
  if (end.exit_code !== undefined) {
    const signal = shellSignal(end.exit_code);
    reasons.push(`exit code ${end.exit_code}${signal ? ` (${signal})` : ""}`);
  }
  if (uncaught > 0) reasons.push(formatCount(uncaught, "uncaught exception"));
  if (reasons.length === 0) return "Ended";
  if ((end.exit_code ?? 0) !== 0) return `Failed: ${reasons.join(" and ")}`;
  return `Ended with ${reasons.join(" and ")}`;
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
      ...testEvidence(observations.tests, false),
      ...heartbeatEvidence(observations),
      ...pastHangEvidence(observations),
      ...clockEvidence(observations),
    ],
  };
}

function hung(observations: Observations): Verdict {
  const deadline =
    (observations.lastHeartbeatAt ?? observations.startedAt) + observations.heartbeatTimeoutMs;
  const since = observations.hang
    ? Math.min(observations.hang.at, Math.max(deadline, observations.startedAt))
    : deadline;
  const evidence: Evidence[] = [
    ...(observations.hang ? samplesEvidence(observations.hangSamples) : []),
    ...heartbeatEvidence(observations),
  ];
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
    // On a busy machine a loop gets a part of a core.
    const isShort = state === "spinning" && (observations.hang.cpuPercent ?? 100) < BUSY_PERCENT;
    const what = isShort ? "The process is ready to run all the time, as in a loop" : doing[state];
    evidence.push({
      kind: state,
      text: `${what ?? state}${cpu}`,
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
  evidence.push(...testEvidence(observations.tests, false), ...clockEvidence(observations));
  const how = state === "spinning" ? "Hung in a loop" : state === "stopped" ? "Stopped" : "Hung";
  const place = observations.hang ? commonPlace(observations.hangSamples) : undefined;
  return {
    status: "hung",
    since,
    headline: place ? `${how} in ${placeText(place)}` : `${how}: no heartbeat`,
    confidence: observations.hang ? "certain" : "likely",
    evidence,
  };
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
