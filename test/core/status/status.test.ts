import { shownEvidence } from "../../../src/core/status/evidence.ts";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_HEARTBEAT_TIMEOUT_MS,
  DEFAULT_LEASE_MS,
  HEARTBEAT_GRACE_MS,
  MAX_TRANSITIONS,
} from "../../../src/core/limits.ts";
import {
  newObservations,
  type Observations,
  observe,
  observeDaemonHeartbeat,
} from "../../../src/core/status/observations.ts";
import { nextChange, noteTransition, verdict } from "../../../src/core/status/status.ts";
import type { Op } from "../../../src/core/wire.ts";

const START = 1_000_000;
const SECOND = 1_000;
const TIMEOUT = DEFAULT_HEARTBEAT_TIMEOUT_MS;

/** Observations after these ops, received at once; times are since the start. */
function observations(...ops: Op[]): Observations {
  const known = newObservations(START, START);
  for (const op of ops) {
    observe(known, { ...op, at: START + op.at });
    known.lastContactAt = Math.max(known.lastContactAt, START + op.at);
    noteTransition(known, known.lastContactAt);
  }
  return known;
}
const judge = (...ops: Op[]) => {
  const known = observations(...ops);
  return verdict(known, known.lastContactAt);
};
const kinds = (...ops: Op[]) => judge(...ops).evidence.map(({ kind }) => kind);

const start: Op = { op: "start", at: 0 };
const heartbeat = (at: number, timeout_ms?: number): Op => ({
  op: "heartbeat",
  at,
  ...(timeout_ms && { timeout_ms }),
});
const change = (at: number): Op => ({ op: "state", at, patch: {} });
const changes = (from: number, to: number, step = 10 * SECOND): Op[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => change(from + i * step));

describe("active", () => {
  test("follows a start while contact lasts", () => {
    expect(judge(start)).toMatchObject({
      status: "active",
      since: START,
      headline: "Running",
      confidence: "certain",
    });
  });

  test("lasts while heartbeats come in time", () => {
    expect(
      judge(start, ...Array.from({ length: 50 }, (_, i) => heartbeat(i * TIMEOUT))),
    ).toMatchObject({
      status: "active",
      evidence: [{ kind: "heartbeat", at: START + 49 * TIMEOUT }],
    });
  });

  test("lasts without any heartbeat, for as long as the program logs", () => {
    expect(judge(start, ...changes(0, 3_600 * SECOND)).status).toBe("active");
  });
});

