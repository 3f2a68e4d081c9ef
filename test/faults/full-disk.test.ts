/**
 * Promise 28 of README.md: one program in each language, on disks that are full, can't be written or lose the home at every moment of its
 * life. What the page and the API show is compared with what the program counted: issued = stored + lost, and the reason is named.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/answers/summary.ts";
import { eventually, World } from "../end-to-end/world.ts";
import { canMount, fillDisk } from "../small-disk.ts";
import { findPythons } from "../suites.ts";
import { PROGRAM as DAEMON } from "./daemons.ts";

const root = join(import.meta.dirname, "../..");

/** Each reads commands: a number logs so many events, `end` ends the session. It prints the session's id, and a line per command. */
const NODE = `
  import { createInterface } from "node:readline";
  import { open } from ${JSON.stringify(join(root, "clients/typescript/node.ts"))};
  const session = open({ product: "full", version: "node" });
  console.log(session.id);
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "end") session.end();
    else for (let i = 0; i < Number(line); i++) session.logEvent("e", { message: "x".repeat(90) });
    console.log(line);
  });
`;
const PYTHON = `
from __future__ import print_function
import sys
sys.path.insert(0, ${JSON.stringify(join(root, "clients/python"))})
import datacat
session = datacat.open(product="full", version="python")
print(session.session_id)
sys.stdout.flush()
while True:
    line = sys.stdin.readline().rstrip()
    if not line:
        break
    if line == "end":
        session.end()
    else:
        for _ in range(int(line)):
            session.log_event("e", message="x" * 90)
    print(line)
    sys.stdout.flush()
`;
const GO = `package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "full", Version: "go"})
	session.LogEvent("e", nil) // opens it
	fmt.Println(session.ID())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); fmt.Println(lines.Text()) {
		if lines.Text() == "end" {
			session.End()
			continue
		}
		for n, _ := strconv.Atoi(lines.Text()); n > 0; n-- {
			session.LogEvent("e", datacat.Data{"x": strings.Repeat("x", 90)})
		}
	}
}
`;

/** A small disk with a home on it, and a temporary folder: on it too, or where there is room. */
class Disk {
  readonly folder = mkdtempSync(join(tmpdir(), "datacat-full-"));
  readonly home = join(this.folder, "disk/home");
  readonly temporary: string;
  readonly #disk = join(this.folder, "disk");
  readonly #isMounted: boolean;
  readonly #daemons: ChildProcess[] = [];

