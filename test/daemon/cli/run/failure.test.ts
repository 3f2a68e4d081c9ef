/** Which printed error is the exception of a command, how its memory grew, and why it did not start. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MAX_EVENT_BYTES } from "../../../../src/core/limits.ts";
import { ERROR_LINES_AFTER, ERROR_TAIL_LINES } from "../../../../daemon/cli/limits.ts";
import { failureOf } from "../../../../daemon/cli/run/failure.ts";
import { TreeGauges } from "../../../../daemon/cli/run/gauges.ts";
import { parseGpus } from "../../../../daemon/cli/run/gpu.ts";
import { MemoryTrend } from "../../../../daemon/cli/run/memory.ts";
import { isForeignProgram, whyNotStarted } from "../../../../daemon/cli/run/not-started.ts";
import { type Exit, outcomeOf } from "../../../../daemon/cli/run/outcome.ts";
import { OutputRecorder } from "../../../../daemon/cli/run/output.ts";
import { parseTraffic, type Usage } from "../../../../daemon/cli/run/usage.ts";

const TRACEBACK =
  'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\nKeyError: 1\n';
const failed: Exit = { code: 1, signal: null };

/** The exception of a command that printed this from time 0 on and ended at `at`. */
function failure(stderr: string, { stdout = "", exit = failed, at = 1_000 } = {}) {
  const output = new OutputRecorder(() => {}, 0);
  output.take("stdout", Buffer.from(stdout), 10);
  output.take("stderr", Buffer.from(stderr), 20);
  output.finish(at);
  return failureOf(exit, output.tails, at);
}

test("the error that a command printed last is its exception, at the time of its last line", () => {
  expect(failure(`ok\r\n\u001B[31m${TRACEBACK}`)).toEqual({
    op: "event",
    at: 20,
    name: "exception",
    group: "stderr",
    category: "error",
    exception_type: "KeyError",
    exception_msg: "1",
    stacktrace: ['  File "/app/a.py", line 3, in f'],
    source_file: "/app/a.py",
    source_line: 3,
    source_function: "f",
    handled: false,
  });
});

test("what a command printed and survived did not end it", () => {
  expect(failure(TRACEBACK, { exit: { code: 0, signal: null } })).toBeUndefined();
  expect(failure(TRACEBACK, { exit: { code: null, signal: "SIGTERM" } })).toBeUndefined();
  expect(failure(TRACEBACK, { at: 60_000 }), "long before").toBeUndefined();
  const report = "another line\n".repeat(ERROR_LINES_AFTER + 1);
  expect(failure(TRACEBACK + report), "lines before").toBeUndefined();
  expect(failure(TRACEBACK, { exit: { code: null, signal: "SIGKILL" } })).toBeDefined();
});

test("Ctrl-C in Python shows where it was", () => {
  const text = TRACEBACK.replace("KeyError: 1", "KeyboardInterrupt");
  expect(failure(text, { exit: { code: null, signal: "SIGINT" } })?.exception_type).toBe(
    "KeyboardInterrupt",
  );
});

test("standard output counts where standard error has nothing but make's report", () => {
  expect(failure("make: *** [Makefile:2: all] Error 1\n", { stdout: TRACEBACK })).toMatchObject({
    exception_type: "KeyError",
    group: "stdout",
  });
  expect(failure("a.sh: line 3: gcd: command not found\n", { stdout: TRACEBACK })).toMatchObject({
    exception_type: "command not found",
  });
});

test("the start of an error is found before more lines than are kept", () => {
  const panic = "panic: no queue\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x25\n";
  const other = "\ngoroutine 2 [select]:\nmain.wait(0x1)\n\t/app/wait.go:9 +0x11\n";
  for (const count of [10, ERROR_TAIL_LINES / 4, ERROR_TAIL_LINES, 3 * ERROR_TAIL_LINES])
    expect(failure(panic + other.repeat(count)), String(count)).toMatchObject({
      exception_type: "panic",
      source_file: "/app/main.go",
    });
});

