/**
 * Promise 32 of README.md: one program in each language attaches files, and is killed right after a call, or its disk is full; the daemon is killed
 * between chunks. What a call has returned for arrives whole, or is counted as lost.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { laneFile, readLane } from "../../daemon/lanes/lane-file.ts";
import { listFolder } from "../../daemon/lanes/listing.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import type { Op } from "../../src/core/wire.ts";
import { until, World } from "../daemon/world.ts";
import { eventually, World as RealWorld } from "../end-to-end/world.ts";
import { findPythons } from "../suites.ts";
import { PROGRAM as DAEMON } from "./daemons.ts";
import { generator } from "./random.ts";

const root = join(import.meta.dirname, "../..");
const programs = join(import.meta.dirname, "programs");
const SEED = Number(process.env["DATACAT_SEED"] ?? 20_261_129);
const KILLS = Number(process.env["DATACAT_KILLS"] ?? 13);
const GO = `package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "attach"})
	session.Heartbeat() // opens it
	attach := func(number, size int) {
		session.Attach(fmt.Sprint(number, ".bin"), datacat.Bytes(bytes.Repeat([]byte{byte(number)}, size)))
		fmt.Println(number)
	}
	fmt.Println(session.ID())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var command string
		var count, size int
		fmt.Sscan(lines.Text(), &command, &count, &size)
		switch command {
		case "loop":
			for i := 1; ; i++ {
				attach(i, i*7919%60000)
			}
		case "attach":
			for i := 1; i <= count; i++ {
				attach(i, size)
			}
		case "end":
			session.End()
		}
		fmt.Println(command)
	}
}
`;

/** Only root may mount a disk that is small enough to fill. */
const canMount = process.getuid?.() === 0 && process.platform === "linux";