  /** `options` of the mount; none: an ordinary folder. */
  constructor(options?: string, { hasLastResort = false } = {}) {
    mkdirSync(this.#disk);
    this.#isMounted = options !== undefined;
    if (options !== undefined)
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", this.#disk]);
    this.temporary = join(hasLastResort ? this.folder : this.#disk, "temporary");
    for (const folder of [this.home, join(this.home, "lanes"), this.temporary])
      mkdirSync(folder, { mode: 0o700 });
  }

  env(world: World): NodeJS.ProcessEnv {
    return { ...world.env, DATACAT_HOME: this.home, TMPDIR: this.temporary, DATACAT_DAEMON: "off" };
  }

  fill(): void {
    fillDisk(this.#disk);
  }

  /** Leaves room, and no inode for a new file. */
  fillInodes(): void {
    const ballast = join(this.#disk, "ballast");
    mkdirSync(ballast);
    try {
      for (let i = 0; ; i++) writeFileSync(join(ballast, String(i)), "");
    } catch {
      // there is none left
    }
  }

  free(): void {
    rmSync(join(this.#disk, "ballast"), { recursive: true, force: true });
  }

  remount(how: "ro" | "rw"): void {
    execFileSync("mount", ["-o", `remount,${how}`, this.#disk]);
  }

  startDaemon(world: World): ChildProcess {
    const env = { ...this.env(world), DATACAT_DAEMON: undefined };
    const daemon = spawn(process.execPath, [DAEMON], { env, stdio: "ignore" });
    this.#daemons.push(daemon);
    return daemon;
  }

  /** The process that holds the home and has published its port. */
  get daemon(): number | undefined {
    const [lock, info] = ["daemon.lock", "daemon.json"].map((name) => {
      try {
        const { pid } = JSON.parse(readFileSync(join(this.home, name), "utf8")) as { pid: number };
        return pid;
      } catch {
        return undefined;
      }
    });
    return lock === info ? lock : undefined;
  }

  /** Lane files that are left. */
  get lanes(): string[] {
    const last = join(this.temporary, `datacat-${process.getuid?.()}`, "lanes");
    return [join(this.home, "lanes"), last].flatMap((folder) => {
      try {
        return readdirSync(folder);
      } catch {
        return [];
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) {
      const gone = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGKILL");
      await gone;
    }
    if (this.#isMounted) execFileSync("umount", ["-l", this.#disk]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One running program. `issued` is its own count. */
class Program {
  id = "";
  issued: number;
  readonly language: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(language: string, command: string[], env: NodeJS.ProcessEnv) {
    const [file = "", ...args] = command;
    this.language = language;
    this.issued = language === "go" ? 2 : 1; // the start; Go opens with the first call
    this.#process = spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    const input = this.#process.stdout;
    if (!input) throw new Error("no output");
    this.#answers = createInterface({ input })[Symbol.asyncIterator]();
  }

  async opened(): Promise<this> {
    this.id = await this.#answer();
    return this;
  }

  async log(count: number): Promise<void> {
    this.issued += count;
    await this.#ask(String(count));
  }

  async end(): Promise<void> {
    this.issued += 1;
    await this.#ask("end");
  }

  async exit(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill(signal);
    await gone;
  }

  async #ask(line: string): Promise<void> {
    this.#process.stdin?.write(`${line}\n`);
    expect(await this.#answer(), this.language).toBe(line);
  }

  async #answer(): Promise<string> {
    const { value } = (await this.#answers.next()) as { value: string | undefined };
    return value ?? "";
  }
}

describe("a program on a disk that is full or can't be written", () => {
  let folder: string;
  let world: World;
  const commands = new Map<string, string[]>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "datacat-programs-"));
    world = await World.make();
    await world.startServer();
    const script = join(folder, "program.mts");
    writeFileSync(script, NODE);
    commands.set("node", [process.execPath, script]);
    const found = [...(await findPythons())];
    for (const version of [" 2.7", " 3."]) {
      const python = found.find(([name]) => name.startsWith("Python") && name.includes(version));
      if (python) commands.set(python[0], [python[1], "-c", PYTHON]);
    }
    const go = join(folder, "go");
    mkdirSync(go);
    const client = "github.com/datacat/datacat/clients/go/v2";
    writeFileSync(join(go, "main.go"), GO);
    writeFileSync(
      join(go, "go.mod"),
      `module full\ngo 1.19\nrequire ${client} v2.0.0\nreplace ${client} => ${join(root, "clients/go")}\n`,
    );
    const built = spawnSync("go", ["build", "-o", "program", "."], { cwd: go });
    if (built.status === 0) commands.set("go", [join(go, "program")]);
    expect([...commands.keys()].length).toBeGreaterThan(process.env["CI"] === "true" ? 3 : 0);
  }, 60_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (disk: Disk, more: NodeJS.ProcessEnv = {}, wrapper: string[] = []) =>
    Promise.all(
      [...commands].map(([language, command]) =>
        new Program(language, [...wrapper, ...command], { ...disk.env(world), ...more }).opened(),
      ),
    );
  const all = (programs: Program[], work: (program: Program) => Promise<void>) =>
    Promise.all(programs.map(work));

  /** The summary, once the session is over and everything of it has arrived. */
  const settled = (program: Program) =>
    eventually(async () => {
      const answer = await fetch(`${world.url}/api/sessions/${program.id}/summary`);
      if (!answer.ok) return undefined;
      const summary = (await answer.json()) as Summary;
      const isOver = ["ended", "crashed"].includes(summary.verdict.status);
      return isOver ? summary : undefined;
    });

  /** What the page shows of the session's completeness. */
  async function shown(program: Program): Promise<string> {
    const page = await (await fetch(`${world.url}/sessions/${program.id}`)).text();
    const [, figures = ""] = /<div id="record-figures">(.*?)<dl/s.exec(page) ?? [];
    return figures.replaceAll(/<[^>]+>/g, "").replaceAll(/\s+/g, " ");
  }

  async function expectCounted(program: Program, isComplete: boolean): Promise<Summary> {
    const summary = await settled(program);
    const { accepted, stored, dropped, loss_times } = summary.ledger;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const { language, issued } = program;
    expect({ language, accepted, lost: accepted - stored }).toEqual({
      language,
      accepted: issued,
      lost,
    });
    expect(lost === 0, language).toBe(isComplete);
    if (isComplete) return summary;
    expect(Object.keys(dropped), language).toEqual(["disk_full"]);
    expect(loss_times, language).toMatchObject([{ cause: "disk_full" }]);
    expect(await shown(program)).toMatch(
      /^[\d,]+ of [\d,]+ recorded\..*not written: the disk of this machine was full from .* to /,
    );
    return summary;
  }

  /** It ended without a count of all that it lost. */
  async function expectUnknown(program: Program): Promise<void> {
    const { ledger, verdict } = await eventually(async () => {
      const summary = await settled(program);
      return summary.ledger.loss_times?.some((times) => times.at_least) ? summary : undefined;
    });
    expect(ledger.stored).toBeLessThan(program.issued);
    expect(ledger.accepted).toBeLessThanOrEqual(program.issued);
    expect(verdict.evidence.map(({ text }) => text).join()).toContain("may have ended");
    const page = await shown(program);
    expect(page).toMatch(/of (at least [\d,]+|an unknown number) recorded\./);
    expect(page).toMatch(/(An unknown number|[\d,]+ or more) not written/);
  }

  const SMALL = "size=1m";
  const WAIT_MS = 300; // clients try to open a part again after 250
  const CHECKED_MS = 1_100; // …and check every second whether their file still exists

  test.skipIf(!canMount)("full at the opening: it records once there is room", async () => {
    await using disk = new Disk(SMALL);
    disk.fill();
    const programs = await open(disk);
    await all(programs, (program) => program.log(20));
    disk.startDaemon(world); // on the full disk
    expect(disk.lanes).toEqual([]);
    disk.free();
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    await all(programs, (program) => program.log(20));
    await all(programs, (program) => program.end());
    for (const program of programs) {
      const { verdict } = await expectCounted(program, false);
      expect(verdict.status).toBe("ended");
      await program.exit();
    }
    await eventually(() => (disk.lanes.length === 0 ? true : undefined));
  });

  test.skipIf(!canMount)("full in the middle, at the next part, and at the end", async () => {
    await using disk = new Disk(SMALL);
    const programs = [...(await open(disk)), ...(await open(disk, { DATACAT_LANE_BYTES: "6000" }))];
    await all(programs, (program) => program.log(20));
    disk.fill();
    await all(programs, (program) => program.log(200));
    disk.free();
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    await all(programs, (program) => program.log(20));
    disk.fill();
    await all(programs, (program) => program.log(200));
    await all(programs, (program) => program.end());
    await all(programs, (program) => program.exit());
    disk.startDaemon(world); // while it is full: sending makes room
    for (const program of programs) {
      const { verdict } = await expectCounted(program, false);
      expect(verdict.status, program.language).toBe("ended");
    }
    await eventually(() => (disk.lanes.length === 0 ? true : undefined));
  });

  test.skipIf(!canMount)("killed on a full disk: at least so many were lost", async () => {
    await using disk = new Disk(SMALL);
    disk.startDaemon(world);
    const programs = await open(disk);
    await all(programs, (program) => program.log(20));
    disk.fill();
    await all(programs, (program) => program.log(100));
    await all(programs, (program) => program.exit());
    disk.free();
    for (const program of programs) await expectUnknown(program);
  });

  test.skipIf(!canMount)(
    "read-only, or full with room elsewhere: the last resort has everything",
    async () => {
      await using disk = new Disk(SMALL, { hasLastResort: true });
      disk.startDaemon(world);
      await eventually(() => (readdirSync(disk.home).includes("daemon.json") ? true : undefined));
      disk.fill();
      const full = await open(disk);
      disk.remount("ro");
      const programs = [...full, ...(await open(disk))];
      await all(programs, (program) => program.log(20));
      await all(programs, (program) => program.end());
      for (const program of programs) await expectCounted(program, true);
      await all(programs, (program) => program.exit());
      await eventually(() => (disk.lanes.length === 0 ? true : undefined));
      disk.remount("rw");
    },
  );

  test.skipIf(!canMount)(
    "no inode is left: the open part is continued, and what could not open records once there is one",
    async () => {
      await using disk = new Disk("size=1m,nr_inodes=100");
      const early = await open(disk, { DATACAT_LANE_BYTES: "6000" });
      await all(early, (program) => program.log(20));
      disk.fillInodes();
      const late = await open(disk);
      await all([...early, ...late], (program) => program.log(100));
      disk.startDaemon(world); // it needs an inode itself
      disk.free();
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      await all([...early, ...late], async (program) => {
        await program.log(20);
        await program.end();
      });
      for (const program of early) await expectCounted(program, true);
      for (const program of late) await expectCounted(program, false);
      await all([...early, ...late], (program) => program.exit());
    },
  );

  test.skipIf(process.platform === "win32")(
    "a file may not grow further (ulimit -f), and no daemon runs: the next parts have everything",
    async () => {
      await using disk = new Disk();
      // dash counts 512 bytes, bash 1,024: both less than the program logs.
      const limited = ["sh", "-c", 'ulimit -f 16 && exec "$@"', "sh"];
      const programs = await open(disk, {}, limited);
      await all(programs, (program) => program.log(200));
      await all(programs, (program) => program.end());
      expect(disk.lanes.length).toBeGreaterThan(2 * programs.length);
      await all(programs, (program) => program.exit());
      disk.startDaemon(world);
      for (const program of programs) await expectCounted(program, true);
    },
  );

  test.each(["home", "home/lanes"])(
    "%s is removed under a running daemon and running programs: both go on, and what was not sent counts as lost",
    async (removed) => {
      await using disk = new Disk();
      const daemon = disk.startDaemon(world);
      await eventually(() => (readdirSync(disk.home).includes("daemon.json") ? true : undefined));
      const programs = await open(disk);
      await all(programs, (program) => program.log(20));
      rmSync(join(disk.home, "..", removed), { recursive: true });
      const before = cpuSeconds(daemon.pid);
      await new Promise((resolve) => setTimeout(resolve, CHECKED_MS));
      expect(cpuSeconds(daemon.pid) - before).toBeLessThan(CHECKED_MS / 2_000); // nothing spins
      await all(programs, (program) => program.log(20));
      await all(programs, (program) => program.end());
      for (const program of programs) {
        const { ledger } = await settled(program);
        const { language, issued } = program;
        const { damaged: lost = 0, ...others } = ledger.dropped;
        expect({ language, accepted: ledger.accepted, others }).toEqual({
          language,
          accepted: issued,
          others: {},
        });
        expect(ledger.stored + lost, language).toBe(issued);
        expect(ledger.stored, language).toBeGreaterThan(20); // the last ones, and the end
      }
      await all(programs, (program) => program.exit());
      await eventually(() => (disk.lanes.length === 0 ? true : undefined));
      // The same daemon has the home again, where the next program finds it.
      await eventually(() => (disk.daemon === daemon.pid ? true : undefined));
      expect(daemon.exitCode).toBeNull();
    },
  );
});

/** Processor time that a process has used; 0 where there is no /proc. */
function cpuSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