test("of a stack of thousands of frames the first and the last are kept", () => {
  const frames = Array.from({ length: 5_00 }, (_, i) => `    at f${i} (/app/a.js:${i + 1}:1)`);
  const stack = failure(["RangeError: deep", ...frames, ""].join("\n"))?.stacktrace ?? [];
  expect(stack.length).toBe(201);
  expect(stack[0]).toContain("f0 ");
  expect(stack[100]).toBe("  … 300 more lines");
  expect(stack.at(-1)).toContain("f499 ");
});

test("an error of any size is an event that the server takes", () => {
  const long = "x".repeat(2_000);
  const frames = (name: string) =>
    Array.from(
      { length: 300 },
      (_, i) => `    at ${name}${i}${long} (/app/a.js:1:1)`.slice(0, 980) + "(/a.js:1:1)",
    );
  const link = (name: string) => [`${name}Error: ${long}`, ...frames(name)].join("\n");
  const text = ["Outer", ...Array.from({ length: 10 }, (_, i) => `Cause${i}`)]
    .map(link)
    .join("\nCaused by: ");
  const event = failure(`error: Uncaught ${text}\n`);
  expect(event?.exception_type).toBeDefined();
  expect(JSON.stringify(event).length).toBeLessThan(MAX_EVENT_BYTES);
  const shell = failure(`a.sh: line 3: ${"y".repeat(900)}\n`);
  expect(shell?.exception_type?.length).toBe(200);
});

test("memory that grew before the end is described, and what always is there is not", () => {
  const MIB = 1024 * 1024;
  const growth = (...samples: [seconds: number, mebibytes: number][]) => {
    const trend = new MemoryTrend();
    for (const [seconds, mebibytes] of samples) trend.add(seconds * 1_000, mebibytes * MIB);
    const { memory_from: from = 0, memory_to: to = 0, memory_ms: ms = 0 } = trend.growth ?? {};
    return trend.growth && [from / MIB, to / MIB, ms / 1_000];
  };
  expect(growth([0, 17], [1, 100], [4, 377])).toEqual([17, 377, 4]);
  expect(growth([0, 300], [2, 40], [3, 900], [5, 2_048])).toEqual([40, 2_048, 3]);
  expect(growth([0, 17], [40, 100], [60, 377]), "in the last half minute").toEqual([100, 377, 20]);
  expect(growth([0, 17], [1, 60])).toBeUndefined();
  expect(growth([0, 500], [1, 700])).toBeUndefined();
  expect(growth([0, 500], [1, 17])).toBeUndefined();
  expect(growth()).toBeUndefined();
});

test("a kill for memory is recorded with its growth, also when a shell reports it as its exit code", () => {
  const growth = { memory_from: 17, memory_to: 377, memory_ms: 4_000 };
  const known = { killedForMemory: true, readerLeft: false, limitBytes: 2 ** 28, growth };
  const memory = { out_of_memory: true, message: "Its memory is limited to 256 MiB", last: growth };
  expect(outcomeOf({ code: 137, signal: null }, known, 1)).toMatchObject({
    op: "crash",
    exit_code: 137,
    ...memory,
  });
  expect(outcomeOf({ code: null, signal: "SIGKILL" }, known, 1)).toMatchObject(memory);
  expect(outcomeOf({ code: 1, signal: null }, known, 1)).toEqual({
    op: "end",
    at: 1,
    exit_code: 1,
  });
  const unknown = { ...known, killedForMemory: false };
  expect(outcomeOf({ code: null, signal: "SIGKILL" }, unknown, 1)).toMatchObject({
    reason: "killed",
    last: growth,
  });
});