describe("a program that attaches files", () => {
  let folder: string;
  const commands = new Map<string, string[]>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "datacat-attaching-"));
    commands.set("node", [process.execPath, join(programs, "attach.mjs")]);
    const found = [...(await findPythons())];
    for (const version of [" 2.7", " 3."]) {
      const python = found.find(([name]) => name.startsWith("Python") && name.includes(version));
      if (python) commands.set(python[0], [python[1], join(programs, "attach.py")]);
    }
    const client = "github.com/datacat/datacat/clients/go/v2";
    writeFileSync(join(folder, "main.go"), GO);
    writeFileSync(
      join(folder, "go.mod"),
      `module attach\ngo 1.19\nrequire ${client} v2.0.0\nreplace ${client} => ${join(root, "clients/go")}\n`,
    );
    const built = spawnSync("go", ["build", "-o", "program", "."], { cwd: folder });
    if (built.status === 0) commands.set("go", [join(folder, "program")]);
    expect([...commands.keys()].length).toBeGreaterThan(process.env["CI"] === "true" ? 3 : 0);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const inEach = (work: (language: string, command: string[]) => Promise<void>) =>
    Promise.all([...commands].map(([language, command]) => work(language, command)));

  test(`it is killed ${KILLS} times right after a call: each file that a call returned for arrives whole (seed ${SEED})`, async () => {
    await inEach(async (language, command) => {
      await using world = await World.make();
      const random = generator(SEED);
      const returned = new Map<string, number>();
      for (let kill = 0; kill < KILLS; kill++) {
        const program = new Program(command, envOf(world));
        const session = await program.next();
        program.send("loop");
        await program.next();
        await sleep(random() * 10);
        returned.set(session, await program.kill());
      }
      const lanes = await attachedIn(world.home.lanes);
      expect(new Set(lanes.map(({ session }) => session)), language).toEqual(
        new Set(returned.keys()),
      );
      for (const { session, attached, orphans } of lanes) {
        // The last call may have written both, or the file alone, and not returned.
        const count = returned.get(session) ?? 0;
        expect([count, count + 1], language).toContain(attached.length);
        expect(orphans, language).toBeLessThanOrEqual(1);
        for (const [index, { name, size, content }] of attached.entries()) {
          const number = index + 1;
          expect([name, size], language).toEqual([`${number}.bin`, (number * 7_919) % 60_000]);
          expect(content?.equals(Buffer.alloc(size, number % 256)), language).toBe(true);
        }
      }

      // The daemon sends what such a program leaves.
      const last = lanes.at(-1);
      for (const file of readdirSync(world.home.lanes))
        if (!file.startsWith(last?.lane ?? "")) rmSync(join(world.home.lanes, file));
      await world.daemon();
      await until(() => readdirSync(world.home.lanes)).toEqual([]);
      for (const { id, content } of last?.attached ?? [])
        expect(world.server.content(last?.session ?? "", id), language).toEqual(content);
    });
  });

  test.skipIf(!canMount)(
    "its disk is full: what does not fit is counted, and leaves no file; what fits is whole",
    async () => {
      await inEach(async (language, command) => {
        await using world = await World.make();
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", world.home.lanes]);
        try {
          const program = new Program(command, envOf(world));
          const session = await program.next();
          await program.ask("attach 30 60000");
          await program.ask("end");
          await program.kill();
          await world.daemon();
          await until(() => readdirSync(world.home.lanes)).toEqual([]);
          const attached = world.server.ops(session, "attachment");
          expect(attached.length, language).toBeGreaterThan(10);
          expect(attached.length, language).toBeLessThan(18);
          for (const { id, name, size } of attached) {
            const content = world.server.content(session, id);
            expect(content.equals(Buffer.alloc(size, Number.parseInt(name))), language).toBe(true);
          }
          // Each that is lost is an op, and an event that names it; there may be no room for the event either.
          const lost = 30 - attached.length;
          const named = world.server.ops(session, "event").length;
          const counted = world.server.ops(session, "dropped");
          expect(new Set(counted.map(({ cause }) => cause)), language).toEqual(
            new Set(["disk_full"]),
          );
          expect(
            counted.reduce((sum, { count }) => sum + count, 0),
            language,
          ).toBe(2 * lost - named);
        } finally {
          for (const daemon of world.daemons.splice(0)) await daemon.stop();
          execFileSync("umount", ["-l", world.home.lanes]);
        }
      });
    },
  );

  test("the daemon is killed between chunks: the next one sends the rest, to a real server", async () => {
    await using world = await RealWorld.make();
    await world.startServer();
    const env = { ...world.env, DATACAT_DAEMON: "off" };
    const program = new Program(commands.get("node") ?? [], env);
    const session = await program.next();
    await program.ask("attach 2 10000000");
    await program.ask("end");
    await program.kill();
    const lanes = join(world.folder, "home/lanes");
    for (let kill = 0; kill < 2; kill++) {
      const daemon = spawn(process.execPath, [DAEMON], { env: world.env, stdio: "ignore" });
      const received = await receivedBytes(world, session);
      await eventually(async () =>
        (await receivedBytes(world, session)) > received ? true : undefined,
      );
      daemon.kill("SIGKILL");
      await once(daemon, "exit");
    }
    const daemon = spawn(process.execPath, [DAEMON], { env: world.env, stdio: "ignore" });
    await eventually(async () => (readdirSync(lanes).length === 0 ? true : undefined));
    daemon.kill("SIGTERM");
    await once(daemon, "exit");
    const { items: attachments } = await listed(world, session);
    expect(attachments).toMatchObject(
      [1, 2].map((number) => ({ name: `${number}.bin`, size: 10_000_000, complete: true })),
    );
    for (const [index, { id }] of attachments.entries()) {
      const answer = await fetch(`${world.url}/api/sessions/${session}/attachments/${id}`);
      const content = Buffer.from(await answer.arrayBuffer());
      expect(content.equals(Buffer.alloc(10_000_000, index + 1))).toBe(true);
    }
  });

  test("behind the daemon of another machine, contents arrive through it", async () => {
    await using world = await RealWorld.make();
    await world.startServer();
    const daemon = spawn(process.execPath, [DAEMON], { env: world.env, stdio: "ignore" });
    const info = join(world.folder, "home/daemon.json");
    await eventually(() => (existsSync(info) ? true : undefined));
    const { port } = JSON.parse(readFileSync(info, "utf8")) as { port: number };
    const sessions: string[] = [];
    const DATACAT_DAEMON_URL = `http://127.0.0.1:${port}`;
    await inEach(async (language, command) => {
      const home = join(world.folder, `other-${language.replaceAll(/\W/g, "-")}`);
      const program = new Program(command, {
        ...world.env,
        DATACAT_HOME: home,
        DATACAT_DAEMON_URL,
      });
      const session = await program.next();
      await program.ask("attach 1 2500000");
      const [attached] = await eventually(async () => {
        const { items } = await listed(world, session);
        return items[0]?.complete ? items : undefined;
      });
      await program.ask("end");
      await eventually(async () => {
        const { verdict } = await world.get<Summary>(`/api/sessions/${session}/summary`);
        return verdict.status === "ended" ? true : undefined;
      });
      await program.kill();
      sessions.push(session);
      const path = `/api/sessions/${session}/attachments/${attached?.id}`;
      const content = await fetch(world.url + path).then((answer) => answer.arrayBuffer());
      expect(Buffer.from(content).equals(Buffer.alloc(2_500_000, 1)), language).toBe(true);
      expect(existsSync(join(home, "lanes")), language).toBe(false);
    });
    // The end of each is in the catalog soon.
    await eventually(async () => {
      const listing = ["sessions", "has:attachment", "attachments:1", "--json"];
      const { stdout } = await world.run(listing);
      return sessions.every((session) => stdout.includes(session)) ? true : undefined;
    });
    daemon.kill("SIGTERM");
    await once(daemon, "exit");
  });
});