describe("hung", () => {
  test("when the daemon reports it, with the state of the process", () => {
    const hang: Op = { op: "hang", at: 70 * SECOND, process_state: "spinning", cpu_percent: 99.6 };
    expect(judge(start, heartbeat(0), hang)).toMatchObject({
      status: "hung",
      since: START + TIMEOUT,
      headline: "Hung in a loop: no heartbeat",
      confidence: "certain",
      evidence: [
        { kind: "heartbeat" },
        { kind: "spinning", text: expect.stringContaining("(100 % CPU)") },
      ],
    });
    expect(judge(start, { op: "hang", at: 5, process_state: "stopped" }).headline).toBe(
      "Stopped: no heartbeat",
    );
    expect(judge(start, { op: "hang", at: 5, process_state: "blocked" }).headline).toBe(
      "Hung: no heartbeat",
    );
  });

  test("whatever 1.x's daemon sends on its timer", () => {
    const known = observations(start, { op: "hang", at: 0 });
    observeDaemonHeartbeat(known, START + 15 * SECOND);
    expect(verdict(known, START).status).toBe("hung");
    expect(known.lastHeartbeatAt).toBeNull(); // and starts no hang detection
  });

  test("by 1.x's event, without any heartbeat", () => {
    expect(
      judge(start, { op: "event", at: 65 * SECOND, name: "application_appears_hung" }),
    ).toMatchObject({ status: "hung" });
  });

  test("when the program logs on although its heartbeats stopped", () => {
    const late = TIMEOUT + HEARTBEAT_GRACE_MS;
    expect(judge(start, heartbeat(0), ...changes(SECOND, late)).status).toBe("active");
    expect(judge(start, heartbeat(0), ...changes(SECOND, late + 10 * SECOND))).toMatchObject({
      status: "hung",
      confidence: "likely",
      since: START + TIMEOUT,
      evidence: [{ kind: "heartbeat" }, { kind: "still_logging" }],
    });
  });

  test("by the points of a single op too", () => {
    const dt = Array.from({ length: 80 }, () => SECOND);
    const op: Op = { op: "points", at: 0, type: "gauge", name: "fps", dt, values: dt };
    expect(judge(start, heartbeat(0), op).status).toBe("hung");
    expect(judge(start, op).status).toBe("active");
  });

  test("not by one op after a long pause: the machine may have slept, or a debugger paused the program", () => {
    expect(judge(start, heartbeat(0), change(3_600 * SECOND)).status).toBe("active");
    expect(
      judge(start, heartbeat(0), change(SECOND), change(3_600 * SECOND), change(3_601 * SECOND))
        .status,
    ).toBe("active");
  });

  test("not after a sleep that is known", () => {
    const slept: Op = { op: "slept", at: 600 * SECOND, duration_ms: 590 * SECOND };
    expect(judge(start, heartbeat(0), slept, ...changes(601 * SECOND, 655 * SECOND)).status).toBe(
      "active",
    );
    expect(judge(start, heartbeat(0), slept, ...changes(601 * SECOND, 700 * SECOND)).status).toBe(
      "hung",
    );
  });

  test("not while it is paused, and from its resuming on only after a whole timeout", () => {
    const pause: Op = { op: "pause", at: SECOND };
    const resume: Op = { op: "resume", at: 300 * SECOND };
    expect(judge(start, heartbeat(0), pause, ...changes(2 * SECOND, 300 * SECOND)).status).toBe(
      "active",
    );
    expect(
      judge(start, heartbeat(0), pause, resume, ...changes(301 * SECOND, 355 * SECOND)).status,
    ).toBe("active");
    expect(
      judge(start, heartbeat(0), pause, resume, ...changes(301 * SECOND, 375 * SECOND)).status,
    ).toBe("hung");
    expect(judge(start, pause, resume, ...changes(301 * SECOND, 900 * SECOND)).status).toBe(
      "active",
    ); // it never sent a heartbeat
  });

  test("by the timeout of its last heartbeat that had one", () => {
    expect(
      judge(start, heartbeat(0, 5_000), heartbeat(1_000), ...changes(2_000, 9_000, 500)).status,
    ).toBe("hung");
    expect(
      judge(start, heartbeat(0, 5_000), heartbeat(1_000, 20_000), ...changes(2_000, 9_000, 500))
        .status,
    ).toBe("active");
  });

  test("until a heartbeat or a recovery, and `everHung` stays", () => {
    const hang: Op = { op: "hang", at: 70 * SECOND };
    for (const end of [
      heartbeat(80 * SECOND),
      { op: "recovered", at: 80 * SECOND } as const,
      { op: "event", at: 80 * SECOND, name: "application_recovered" } as const,
    ]) {
      const known = observations(start, heartbeat(0), hang, end);
      expect(verdict(known, known.lastContactAt)).toMatchObject({
        status: "active",
        since: START + 80 * SECOND,
      });
      expect(known.everHung).toBe(true);
    }
  });

  test("not by a report that arrives after the next heartbeat", () => {
    const known = observations(start, heartbeat(0), heartbeat(80 * SECOND), {
      op: "hang",
      at: 70 * SECOND,
    });
    expect(verdict(known, known.lastContactAt).status).toBe("active");
    expect(known.everHung).toBe(true);
  });
});

/** Every order in which the ops of two lanes may arrive. */
function interleavings(one: Op[], other: Op[]): Op[][] {
  const [[first, ...rest], [second, ...others]] = [one, other];
  if (!first || !second) return [[...one, ...other]];
  return [
    ...interleavings(rest, other).map((ops) => [first, ...ops]),
    ...interleavings(one, others).map((ops) => [second, ...ops]),
  ];
}

