/** One run's recording: a lane like any program's, written by `datacat run` for a command that knows nothing of it. */
import { basename } from "node:path";
import { redactArguments } from "../../../src/core/redact.ts";
import type { Op } from "../../../src/core/wire.ts";
import { type Environment, openHome } from "../../home.ts";
import { newId } from "../../id.ts";
import { LaneWriter } from "../../lanes/lane-file.ts";
import { thisMachine, thisProcess } from "../../watch/machine.ts";
import { type OomWatch, wasKilledForMemory, watchOom } from "../../watch/oom.ts";
import { listProcesses } from "../../watch/processes.ts";
import { DRAIN_MS, FIRST_SAMPLES_MS, SAMPLE_MS, SAMPLE_WINDOWS_MS } from "../limits.ts";
import { harmless, lookAround } from "./context.ts";
import { TreeGauges } from "./gauges.ts";
import { type Exit, outcomeOf } from "./outcome.ts";
import { OutputRecorder, type StreamName } from "./output.ts";
import { VERSION } from "../../version.ts";

export type RunOptions = {
  product?: string;
  versionLabel?: string;
  tag: string[];
  /** Whether the command's output passes through us and is recorded, or goes straight to where ours goes. */
  output: boolean;
};

export class Recorder {
  readonly session: string;
  readonly #writer: LaneWriter;
  readonly #output: OutputRecorder;
  /** Settles when everything about the circumstances has been recorded. */
  readonly #facts: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #oom: OomWatch | undefined;

  constructor(command: string[], options: RunOptions, env: Environment) {
    const now = Date.now();
    const [program = "", ...args] = redactArguments(command);
    const folder = process.cwd();
    this.session = newId(now);
    this.#output = new OutputRecorder((op) => this.#record(op), now);
    this.#writer = LaneWriter.create(openHome(env, process.platform).lanes, {
      lane: newId(now),
      session: this.session,
      server: env["DATACAT_URL"] ?? "",
      at: now,
      monotonic_ms: Math.round(performance.now()),
      writer: {
        program: basename(program),
        arguments: args,
        client: `datacat-run ${VERSION}`,
        ...thisProcess(),
        parent_pid: process.ppid,
        ...thisMachine(),
      },
    });

    const product = options.product ?? env["DATACAT_PRODUCT"] ?? basename(program);
    const version = options.versionLabel ?? env["DATACAT_VERSION"];
    this.#record({
      op: "start",
      at: now,
      product,
      ...(version && { version }),
      ...(options.tag.length > 0 && { tags: options.tag }),
      state: {
        command: program,
        arguments: args,
        working_folder: folder,
        environment: harmless(env),
        ...(env["DATACAT_SESSION"] && { parent_session: env["DATACAT_SESSION"] }),
      },
    });
    this.#facts = this.#lookAround(command[0] ?? "", folder, version === undefined);
  }

  /** Measures the command's processes from now on. */
  watch(pid: number): void {
    this.#oom = watchOom(pid);
    const since = Date.now();
    const gauges = new TreeGauges(pid, since);
    const early = [...FIRST_SAMPLES_MS];
    const regular = process.platform === "win32" ? SAMPLE_WINDOWS_MS : SAMPLE_MS;
    const next = () => {
      const age = Date.now() - since;
      // A timer may fire a moment too soon, which must not make two samples of one.
      const due =
        early.shift() ?? (Math.floor((age + FIRST_SAMPLES_MS[0]) / regular) + 1) * regular;
      this.#timer = setTimeout(
        () => {
          const now = Date.now();
          for (const op of gauges.measure(listProcesses(), now)) this.#record(op);
          this.#output.tick(now);
          next();
        },
        Math.max(0, due - age),
      );
    };
    next();
  }

  /** Takes what the command printed. */
  output(stream: StreamName, bytes: Buffer): void {
    this.#output.take(stream, bytes, Date.now());
  }

  /** The command ended so, at `at`. */
  async end(exit: Exit, readerLeft: boolean, at: number): Promise<void> {
    const killedForMemory = this.#oom !== undefined && wasKilledForMemory(this.#oom);
    await this.#close(at, outcomeOf(exit, { killedForMemory, readerLeft }, at));
  }

  /** The command could not be started. */
  async fail(message: string, exitCode: number): Promise<void> {
    const at = Date.now();
    this.#record({ op: "event", at, name: "command_not_started", category: "error", message });
    await this.#close(at, { op: "end", at, exit_code: exitCode });
  }

  async #close(at: number, last: Op): Promise<void> {
    clearTimeout(this.#timer);
    this.#output.finish(at);
    // A command may be faster than git is; what it has not said by then stays unknown.
    await Promise.race([this.#facts, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
    this.#record(last);
    this.#isClosed = true;
    this.#writer.close();
  }

  async #lookAround(program: string, folder: string, needsVersion: boolean): Promise<void> {
    const { state, describe } = await lookAround(program, folder);
    const at = Date.now();
    this.#record({ op: "state", at, patch: state });
    if (needsVersion && describe) this.#record({ op: "start", at, version: describe });
  }

  /** A full disk is counted by the writer; what comes after the end came too late. */
  #record(op: Op): void {
    if (!this.#isClosed) this.#writer.append(op);
  }
}

/** Begins to record, or says in one line why it cannot. */
export function startRecording(
  command: string[],
  options: RunOptions,
  env: Environment,
): Recorder | undefined {
  if (env["DATACAT_DISABLED"] === "1") return undefined;
  try {
    return new Recorder(command, options, env);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`datacat: this run is not recorded. ${reason}\n`);
    return undefined;
  }
}
