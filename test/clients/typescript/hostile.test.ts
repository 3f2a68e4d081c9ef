/** Whatever a program hands over, and wherever it runs: no call throws, every line is whole, and what is lost is counted. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LaneFile } from "../../../clients/typescript/lane/lane-file.ts";
import { Session } from "../../../clients/typescript/session/session.ts";
import { MAX_EVENT_BYTES } from "../../../src/core/limits.ts";
import { readLanes, testHome, type TestHome } from "./lanes.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;

function record(home: TestHome, maxBytes = 1_000_000_000): Session {
  mkdirSync(home.lanes, { recursive: true });
  const header = { lane: "l1", session: "s1", server: "", at: 0, monotonic_ms: 0, writer: {} };
  const lane = new LaneFile({ folder: home.lanes, header, maxBytes });
  return new Session("s1", "", {}, lane, false);
}

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});

test("anything at all is written as whole lines, in sequence, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anything, anything), { maxLength: 10 }), (pairs) => {
      using home = testHome();
      const session = record(home);
      // oxlint-disable-next-line no-explicit-any -- calls that the types do not allow
      for (const [a, b] of pairs as [any, any][]) {
        session.updateState(a);
        session.logEvent(a, b);
        session.logEvent("e", { category: a, tags: b, message: a, data: b, at: a });
        session.addTags(b);
        session.logException(a, { data: b });
        session.gauge(a, b, a);
        session.counter(a, a, { tags: b, unit: a, metadata: b });
        session.histogram("h", a, { buckets: b });
        session.heartbeat(a);
      }
      session.end({ exitCode: pairs[0]?.[0] as number });
      const [lane] = readLanes(home);
      expect(lane?.damaged).toBe(0);
      expect(lane?.records.map((line) => line["seq"])).toEqual(lane?.records.map((_, i) => i + 1));
    }),
    { numRuns: 100 },
  );
});

test("getters, proxies and toJSON that throw, call back, or never end", () => {
  using home = testHome();
  const session = record(home);
  const thrower = {
    good: 1,
    get bad(): never {
      throw new Error("no");
    },
  };
  const logger = {
    toJSON: () => {
      session.logEvent("from inside");
      return { logged: true };
    },
  };
  const endless = { toJSON: (): object => ({ again: endless, more: endless }) };
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("trap");
      },
    },
  );
  session.updateState({
    thrower,
    logger,
    endless,
    trap,
    promise: Promise.resolve(),
    weak: new WeakMap(),
    fn() {},
  });
  session.logEvent("tagged", { tags: trap as never });
  session.gauge("g", 1, { tags: { a: 1, b: thrower as never, c: Symbol("c") as never, d: 2 } });
  session.logException(trap);
  session.logException(Object.create(null));
  session.end();
  const records = readLanes(home)[0]?.records ?? [];
  expect(records.find((line) => line["op"] === "state")?.["patch"]).toEqual({
    thrower: { good: 1, bad: "<unreadable>" },
    logger: { logged: true },
    endless: { again: "<cycle>", more: "<cycle>" },
    trap: "<Object>",
    promise: "<Promise>",
    weak: "<WeakMap>",
    fn: "<Function>",
  });
  expect(records.find((line) => line["name"] === "tagged")).not.toHaveProperty("labels");
  const gauge = records.find((line) => line["op"] === "metric");
  expect(gauge).toMatchObject({ value: 1, tags: ["a:1", "b:[object Object]"] });
  expect(records.some((line) => line["name"] === "from inside")).toBe(true);
});

test("10 MB strings, depth 10,000 and 100,000 keys are cut or counted, never thrown", () => {
  using home = testHome();
  const session = record(home);
  let deep: object = {};
  for (let i = 0; i < 10_000; i++) deep = { deep };
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i]));
  const long = "😀\u2028\u0000".repeat(2_000_000);
  session.logEvent("long", { message: long });
  session.updateState({ long });
  session.updateState({ deep });
  session.updateState(wide);
  session.logEvent("wide", { data: wide });
  session.logException(new Error(long));
  session.end();
  const records = readLanes(home)[0]?.records ?? [];
  for (const line of records.filter((each) => each["op"] === "event"))
    expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThanOrEqual(MAX_EVENT_BYTES);
  const dropped = records.filter((each) => each["op"] === "dropped").map((each) => each["cause"]);
  expect(dropped).toContain("too_large");
  expect(dropped).toContain("unserialisable");
});

test("no home, no working folder, no standard streams: it runs, and records in the temporary folder", () => {
  using home = testHome();
  const script = join(home.folder, "program.mjs");
  const gone = mkdtempSync(join(tmpdir(), "datacat-gone-"));
  writeFileSync(
    script,
    `import { rmdirSync } from "node:fs";
     process.chdir(${JSON.stringify(gone)}); rmdirSync(${JSON.stringify(gone)});
     const { open } = await import(${JSON.stringify(client)});
     open().logEvent("still here");`,
  );
  const ran = spawnSync(process.execPath, [script], {
    stdio: "ignore",
    env: { DATACAT_HOME: "/proc/nowhere", DATACAT_DAEMON: "off", TMPDIR: home.folder },
  });
  expect(ran.status).toBe(0);
  const [spare] = readdirSync(home.folder).filter((name) => name.startsWith("datacat-"));
  const lanes = readLanes({ ...home, lanes: join(home.folder, spare ?? "", "lanes") });
  expect(lanes[0]?.records.map((line) => line["op"])).toEqual(["start", "event", "end"]);
});

test.skipIf(process.platform === "win32")(
  "in a stranger's folder nothing of it is run, and a link is not taken for the last resort",
  async () => {
    using home = testHome();
    const folder = join(home.folder, "stranger");
    const marker = join(home.folder, "marker");
    const daemon = (where: string, name: string) => {
      mkdirSync(where, { recursive: true });
      const path = join(where, "datacat-daemon");
      writeFileSync(path, `#!/bin/sh\necho ${name} >>${marker}\n`, { mode: 0o755 });
      return path;
    };
    const installed = join(folder, "node_modules/datacat");
    daemon(installed, "package");
    const manifest = { name: "datacat", bin: { "datacat-daemon": "datacat-daemon" } };
    writeFileSync(join(installed, "package.json"), JSON.stringify(manifest));
    for (const where of [folder, join(folder, "bin")]) daemon(where, "path");
    const own = daemon(join(home.folder, "own"), "own");
    symlinkSync(folder, join(home.folder, `datacat-${process.getuid?.()}`));

    const record = (path: string, home: string, env = {}) =>
      spawnSync(
        process.execPath,
        ["--input-type=module", "-e", `import { open } from ${JSON.stringify(client)}; open();`],
        {
          cwd: folder,
          env: { PATH: path, DATACAT_HOME: home, DATACAT_URL: "http://127.0.0.1:9", ...env },
        },
      );
    record(".:bin::", join(home.folder, "one"));
    record("/bin", "/proc/nowhere", { TMPDIR: home.folder });
    record(`.:bin:${dirname(own)}`, join(home.folder, "two"));
    await expect.poll(() => existsSync(marker), { timeout: 20_000 }).toBe(true);
    expect(readFileSync(marker, "utf8")).toBe("own\n");
    expect(existsSync(join(folder, "lanes"))).toBe(false);
  },
);

test("with no folder to write to at all, the program runs as ever", () => {
  using home = testHome();
  const script = join(home.folder, "program.mjs");
  writeFileSync(
    script,
    `import { open } from ${JSON.stringify(client)};\nopen().logEvent("x"); console.log("done");`,
  );
  const env = {
    DATACAT_HOME: "/proc/nowhere",
    TMPDIR: "/proc/nowhere",
    DATACAT_URL: "http://127.0.0.1:9",
  };
  const ran = spawnSync(process.execPath, [script], { encoding: "utf8", env });
  expect(ran).toMatchObject({ status: 0, stdout: "done\n", stderr: "" });
});

/** Only root may mount a disk that is small enough to fill. */
const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), "datacat-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();