describe("a late heartbeat", () => {
  const late = 30 * SECOND;
  const hung = (...ops: Op[]) => {
    const known = observations(start, heartbeat(0, 5_000), ...ops);
    const { everHung, pastHang, transitions } = known;
    return { everHung, pastHang, transitions, ...verdict(known, known.lastContactAt) };
  };

  test("shows a hang that has ended, with its start and duration, without any report", () => {
    const { everHung, pastHang, transitions, status, evidence } = hung(heartbeat(late));
    expect([status, everHung]).toEqual(["active", true]);
    expect(pastHang).toEqual({ at: START, until: START + late });
    expect(transitions).toMatchObject([
      { status: "active", at: START },
      { status: "hung", at: START + 5_000 },
      { status: "active", at: START + late },
    ]);
    expect(evidence).toContainEqual(
      expect.objectContaining({ text: "Recovered from a hang: no heartbeat for 30 s" }),
    );
  });

  test.each<[string, Op[]]>([
    ["that comes within the time", [heartbeat(5_000 + HEARTBEAT_GRACE_MS)]],
    ["after a pause", [{ op: "pause", at: SECOND }, heartbeat(late)]],
    ["after its clocks showed a sleep", [{ op: "resume", at: late }, heartbeat(late)]],
    ["after a sleep", [{ op: "slept", at: late - 1, duration_ms: late - 10 }, heartbeat(late)]],
    [
      "after a sleep that is reported later",
      [heartbeat(late), { op: "slept", at: late - 1, duration_ms: late - 10 }],
    ],
    ["after a lost contact", [heartbeat(DEFAULT_LEASE_MS + SECOND)]],
  ])("%s shows none", (_, ops) => {
    const { everHung, pastHang, transitions } = hung(...ops);
    expect([everHung, pastHang, transitions.length]).toEqual([false, undefined, 1]);
  });

  test("shows one hang with the daemon's report of it, whichever of them arrive first", () => {
    const own = [heartbeat(late), heartbeat(late + SECOND)];
    const reports: Op[] = [
      { op: "hang", at: 8 * SECOND },
      { op: "recovered", at: late, duration_ms: late },
    ];
    for (const ops of interleavings(own, reports)) {
      const { transitions, ...known } = hung(...ops);
      expect(known, JSON.stringify(ops)).toMatchObject({
        status: "active",
        everHung: true,
        pastHang: { at: START, until: START + late },
      });
      expect(
        transitions.map(({ status }) => status),
        JSON.stringify(ops),
      ).toEqual(["active", "hung", "active"]);
    }
  });

  test("after a sleep that was shorter shows one", () => {
    const slept: Op = { op: "slept", at: late - 1, duration_ms: 10 * SECOND };
    expect(hung(heartbeat(late), slept).everHung).toBe(true);
  });
});

test("a running session names the exceptions that nothing caught", () => {
  const thrown: Op = { op: "event", at: SECOND, name: "error", exception_type: "TypeError" };
  const caught = kinds(start, { ...thrown, handled: true });
  expect(caught).not.toContain("uncaught");
  expect(judge(start, { ...thrown, handled: false })).toMatchObject({
    status: "active",
    evidence: [{ kind: "uncaught", text: "1 exception was not caught, the last one TypeError" }],
  });
});

