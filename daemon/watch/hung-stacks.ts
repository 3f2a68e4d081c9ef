/** Follows the file of stacks that a hung program or its runtime writes, and records its samples (clients/README.md, "Samples"). */
import type { Op, Stacks } from "../../src/core/wire.ts";
import type { Lane } from "../lanes/lane.ts";
import { emptySideFile, readSideFile, sideFileSize } from "../lanes/side-file.ts";
import { EMPTY_STACKS_BYTES, HANG_SAMPLES, SAMPLE_JITTER_MS } from "../limits.ts";
import type { Observations } from "./observations.ts";
import { type Runtime, runtimeOf, type Sample, samplesIn } from "./stack-text.ts";

type Followed = {
  /** How far the file was read, and its size at the last check. */
  offset: number;
  size: number;
  /** How many samples of this hang are recorded, and the time of the last one. */
  recorded: number;
  recordedAt: number;
  /** The newest sample. */
  last: { at: number; sample: Sample } | undefined;
};

export class HungStacks {
  readonly #observations: Observations;
  readonly #followed = new WeakMap<Lane, Followed>();
  /** What an earlier daemon recorded of hangs that have not ended, by lane id. */
  readonly #earlier = new Map<string, { recorded: number; recordedAt: number }>();

  constructor(observations: Observations) {
    this.#observations = observations;
  }

  /** An op of the observations lane was read. */
  noteRecorded(op: Op & { lane?: string }): void {
    if (op.lane === undefined) return;
    if (op.op === "hang" || op.op === "recovered") this.#earlier.delete(op.lane);
    if (op.op !== "stacks" || op.when !== "hung") return;
    const recorded = (this.#earlier.get(op.lane)?.recorded ?? 0) + 1;
    this.#earlier.set(op.lane, { recorded, recordedAt: op.at });
  }

  /** Records what was added since the last call for a program that hangs since its heartbeat at `lastHeartbeatAt`. */
  follow(lane: Lane, lastHeartbeatAt: number): void {
    const runtime = runtimeOf(lane.header.writer.language);
    if (runtime === undefined) return;
    const followed = this.#of(lane);
    const size = sideFileSize(lane, "stacks");
    if (size < followed.offset) followed.offset = 0; // its client emptied it
    // A sample is written line by line, so it is read when the file has not grown since the last check.
    const isWhole = size === followed.size;
    followed.size = size;
    if (size === followed.offset || !isWhole) return;
    const read = this.#read(lane, runtime, followed, lastHeartbeatAt);
    if (!read) return;
    for (const { at, sample } of read.samples) this.#take(lane, followed, at, sample);
    if (read.end > EMPTY_STACKS_BYTES && emptySideFile(lane, "stacks")) followed.offset = 0;
  }

  /** What follows the last reading, without samples of an earlier hang: a process that was stopped has none of its own. */
  #read(lane: Lane, runtime: Runtime, followed: Followed, lastHeartbeatAt: number) {
    const read = readSideFile(lane, "stacks", followed.offset);
    if (!read) return undefined;
    followed.offset = read.end;
    let before = read.writtenAt;
    const samples = samplesIn(runtime, read.text)
      .filter((sample) => sample.at === undefined || sample.at >= lastHeartbeatAt)
      .toReversed()
      .map((sample) => {
        // A text may state any time; the file was written at a known one.
        const at = Math.max(Math.min(sample.at ?? before, read.writtenAt), lastHeartbeatAt);
        before = at - (sample.everyMs ?? 0);
        return { at, sample };
      });
    return { samples: samples.toReversed(), end: read.end };
  }

  /** Heartbeats continue after a hang from one time to another. Records the last sample between, unless it is recorded. */
  recovered(lane: Lane, from: number, to: number): void {
    const followed = this.#of(lane);
    const runtime = runtimeOf(lane.header.writer.language);
    // A sample may have been taken as the hang ended. Later ones are of the next hang, which reads the file from its beginning.
    const read = runtime && this.#read(lane, runtime, followed, from);
    for (const { at, sample } of read?.samples ?? [])
      if (at <= to) this.#take(lane, followed, at, sample);
    const { last, recordedAt } = followed;
    if (last && last.at > recordedAt + SAMPLE_JITTER_MS) this.#record(lane, last, "recovered");
    this.#followed.delete(lane);
  }

  #take(lane: Lane, followed: Followed, at: number, sample: Sample): void {
    if (at <= followed.recordedAt + SAMPLE_JITTER_MS) return;
    followed.last = { at, sample };
    if (followed.recorded >= HANG_SAMPLES) return;
    followed.recorded += 1;
    followed.recordedAt = at;
    this.#record(lane, followed.last, "hung");
  }

  #record(lane: Lane, { at, sample }: { at: number; sample: Sample }, when: Stacks["when"]): void {
    const { threads, left_out, cut } = sample;
    this.#observations.record(lane, { op: "stacks", at, when, threads, left_out, cut });
  }

  #of(lane: Lane): Followed {
    let followed = this.#followed.get(lane);
    if (!followed) {
      const earlier = this.#earlier.get(lane.id) ?? { recorded: 0, recordedAt: 0 };
      followed = { offset: 0, size: 0, last: undefined, ...earlier };
      this.#earlier.delete(lane.id);
      this.#followed.set(lane, followed);
    }
    return followed;
  }
}