test.runIf(canMount)(
  "a full disk costs records, which are counted; recording goes on when there is room",
  () => {
    using home = testHome();
    mkdirSync(home.lanes);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", home.lanes]);
    try {
      const ballast = join(home.lanes, "ballast");
      writeFileSync(ballast, Buffer.alloc(16_384));
      const session = record(home);
      for (let i = 0; i < 300; i++) session.logEvent(`e${i}`, { message: "x".repeat(100) });
      const { dropped } = session.stats();
      expect(dropped["disk_full"]).toBeGreaterThan(0);

      rmSync(ballast);
      session.logEvent("after");
      session.end();
      const [lane] = readLanes(home);
      expect(lane?.damaged).toBeLessThanOrEqual(1);
      expect(lane?.records.slice(-3)).toMatchObject([
        { op: "dropped", cause: "disk_full", count: dropped["disk_full"] },
        { name: "after" },
        { op: "end" },
      ]);
      // The hole in the sequences shows the same.
      const sequences = lane?.records.map((line) => Number(line["seq"])) ?? [];
      expect((sequences.at(-1) ?? 0) - sequences.length).toBe(dropped["disk_full"]);
    } finally {
      execFileSync("umount", [home.lanes]);
    }
  },
);

test.skipIf(process.platform === "win32")(
  "a file that may not grow is followed by the next part, unless not even one record fits",
  () => {
    using home = testHome();
    const program = `import { open } from ${JSON.stringify(client)};
      const session = open();
      for (let n = 0; n < 100; n++) session.logEvent("e", { data: { n } });
      session.logEvent("long", { message: "x".repeat(9_000) });
      console.log(JSON.stringify(session.stats().dropped));
      session.logEvent("works again");
      session.end();`;
    // dash counts 512 bytes, bash 1,024.
    const ran = spawnSync(
      "sh",
      [
        "-c",
        'ulimit -f 8 && exec "$@"',
        "sh",
        process.execPath,
        "--input-type=module",
        "-e",
        program,
      ],
      { encoding: "utf8", env: { DATACAT_HOME: home.folder, DATACAT_DAEMON: "off" } },
    );
    expect(ran).toMatchObject({ status: 0, stdout: '{"write_failed":1}\n', stderr: "" });
    const [lane] = readLanes(home);
    const names = lane?.records.flatMap(({ op, name }) => (op === "event" ? [name as string] : []));
    expect(names).toEqual([...Array.from({ length: 100 }, () => "e"), "works again"]);
    expect(lane?.records.at(-1)?.["op"]).toBe("end");
    const reports = lane?.records.filter(({ op }) => op === "dropped");
    expect(reports).toMatchObject([{ cause: "write_failed", count: 1, detail: "file too large" }]);
  },
);