/** The attachments of each lane in a folder with their content, and how many files have no op. */
async function attachedIn(folder: string) {
  const { lanes, attachments } = listFolder(folder);
  return Promise.all(
    [...lanes.keys()].map(async (lane) => {
      const attached: (Attachment & { content: Buffer | undefined })[] = [];
      let session = "";
      for await (const entry of readLane(join(folder, laneFile(lane, 1)))) {
        if (entry.kind === "header") ({ session } = entry.header);
        if (entry.kind !== "record" || entry.op.op !== "attachment") continue;
        const path = join(folder, `${entry.op.id}.attachment`);
        attached.push({ ...entry.op, content: existsSync(path) ? readFileSync(path) : undefined });
      }
      const orphans = (attachments.get(lane) ?? []).length - attached.length;
      return { lane, session, attached, orphans };
    }),
  );
}

type Attachment = Extract<Op, { op: "attachment" }>;

type Listed = { items: { id: string; complete: boolean; received_bytes: number }[] };

async function listed(world: RealWorld, session: string): Promise<Listed> {
  const answer = await fetch(`${world.url}/api/sessions/${session}/attachments`);
  return answer.ok ? ((await answer.json()) as Listed) : { items: [] }; // the server's own shape
}

async function receivedBytes(world: RealWorld, session: string): Promise<number> {
  const { items: attachments } = await listed(world, session);
  return attachments.reduce((sum, { received_bytes }) => sum + received_bytes, 0);
}

function envOf(world: World): NodeJS.ProcessEnv {
  return { ...process.env, ...world.env, DATACAT_DAEMON: "off" };
}

class Program {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;

  constructor(command: string[], env: NodeJS.ProcessEnv) {
    const [file = "", ...args] = command;
    this.#process = spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#exit = once(this.#process, "exit");
    const input = this.#process.stdout;
    if (!input) throw new Error("no output");
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  send(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  async next(): Promise<string> {
    const { value } = (await this.#lines.next()) as { value?: string };
    if (value === undefined) throw new Error("the program has ended");
    return value;
  }

  /** Sends a command, and waits until it is done. */
  async ask(line: string): Promise<void> {
    this.send(line);
    while ((await this.next()) !== line.split(" ")[0]);
  }

  /** Kills it. Returns the last number that it printed. */
  async kill(): Promise<number> {
    this.#process.kill("SIGKILL");
    await this.#exit;
    let last = 1; // the first one was read
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) return last;
      last = Number(value) || last;
    }
  }
}
