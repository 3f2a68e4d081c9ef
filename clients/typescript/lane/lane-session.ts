/**
 * A session on a lane file, with a fast path for gauges and counters without options: only their number is encoded at each call. Beside
 * the lane are the stacks of a hang and the report of a fatal error.
 */
import { DEFAULT_HEARTBEAT_TIMEOUT_MS } from "../../../src/core/limits.ts";
import { MAX_CACHED } from "../limits.ts";
import {
  attachmentOp,
  LOST_EVENT,
  lossOf,
  lostEvent,
  type AttachOptions,
  type NotStored,
} from "../attach/attachment.ts";
import { AttachingSession } from "../attach/session.ts";
import { isPlainName, metricPrefix, type MetricOptions } from "../encode/ops.ts";
import { reportFatalErrors } from "../process/fatal-report.ts";
import { hasStacks, StackWatch } from "../process/stacks.ts";
import type { Settings } from "../settings.ts";
import { notWritten, removed, writeAttachment, type FileContent } from "./attachment-file.ts";
import type { LaneFile } from "./lane-file.ts";

export class LaneSession extends AttachingSession {
  /** By name, the op's text up to the number. */
  readonly #gauges = new Map<string, string>();
  readonly #counters = new Map<string, string>();
  readonly #lane: LaneFile;
  /** Watches the heartbeats; null if there are no samples of stacks, undefined before the first heartbeat. */
  #stacks: StackWatch | null | undefined;
  #timeoutMs = DEFAULT_HEARTBEAT_TIMEOUT_MS;

  constructor(
    id: string,
    settings: Settings,
    lane: LaneFile,
    isJoined: boolean,
    clock?: () => number,
  ) {
    super(id, settings.url, settings, lane, isJoined, clock);
    this.#lane = lane;
    if (!settings.stacks || !hasStacks()) this.#stacks = null;
    if (settings.fatalReports && hasStacks()) {
      const path = lane.sidePath("fatal");
      const restore = path && reportFatalErrors(path);
      if (restore) this.onEnd(restore);
    }
  }

  override heartbeat(timeoutMs?: number): void {
    super.heartbeat(timeoutMs);
    if (timeoutMs !== undefined && Number.isFinite(timeoutMs) && timeoutMs >= 1)
      this.#timeoutMs = timeoutMs;
    if (this.#stacks === undefined) this.#stacks = this.#watchStacks() ?? null;
    this.#stacks?.expect(this.#timeoutMs);
  }

  override pause(): void {
    super.pause();
    this.#stacks?.pause();
  }

  override resume(): void {
    super.resume();
    this.#stacks?.expect(this.#timeoutMs);
  }

  #watchStacks(): StackWatch | undefined {
    if (this.hasEnded) return undefined;
    const path = this.#lane.sidePath("stacks");
    const watch = path === undefined ? undefined : StackWatch.start(path);
    if (watch === undefined) return undefined;
    this.onEnd(() => {
      this.#stacks = null;
      watch.stop();
    });
    return watch;
  }

  /** The content is on the disk when this returns: neither the end of the program nor `kill -9` loses it. */
  override attach(title: string, content: FileContent, options?: AttachOptions): void {
    if (this.hasEnded) return;
    const { id, path } = this.#lane.nextAttachment();
    let lost: NotStored | undefined;
    let time = 0;
    this.record("attachment", (losses, at) => {
      time = at;
      const { failure } = this.#lane;
      const written = path ? writeAttachment(path, content) : notWritten(failure);
      if (!("cause" in written))
        return attachmentOp(title, options?.type, { id, ...written }, losses);
      lost = written;
      if ("failure" in written) this.#lane.lose("attachment", at, written.failure);
      else losses.push(lossOf(title, written));
      return undefined;
    });
    if (!lost && path && !this.#lane.isAttached)
      lost = removed(path, notWritten(this.#lane.failure));
    if (lost) this.log(LOST_EVENT, { ...lostEvent(title, lost), at: time });
  }

  override gauge(name: string, value: number | bigint, options?: MetricOptions): void {
    const prefix =
      options === undefined ? this.#prefix(this.#gauges, "gauge", name, value) : undefined;
    if (prefix === undefined) super.gauge(name, value, options);
    else this.append("metric", this.clock(), `${prefix}${value}}`);
  }

  override counter(name: string, delta: number | bigint = 1, options?: MetricOptions): void {
    const prefix =
      options === undefined ? this.#prefix(this.#counters, "counter", name, delta) : undefined;
    if (prefix === undefined) super.counter(name, delta, options);
    else this.append("metric", this.clock(), `${prefix}${delta}}`);
  }

  /** The cached text up to the number; undefined if the slow path is needed. */
  #prefix(
    prefixes: Map<string, string>,
    type: "gauge" | "counter",
    name: string,
    value: unknown,
  ): string | undefined {
    if (this.hasEnded || typeof value !== "number" || !Number.isFinite(value)) return undefined;
    let prefix = prefixes.get(name);
    if (prefix === undefined && isPlainName(name)) {
      prefix = metricPrefix(type, name);
      if (prefixes.size < MAX_CACHED) prefixes.set(name, prefix);
    }
    return prefix;
  }
}