describe("ended", () => {
  test("with its exit code, or the signal that asked it to", () => {
    expect(judge(start, { op: "end", at: 9 * SECOND, exit_code: 0 })).toMatchObject({
      status: "ended",
      since: START + 9 * SECOND,
      headline: "Ended with exit code 0",
      evidence: [
        { kind: "end", text: "The program ended the session after 9 s" },
        { kind: "exit_code" },
      ],
    });
    expect(judge(start, { op: "end", at: 1, exit_code: 3 }).evidence[1]?.text).toMatch("failure");
    expect(judge(start, { op: "end", at: 1, signal: "SIGTERM" })).toMatchObject({
      headline: "Ended by SIGTERM",
    });
    expect(judge(start, { op: "end", at: 1 }).headline).toBe("Ended");
  });

  test("by the thread that recorded, while its process ran on", () => {
    const { headline, evidence } = judge(start, { op: "end", at: 3 * SECOND, thread_ended: true });
    expect([headline, ...evidence.map(({ text }) => text)]).toEqual([
      "Ended",
      "The thread that recorded ended after 3 s without an end of the session, and its process ran on",
    ]);
  });

  test("before it began: a command that could not be started", () => {
    const { headline, evidence } = judge(
      start,
      thrown({
        name: "command_not_started",
        exception_type: "command not found",
        exception_msg: "gcd",
      }),
      { op: "end", at: 9 * SECOND, exit_code: 127 },
    );
    expect([headline, ...evidence.map(({ text }) => text)]).toEqual([
      "Failed: command not found: gcd",
      "command not found: gcd",
      "The command could not be started",
      "Exit code 127, failure: as shells report a command that is not found",
    ]);
  });

  const thrown = (more: Partial<Extract<Op, { op: "event" }>> = {}): Op => ({
    op: "event",
    at: 9 * SECOND,
    name: "exception",
    exception_type: "TypeError",
    exception_msg: "config.queue is undefined\nat all",
    handled: false,
    ...more,
  });

  test("by the exception that nothing caught, with its place, before the exit code", () => {
    const place = { source_file: "/app/queue.js", source_line: 3, source_function: "resolve" };
    const { headline, evidence } = judge(start, thrown(place), {
      op: "end",
      at: 9 * SECOND,
      exit_code: 1,
    });
    expect(headline).toBe("Failed: TypeError: config.queue is undefined");
    expect(evidence.map(({ text }) => text)).toEqual([
      "Uncaught TypeError: config.queue is undefined\nat all",
      "Raised in resolve (queue.js:3)",
      "The program ended the session after 9 s",
      "Exit code 1, failure",
    ]);
  });

  test.each([
    ["no such door", undefined, "Nothing caught this exception"],
    ["no such door\nat all", undefined, "Uncaught TypeError: no such door\nat all"],
    ["gcd", "command not found", "The program ended the session after 9 s"],
  ])("what the headline has, %j, is not shown again below it", (message, type, first) => {
    const exception = { exception_msg: message, ...(type && { exception_type: type }) };
    const verdict = judge(start, thrown(exception), { op: "end", at: 9 * SECOND, exit_code: 1 });
    const shown = shownEvidence(verdict);
    expect(shown[0]?.text).toBe(first);
    expect(shown.at(-1)).toEqual(verdict.evidence.at(-1));
  });

  test.each<[string, Op[]]>([
    ["Failed: exit code 1", [{ op: "end", at: 1, exit_code: 1 }]],
    ["Failed: exit code 137 (SIGKILL)", [{ op: "end", at: 1, exit_code: 137 }]],
    ["Failed: exit code 1", [thrown({ handled: true }), { op: "end", at: 1, exit_code: 1 }]],
    [
      "Failed: exit code 1 and 1 uncaught exception",
      [thrown({ at: 1 }), change(60 * SECOND), { op: "end", at: 60 * SECOND, exit_code: 1 }],
    ],
    [
      "Ended with exit code 0 and 1 uncaught exception",
      [thrown(), { op: "end", at: 1, exit_code: 0 }],
    ],
    ["Ended by SIGINT", [thrown(), { op: "end", at: 1, signal: "SIGINT" }]],
    ["Failed: TypeError", [thrown({ exception_msg: "" }), { op: "end", at: 1, exit_code: 1 }]],
    [
      "Crashed: TypeError: config.queue is undefined",
      [thrown(), { op: "crash", at: 9 * SECOND, signal: "SIGABRT" }],
    ],
  ])("%s", (headline, ops) => {
    expect(judge(start, ...ops).headline).toBe(headline);
  });

  test("an exception that the program and the recorder of its output both report counts once", () => {
    const printed = thrown({ exception_type: "app.TypeError", group: "stderr" });
    const end: Op = { op: "end", at: 9 * SECOND, exit_code: 1 };
    expect(observations(start, thrown(), printed, end).uncaught).toBe(1);
    expect(observations(start, thrown(), thrown(), end).uncaught).toBe(2);
    expect(observations(start, printed, end).uncaught).toBe(1);
  });

  test("no longer when a later start shows that it goes on", () => {
    const end: Op = { op: "end", at: 9 * SECOND };
    expect(judge(start, end, { op: "start", at: 20 * SECOND }).status).toBe("active");
    expect(judge(end, start).status).toBe("ended");
  });

  test("never suspended or hung afterwards", () => {
    const known = observations(
      start,
      heartbeat(0),
      { op: "hang", at: 70 * SECOND },
      { op: "end", at: 71 * SECOND },
    );
    expect(verdict(known, START + 1e9).status).toBe("ended");
    expect(nextChange(known, START)).toBeNull();
  });
});

