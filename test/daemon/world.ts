/** A small world for the daemon: a home in a temporary folder, a far server, programs that write lanes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Home, homeAt, makePrivate } from "../../daemon/home.ts";
import { newId } from "../../daemon/id.ts";
import { type Header, LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { thisMachine, thisProcess } from "../../daemon/watch/machine.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import { type DaemonOptions, runDaemon } from "../../daemon/main.ts";
import { Far } from "./far.ts";

/** Waits for something to become so: on a busy machine, patiently. */
export const until = <Value>(probe: () => Value) => expect.poll(probe, { timeout: 20_000 });

export class World {
  readonly far: Far;
  readonly home: Home;
  readonly daemons: Daemon[] = [];

  constructor(far: Far) {
    this.far = far;
    this.home = homeAt(mkdtempSync(join(tmpdir(), "datacat-home-")));
    makePrivate(this.home);
  }

  static async make(): Promise<World> {
    return new World(await Far.start());
  }

  get env(): { [name: string]: string } {
    return { DATACAT_HOME: this.home.folder, DATACAT_URL: this.far.url };
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

  /** A lane as a program opens it: this process's, unless told otherwise. */
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
    await this.far.down();
    rmSync(this.home.folder, { recursive: true, force: true });
  }
}
