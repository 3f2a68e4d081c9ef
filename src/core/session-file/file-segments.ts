/** The segments of a session file, as answers read them. Each segment is checked once (contents.ts), and summarised as a server does. */
import type { DamagedPart } from "../answers/damage.ts";
import { MAX_TIME } from "../limits.ts";
import { damagedParts } from "../segments/damaged-parts.ts";
import { repairedKeyframe } from "../segments/keyframe.ts";
import type { Codec } from "../segments/segment.ts";
import { SegmentReader } from "../segments/segment-reader.ts";
import { summariseSegment } from "../segments/segment-summary.ts";
import type { Segment, SegmentInfo, Segments, StoredChunks } from "../segments/segments.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { BadFile, isOfFile } from "./bad-file.ts";
import { boundedReader } from "./bounded.ts";
import { readContents } from "./contents.ts";
import { FileChunks } from "./file-chunks.ts";
import type { FileBytes, Scanned } from "./scan.ts";
import { countsOf, type FileSegment, keyframeOf, readSegment } from "./segment-part.ts";

/** Segments that stay in memory: questions read neighbours. */
const KEPT = 2;

export class FileSegments implements Segments {
  readonly bytes: number;
  readonly segmentCount: number;
  readonly chunks: StoredChunks;
  readonly #bytes: FileBytes;
  readonly #scanned: Scanned;
  readonly #codec: Codec;
  /** By their ids, oldest first. */
  readonly #infos = new Map<number, SegmentInfo>();
  readonly #damaged: DamagedPart[];
  readonly #kept = new Map<number, Segment>();

  /** `last`: the id of the newest segment that the session had. `index`: at its end. */
  constructor(bytes: FileBytes, scanned: Scanned, index: SessionIndex, last: number, codec: Codec) {
    this.#bytes = bytes;
    this.#scanned = scanned;
    this.#codec = codec;
    this.bytes = bytes.size;
    this.segmentCount = last;
    this.chunks = new FileChunks(bytes, scanned, codec);
    // What the source could not read is named as it named it.
    const known = new Set(scanned.damage.map(([segment]) => segment));
    const missing: DamagedPart[] = [];
    for (let id = 1; id <= last; id++)
      if (!this.#check(id, index) && !known.has(id)) missing.push({ segment: id, part: "segment" });
    const found = scanned.damage.map(([segment, part]) => ({ segment: segment || null, part }));
    this.#damaged = [
      ...missing,
      ...damagedParts(found, this.list(), (id) => this.#damagedSegment(id)),
    ];
  }

  list(): SegmentInfo[] {
    return [...this.#infos.values()];
  }

  open({ id }: Pick<SegmentInfo, "id">): Segment | null {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    const segment = this.#open(id);
    for (const other of this.#kept.keys()) if (this.#kept.size >= KEPT) this.#kept.delete(other);
    if (segment) this.#kept.set(id, segment);
    return segment;
  }

  find({ at, seq }: Parameters<Segments["find"]>[0]): SegmentInfo | null {
    const isUpTo = (info: SegmentInfo) =>
      seq === undefined ? info.fromAt <= (at ?? Infinity) : info.firstSeq <= seq;
    return this.list().filter(isUpTo).at(-1) ?? null;
  }

  damagedParts(): DamagedPart[] {
    return this.#damaged;
  }

  #open(id: number): Segment | null {
    const info = this.#infos.get(id);
    if (!info) return null;
    const segment = this.#read(id);
    return {
      info,
      keyframe: () => keyframeOf(segment) ?? repairedKeyframe(id, (other) => this.#before(other)),
      // Its sizes were checked.
      reader: new SegmentReader(segment.body, this.#codec),
    };
  }

  #before(id: number): ReturnType<Parameters<typeof repairedKeyframe>[1]> {
    if (!this.#infos.has(id)) return null;
    const segment = this.#read(id);
    const reader = new SegmentReader(segment.body, this.#codec);
    return { keyframe: keyframeOf(segment), reader };
  }

  #read(id: number): FileSegment {
    const place = this.#scanned.segments.get(id);
    if (!place) throw new BadFile(`it has no segment ${id}`);
    return readSegment(this.#bytes.read(place.at, place.length), this.#codec);
  }

  #damagedSegment(id: number): ReturnType<Parameters<typeof damagedParts>[2]> {
    if (!this.#infos.has(id)) return undefined;
    const segment = this.#read(id);
    const reader = new SegmentReader(segment.body, this.#codec);
    return { counts: countsOf(segment), reader };
  }

  /** Lists a segment. False if it cannot be read. */
  #check(id: number, { series }: SessionIndex): boolean {
    if (!this.#scanned.segments.has(id)) return false;
    try {
      const segment = this.#read(id);
      keyframeOf(segment);
      const { fromAt, firstSeq, lastSeq, hasSummary } = segment;
      const reader = boundedReader(segment.body, this.#codec);
      const { contents } = readContents(reader, { latest: MAX_TIME, series });
      const summary = hasSummary ? summariseSegment(contents, (one) => series[one]) : null;
      this.#infos.set(id, { id, fromAt, firstSeq, lastSeq, summary });
      return true;
    } catch (error) {
      if (!isOfFile(error)) throw error;
      return false;
    }
  }
}