describe("crashed", () => {
  const crash = (op: Partial<Extract<Op, { op: "crash" }>> = {}): Op => ({
    op: "crash",
    at: 9 * SECOND,
    ...op,
  });
  const thrown = (at: number, handled: boolean): Op => ({
    op: "event",
    at,
    name: "exception",
    exception_type: "ValueError",
    exception_msg: "bad",
    handled,
  });

  test.each<[Op[], string, string, string]>([
    [[crash()], "Crashed: the process is gone", "process_died", "likely"],
    [[crash({ signal: "SIGSEGV" })], "Crashed: SIGSEGV", "signal", "certain"],
    [[crash({ exit_code: 134 })], "Crashed: exit code 134", "exit_code", "certain"],
    [
      [crash({ out_of_memory: true, signal: "SIGKILL" })],
      "Crashed: out of memory",
      "out_of_memory",
      "certain",
    ],
    [[crash({ rebooted: true })], "Crashed: the machine restarted", "rebooted", "certain"],
    [
      [thrown(8 * SECOND, false), crash({ exit_code: 1 })],
      "Crashed: ValueError: bad",
      "exception",
      "certain",
    ],
    [
      [thrown(8 * SECOND, true), crash({ exit_code: 1 })],
      "Crashed: exit code 1",
      "exit_code",
      "certain",
    ],
  ])("%#: lists its evidence, the strongest first", (ops, headline, kind, confidence) => {
    const { evidence, ...rest } = judge(start, ...ops);
    expect(rest).toEqual({ status: "crashed", since: START + 9 * SECOND, headline, confidence });
    expect(evidence[0]).toMatchObject({ kind, confidence });
  });

  test("does not name an exception that ended a thread long before", () => {
    const ops = [
      thrown(SECOND, false),
      change(60 * SECOND),
      crash({ at: 61 * SECOND, signal: "SIGKILL" }),
    ];
    expect(judge(start, ...ops).headline).toBe("Crashed: SIGKILL");
  });

  test("lists a sleep, a heartbeat and a hang before it", () => {
    const ops: Op[] = [
      heartbeat(0),
      { op: "slept", at: SECOND, duration_ms: 500 },
      { op: "hang", at: 70 * SECOND },
      crash({ at: 80 * SECOND }),
    ];
    expect(kinds(start, ...ops)).toEqual(["process_died", "slept", "heartbeat", "hung"]);
  });

  test("names how long a hang before the crash lasted, although it recovered", () => {
    const hang: Op = { op: "hang", at: 70 * SECOND };
    const text = "Recovered from a hang: no heartbeat for 20 s";
    const evidence = (...ops: Op[]) =>
      judge(start, ...ops, crash({ at: 90 * SECOND })).evidence.find(
        ({ kind }) => kind === "recovered",
      );
    expect(evidence(heartbeat(60 * SECOND), hang, heartbeat(80 * SECOND))).toMatchObject({
      text,
      at: START + 60 * SECOND,
    });
    // Reported by the daemon, also after the heartbeat or without any heartbeat.
    const recovered: Op = { op: "recovered", at: 80 * SECOND, duration_ms: 20 * SECOND };
    expect(evidence(heartbeat(60 * SECOND), hang, heartbeat(80 * SECOND), recovered)?.text).toBe(
      text,
    );
    expect(evidence(heartbeat(60 * SECOND), heartbeat(80 * SECOND), hang, recovered)?.text).toBe(
      text,
    );
    expect(evidence(hang, recovered)?.text).toBe(text);
    expect(evidence(heartbeat(60 * SECOND), heartbeat(80 * SECOND))).toBeUndefined();
    // Also of one that ended, or runs on.
    expect(kinds(start, hang, recovered)).toEqual(["recovered"]);
    expect(kinds(start, hang, recovered, { op: "end", at: 90 * SECOND })).toContain("recovered");
  });

  test("states the time from the last heartbeat to the crash", () => {
    expect(
      judge(start, heartbeat(8 * SECOND, 5_000), crash()).evidence.map(({ text }) => text),
    ).toContain("Last heartbeat 1 s before the crash (one is due every 5 s)");
  });

  test("stays crashed when the last ops arrive after the crash op", () => {
    expect(judge(start, crash(), change(5 * SECOND), change(9 * SECOND + 500)).status).toBe(
      "crashed",
    );
  });

  test("is reverted by an op of a later time, in any order of arrival", () => {
    expect(judge(start, crash(), change(12 * SECOND))).toMatchObject({
      status: "active",
      since: START + 12 * SECOND,
    });
    expect(judge(start, change(12 * SECOND), crash()).status).toBe("active");
  });

  test("precedes an end, which does not clear it (1.x)", () => {
    expect(judge(start, crash(), { op: "end", at: 10 * SECOND }).status).toBe("crashed");
    expect(judge(start, { op: "end", at: 8 * SECOND }, crash()).status).toBe("crashed");
  });

  test("stores a bounded part of its reason and message", () => {
    const long = "x".repeat(1_000_000);
    const known = observations(
      start,
      { ...thrown(1, false), exception_type: long, exception_msg: long } as Op,
      crash({ reason: long, message: long }),
    );
    expect(JSON.stringify(known).length).toBeLessThan(10_000);
  });
});

