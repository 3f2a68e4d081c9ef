/** What a test of the daemon needs: a home in a temporary folder, a fake server, lanes as programs write them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Clock } from "../../daemon/clock.ts";
import { type Home, homeAt, makePrivate } from "../../daemon/home.ts";
import { newId } from "../../daemon/id.ts";
import { type Header, LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { thisMachine, thisProcess } from "../../daemon/watch/machine.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import { type DaemonOptions, runDaemon } from "../../daemon/main.ts";
import { FakeServer } from "./fake-server.ts";

/** Waits until `probe` returns what is expected; long enough for a busy machine. */
export const until = <Value>(probe: () => Value) => expect.poll(probe, { timeout: 20_000 });

/** A clock that only the test moves. The daemon's timers still run, so it reads lanes, but nothing becomes due by itself. */
export class ManualClock implements Clock {
  #ms = 0;
  readonly #start = Date.now();

  advance(ms: number): void {
    this.#ms += ms;
  }

  now(): number {
    return this.#start + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  uptime(): number {
    return this.#ms;
  }
}

export class World {
  readonly server: FakeServer;
  readonly home: Home;
  readonly daemons: Daemon[] = [];

  constructor(server: FakeServer) {
    this.server = server;
    this.home = homeAt(mkdtempSync(join(tmpdir(), "datacat-home-")));
    makePrivate(this.home);
    mkdirSync(this.env["TMPDIR"] ?? "");
  }

  static async make(): Promise<World> {
    return new World(await FakeServer.start());
  }

  get env(): { [name: string]: string } {
    // No test's daemon reads the lanes that another test's program has in the last resort.
    const TMPDIR = join(this.home.folder, "temporary");
    return { DATACAT_HOME: this.home.folder, DATACAT_URL: this.server.url, TMPDIR };
  }

  async daemon(options: Partial<DaemonOptions> = {}): Promise<Daemon> {
    const daemon = await runDaemon({
      env: this.env,
      folder: this.home.folder,
      port: 0,
      stay: () => true,
      ...options,
    });
    if (!daemon) throw new Error("another daemon has the home");
    this.daemons.push(daemon);
    return daemon;
  }

  /** A lane as a program opens it; its writer is this process unless the header names another. */
  lane(session: string, header: Partial<Header> = {}, maxBytes?: number): LaneWriter {
    const writer = { ...thisProcess(), ...thisMachine(), ...header.writer };
    const whole = {
      lane: newId(Date.now()),
      session,
      server: "",
      at: Date.now(),
      ...header,
      writer,
    };
    return LaneWriter.create(this.home.lanes, whole, maxBytes === undefined ? {} : { maxBytes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.daemons) await daemon.stop();
    await this.server.down();
    rmSync(this.home.folder, { recursive: true, force: true });
  }
}
