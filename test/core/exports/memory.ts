/** A session in memory: a projection and its segments, as the object keeps them in its storage. */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { Projection } from "../../../src/core/session/projection.ts";
import { Rollups } from "../../../src/core/questions/metrics.ts";
import type { Source } from "../../../src/core/questions/questions.ts";
import { Tests } from "../../../src/core/questions/tests.ts";
import { append, type Contents, newContents } from "../../../src/core/segments/contents.ts";
import { type Codec, packContents, sealContents } from "../../../src/core/segments/segment.ts";
import { SegmentReader } from "../../../src/core/segments/segment-reader.ts";
import { summariseSegment } from "../../../src/core/segments/segment-summary.ts";
import type { SegmentInfo, Segments } from "../../../src/core/segments/segments.ts";
import type { JsonObject, Op } from "../../../src/core/wire.ts";

export const NOON = Date.UTC(2026, 0, 5, 12);

export const CODEC: Codec = {
  inflate: (bytes) => new Uint8Array(inflateRawSync(bytes)),
  deflate: (bytes) => new Uint8Array(deflateRawSync(bytes)),
  checksum: (bytes, seed = 0) => crc32(bytes, seed),
};

type Stored = { info: SegmentInfo; keyframe: string; body: Uint8Array; contents: Contents };

export class MemorySession {
  readonly projection = Projection.open("memory", NOON, { now: NOON, sentAt: null });
  readonly stored: Stored[] = [];
  opened = 0;
  #sequences = new Map<string, number>();

  /** Applies a batch of a lane, at its arrival. */
  apply(ops: Op[], { lane = "one", now = NOON + 86_400_000 } = {}): this {
    const { index, state } = this.projection;
    let segment = this.stored.at(-1);
    if (!segment || segment.info.summary)
      this.stored.push(
        (segment = {
          info: {
            id: this.stored.length + 1,
            fromAt: index.clockAt,
            firstSeq: index.seq + 1,
            lastSeq: index.seq,
            summary: null,
          },
          keyframe: JSON.stringify(state),
          body: new Uint8Array(),
          contents: newContents(),
        }),
      );
    const first = (this.#sequences.get(lane) ?? 0) + 1;
    const last = first + ops.length - 1;
    this.#sequences.set(lane, last);
    const batch = { session: "memory", lane, first, last, ops };
    const { contents } = this.projection.apply(batch, { now, sentAt: null });
    const block = packContents(contents, CODEC);
    const body = new Uint8Array(segment.body.length + block.length);
    body.set(segment.body);
    body.set(block, segment.body.length);
    segment.body = body;
    segment.info.lastSeq = index.seq;
    append(segment.contents, contents);
    return this;
  }

  /** The next batch begins a segment. */
  seal(): this {
    const segment = this.stored.at(-1);
    if (segment && !segment.info.summary) {
      const { series } = this.projection.index;
      segment.info.summary = summariseSegment(segment.contents, (id) => series[id]);
      segment.body = sealContents(segment.contents, CODEC);
    }
    return this;
  }

  source(now = NOON + 86_400_000): Source {
    const store: Segments = {
      segmentCount: this.stored.length,
      bytes: 0,
      list: () => this.stored.map(({ info }) => info),
      open: ({ id }) => {
        const segment = this.stored[id - 1];
        if (!segment) return null;
        this.opened++;
        const { info, keyframe, body } = segment;
        const reader = new SegmentReader(body, CODEC);
        return { info, keyframe: () => JSON.parse(keyframe) as JsonObject, reader };
      },
      find: ({ at, seq }) =>
        this.stored.findLast(({ info }) =>
          seq === undefined ? info.fromAt <= (at ?? Infinity) : info.firstSeq <= seq,
        )?.info ?? null,
      damagedParts: () => [],
      chunks: { lengths: () => new Map(), received: () => [], read: () => undefined },
    };
    const { index, state } = this.projection;
    return {
      store,
      index,
      state,
      now,
      rollups: () => new Rollups(store, index.series),
      tests: () => new Tests(store).table(index.seq),
    };
  }
}