describe("suspended", () => {
  test("gives what is known of a daemon of 1.x that stopped", () => {
    const known = observations(start);
    observeDaemonHeartbeat(known, START + 15 * SECOND);
    const { status, headline, evidence } = verdict(known, START + DEFAULT_LEASE_MS + 1);
    expect([status, headline]).toEqual(["suspended", "Lost contact"]);
    expect(evidence[0]?.text).toContain("its datacat 1.x daemon sent heartbeats and stopped");
  });

  test("begins when there is no contact for longer than the lease, and is unsure", () => {
    const known = observations(start);
    expect(verdict(known, START + DEFAULT_LEASE_MS).status).toBe("active");
    expect(verdict(known, START + DEFAULT_LEASE_MS + 1)).toMatchObject({
      status: "suspended",
      since: START + DEFAULT_LEASE_MS,
      confidence: "unsure",
    });
  });

  test("precedes hung, because a hang needs a daemon that reports it", () => {
    const known = observations(start, heartbeat(0), { op: "hang", at: 70 * SECOND });
    expect(verdict(known, known.lastContactAt + DEFAULT_LEASE_MS + 1).status).toBe("suspended");
  });

  test("ends with the next contact, and both are among the transitions", () => {
    const known = observations(start);
    noteTransition(known, START + DEFAULT_LEASE_MS + 1);
    known.lastContactAt = START + 10 * DEFAULT_LEASE_MS;
    noteTransition(known, known.lastContactAt);
    expect(known.transitions.map(({ status, at }) => [status, at - START])).toEqual([
      ["active", 0],
      ["suspended", DEFAULT_LEASE_MS],
      ["active", 10 * DEFAULT_LEASE_MS],
    ]);
  });
});

describe("the next possible change", () => {
  test("is exact: the verdict stays until then, and changes then", () => {
    const cases = [
      observations(start),
      observations(start, heartbeat(0)),
      observations(start, heartbeat(0), { op: "hang", at: 70 * SECOND }),
    ];
    for (const known of cases) {
      const due = nextChange(known, known.lastContactAt);
      if (due === null) throw new Error("nothing is due");
      expect(verdict(known, due - 1).status).toBe(verdict(known, known.lastContactAt).status);
      expect(verdict(known, due).status).not.toBe(verdict(known, known.lastContactAt).status);
      expect(nextChange(known, due)).toBeNull();
    }
  });
});

describe("transitions", () => {
  test("start with running, even if the first batch already ends the session", () => {
    const known = newObservations(START, START);
    observe(known, { op: "end", at: START + 5 });
    expect(noteTransition(known, START + 10)).toBe(true);
    expect(noteTransition(known, START + 10)).toBe(false);
    expect(known.transitions.map(({ status }) => status)).toEqual(["active", "ended"]);
  });

  test("are bounded; the oldest are removed first", () => {
    const ops = Array.from({ length: 200 }, (_, i): Op =>
      i % 2 ? heartbeat(i * 100 + 50) : { op: "hang", at: i * 100 },
    );
    const { transitions } = observations(start, ...ops);
    expect(transitions).toHaveLength(MAX_TRANSITIONS);
    expect(transitions.at(-1)?.status).toBe("active");
  });
});

test("observations are plain data, unchanged by JSON", () => {
  const known = observations(
    start,
    heartbeat(0),
    { op: "hang", at: 5 },
    { op: "crash", at: 6, exit_code: 1 },
  );
  expect(JSON.parse(JSON.stringify(known))).toEqual(known);
});
