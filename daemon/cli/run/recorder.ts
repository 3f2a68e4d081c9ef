/** Records one run: `datacat run` writes a lane for the command, like a client inside a program. */
import { basename } from "node:path";
import { formatBytes, formatDuration } from "../../../src/core/text/format.ts";
import { redactOp, Redactor } from "../../../src/core/secrets/redact.ts";
import { redactArguments } from "../../../src/core/secrets/arguments.ts";
import { withNamesCut } from "../../../src/core/text/cut-names.ts";
import { tagsIn } from "../../../src/core/text/tag.ts";
import { EVENT_NOT_STARTED } from "../../../src/core/vocabulary.ts";
import type { Op } from "../../../src/core/wire.ts";
import { readSettings, rulesOf } from "../../config.ts";
import { type Environment, home, openHome, openSpare } from "../../home.ts";
import { newId } from "../../id.ts";
import { LaneWriter } from "../../lanes/lane-file.ts";
import { thisMachine, thisProcess } from "../../watch/machine.ts";
import { type OomWatch, wasKilledForMemory, watchOom } from "../../watch/oom.ts";
import { listProcesses } from "../../watch/processes.ts";
import { DRAIN_MS, FIRST_SAMPLES_MS, SAMPLE_MS, SAMPLE_WINDOWS_MS } from "../limits.ts";
import { hold, release } from "./ask.ts";
import { changedFiles } from "./attach.ts";
import { Attaching } from "./attaching.ts";
import { publicVariables, readContext } from "./context.ts";
import { failureOf } from "./failure.ts";
import { TreeGauges } from "./gauges.ts";
import { watchGpus } from "./gpu.ts";
import { MemoryTrend } from "./memory.ts";
import type { NotStarted } from "./not-started.ts";
import { type Exit, outcomeOf } from "./outcome.ts";
import { OutputRecorder, type StreamName } from "./output.ts";
import { VERSION } from "../../version.ts";

export type RunOptions = {
  product?: string;
  versionLabel?: string;
  tag: string[];
  /** Whether the command's output passes through this process and is recorded, or goes directly to its standard streams. */
  output: boolean;
  /** When the session's address is printed after the command. */
  link?: string;
  /** Patterns of files that are attached after the end. */
  attach: string[];
};

export class Recorder {
  readonly session: string;
  readonly #writer: LaneWriter;
  readonly #output: OutputRecorder;
  /** Reads the context. */
  readonly #readContext: () => Promise<void>;
  /** With the user's own rules. Those that are wrong are not used: datacat doctor states why. */
  readonly #redactor: Redactor;
  /** Settles when the context has been recorded. */
  #context: Promise<void> | undefined;
  readonly #memory = new MemoryTrend();
  /** Aborts when nothing is sampled any more. */
  readonly #sampling = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When the command ended. What is read from its pipes later was written before. */
  #exitedAt = Infinity;
  #isClosed = false;
  #hasWritten = false;
  readonly #startedAt: number;
  #oom: OomWatch | undefined;
  #isFailureKnown = false;

  constructor(command: string[], options: RunOptions, env: Environment) {
    const now = Date.now();
    this.#redactor = new Redactor(
      rulesOf(env, readSettings(home(env, process.platform).config)).rules,
    );
    const [program = "", ...args] = redactArguments(command, this.#redactor);
    const folder = process.cwd();
    this.session = newId(now);
    this.#output = new OutputRecorder((op) => this.#record(op), now, this.#redactor);
    this.#startedAt = now;
    const header = {
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
    };
    const { lanes } = openHome(env, process.platform);
    this.#writer = LaneWriter.create(lanes, header, { spare: () => openSpare(env)?.lanes });

    const product = options.product ?? env["DATACAT_PRODUCT"] ?? basename(program);
    const version = options.versionLabel ?? env["DATACAT_VERSION"];
    const tags = [...tagsIn(env["DATACAT_TAGS"]), ...options.tag];
    const start: Op = {
      op: "start",
      at: now,
      product,
      version: version || undefined,
      tags: tags.length > 0 ? tags : undefined,
      state: {
        command: program,
        arguments: args,
        working_folder: folder,
        environment: publicVariables(env),
        ...(env["DATACAT_SESSION"] && { parent_session: env["DATACAT_SESSION"] }),
      },
    };
    for (const op of withNamesCut(start)) this.#record(op);
    this.#readContext = () =>
      this.#recordContext(command[0] ?? "", folder, env, version === undefined);
  }

  /** Whether anything could be written: there is a session to link to. */
  get hasRecorded(): boolean {
    return this.#hasWritten;
  }