test.runIf(process.platform === "linux")(
  "the reasons why a command did not start are distinguished",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "datacat-start-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = (name: string, content: string | Buffer, mode = 0o755) => {
      writeFileSync(join(folder, name), content);
      chmodSync(join(folder, name), mode);
      return join(folder, name);
    };
    const why = (program: string, code: string) => {
      const { code: exit, type } = whyNotStarted(program, Object.assign(new Error("?"), { code }), {
        PATH: folder,
      });
      return `${exit} ${type}`;
    };
    mkdirSync(join(folder, "sub"));
    file("script", "#!/no/such -x\n");
    expect(why("", "ERR_INVALID_ARG_VALUE")).toBe("127 command not found");
    expect(why("gcd", "ENOENT")).toBe("127 command not found");
    expect(why("./no/gcd", "ENOENT")).toBe("127 no such file");
    expect(why("script", "ENOENT")).toBe("127 its interpreter /no/such is not found");
    expect(why(file("windows", "#!/bin/sh\r\n"), "ENOENT")).toContain("has a Windows line break");
    expect(why(file("loader", Buffer.from("\u007FELF")), "ENOENT")).toContain("loader");
    expect(why(file("plain", "#!/bin/sh\n", 0o644), "EACCES")).toContain("126 permission denied");
    expect(why(join(folder, "sub"), "EACCES")).toBe("126 is a directory");
    expect(why(join(folder, "script/x"), "ENOTDIR")).toBe("127 not a directory");
    expect(why("script", "E2BIG")).toBe("126 the arguments are too long");
    expect(why("script", "ENOEXEC")).toBe("126 exec format error");

    const foreign = [Buffer.from("\u007FELF\u0001\u0002\u0003"), Buffer.from("MZ\u0000\u0003")];
    expect(foreign.map((content, i) => isForeignProgram(file(`foreign${i}`, content), {}))).toEqual(
      [true, true],
    );
    const own = ["script", "plain"].map((name) => join(folder, name));
    expect(
      [...own, process.execPath, "/bin/sh", "/no/such"].map((path) => isForeignProgram(path, {})),
    ).toEqual(Array.from({ length: 5 }, () => false));
  },
);

test("disk, network and peak memory are recorded when they change, children that ended included", () => {
  let usage: Usage = { readBytes: 100, writtenBytes: 0, peakBytes: 5_000 };
  let receivedBytes = 1_000;
  const sources = { usageOf: () => usage, trafficOf: () => ({ receivedBytes, sentBytes: 7 }) };
  const gauges = new TreeGauges(2, 0, sources);
  const measure = (now: number) =>
    gauges
      .measure(
        [{ pid: 2, parent: 1, started: "s", state: "waiting", cpuMs: 0, residentBytes: 1 }],
        now,
      )
      .filter(({ name }) => /^(?:disk|network|peak)/.test(name))
      .map(({ name, value, delta }) => [name, value ?? delta]);
  expect(measure(1)).toEqual([
    ["peak_memory_bytes", 5_000],
    ["disk_read_bytes", 100],
  ]);
  usage = { readBytes: 100, writtenBytes: 50, peakBytes: 4_000 };
  receivedBytes = 1_500;
  expect(measure(2)).toEqual([
    ["disk_written_bytes", 50],
    ["network_received_bytes", 500],
  ]);
  usage = { readBytes: 40, writtenBytes: 50, peakBytes: 4_000 };
  expect(measure(3)).toEqual([]);
});

test("the traffic of all interfaces but loopback, and what nvidia-smi prints", () => {
  const title = "Inter-|   Receive\n face |bytes packets\n";
  const line = (name: string, received: number, sent: number) =>
    ` ${name}: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0\n`;
  const text = title + line("lo", 9, 9) + line("eth0", 100, 20) + line("wlan0", 5, 1);
  expect(parseTraffic(text)).toEqual({ receivedBytes: 105, sentBytes: 21 });
  const gpus = parseGpus("0, 45, 1024\n1, [N/A], 0\nNo devices were found\n", 7);
  expect(gpus.map(({ name, value, tags }) => [name, value, tags?.[0]])).toEqual([
    ["gpu_percent", 45, "gpu:0"],
    ["gpu_memory_bytes", 1_073_741_824, "gpu:0"],
    ["gpu_memory_bytes", 0, "gpu:1"],
  ]);
});