  /** Samples the command's processes from now on. */
  watch(pid: number): void {
    hold();
    this.#context = this.#readContext();
    this.#oom = watchOom(pid);
    watchGpus((op) => this.#record(op), this.#sampling.signal);
    const since = Date.now();
    const gauges = new TreeGauges(pid, since);
    const early = [...FIRST_SAMPLES_MS];
    const regular = process.platform === "win32" ? SAMPLE_WINDOWS_MS : SAMPLE_MS;
    const next = () => {
      const age = Date.now() - since;
      // A timer may fire a millisecond early, which must not add a sample.
      const due =
        early.shift() ?? (Math.floor((age + FIRST_SAMPLES_MS[0]) / regular) + 1) * regular;
      this.#timer = setTimeout(
        () => {
          const now = Date.now();
          for (const op of gauges.measure(listProcesses(), now)) {
            this.#record(op);
            if (op.name === "memory_bytes") this.#memory.add(now, op.value ?? 0);
          }
          this.#output.tick(now);
          next();
        },
        Math.max(0, due - age),
      );
    };
    next();
  }

  /** Records what the command printed. */
  output(stream: StreamName, bytes: Buffer): void {
    this.#output.take(stream, bytes, Math.min(Date.now(), this.#exitedAt));
  }

  /** The command ended at `at`. Its output may not have been read to the end yet. */
  exited(at: number): void {
    this.#exitedAt = at;
    clearTimeout(this.#timer);
    this.#sampling.abort();
    release();
  }

  /** The command ended at `at`, and all its output was read. */
  async end(exit: Exit, readerLeft: boolean, at: number): Promise<void> {
    this.#output.finish(at);
    const failure = failureOf(exit, this.#output.tails, at);
    if (failure && !this.#isFailureKnown) this.#record(failure);
    const { growth } = this.#memory;
    const killedForMemory = this.#oom !== undefined && wasKilledForMemory(this.#oom);
    const { limitBytes } = this.#oom ?? {};
    const last = outcomeOf(exit, { killedForMemory, readerLeft, growth, limitBytes }, at);
    if (growth && last.op === "end" && exit.code !== 0) {
      const { memory_from: from, memory_to: to, memory_ms: ms } = growth;
      const message = `Memory grew from ${formatBytes(from)} to ${formatBytes(to)} in ${formatDuration(ms)}`;
      this.#record({ op: "event", at, name: "memory_growth", category: "warning", message });
    }
    await this.#close(last);
  }

  /** Attaches the files that the command changed. Call it before `end`. Returns what was attached, as one line. */
  attach(globs: string[]): string {
    const folder = process.cwd();
    const found = changedFiles(globs, folder, this.#startedAt);
    const attaching = new Attaching(this.#writer, (op) => this.#record(op));
    for (const file of found.files) attaching.add(folder, file);
    return attaching.summary(found.isCut);
  }

  /** The command could not be started. */
  async fail(why: NotStarted): Promise<void> {
    const at = Date.now();
    this.exited(at);
    this.notStarted(why, at);
    await this.#close({ op: "end", at, exit_code: why.code });
  }

  /** Records why the command did not start. */
  notStarted({ type, object }: Pick<NotStarted, "type" | "object">, at: number): void {
    this.#isFailureKnown = true;
    this.#record({
      op: "event",
      at,
      name: EVENT_NOT_STARTED,
      category: "error",
      message: `${object}: ${type}`,
      exception_type: type,
      exception_msg: object,
      handled: false,
    });
  }

  async #close(last: Op): Promise<void> {
    this.#context ??= this.#readContext(); // it was not started
    // A short command may end before git answers; the context then stays unknown.
    await Promise.race([this.#context, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
    this.#record(last);
    this.#isClosed = true;
    this.#writer.close();
  }

  async #recordContext(
    program: string,
    folder: string,
    env: Environment,
    needsVersion: boolean,
  ): Promise<void> {
    const { state, version } = await readContext(program, folder, env);
    // git may answer after a short command ended; its time must not extend the session.
    const at = Math.min(Date.now(), this.#exitedAt);
    this.#record({ op: "state", at, patch: state });
    if (needsVersion && version) this.#record({ op: "start", at, version });
  }

  /** The writer counts what a full disk refuses. Ops after the end are left out. */
  #record(op: Op): void {
    if (!this.#isClosed && this.#writer.append(redactOp(op, this.#redactor)))
      this.#hasWritten = true;
  }
}

/** Starts recording, or prints in one line why that is not possible. */
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
    process.stderr.write(`datacat: this run is not recorded: ${reason}\n`);
    return undefined;
  }
}
