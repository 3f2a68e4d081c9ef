/** The segments and contents of a session file, as answers read them. Each segment is checked once (contents.ts), and summarised as a server does. */
import type { DamagedPart } from "../answers/damage.ts";
import { type Attachment, chunkBytes, chunksOf } from "../attachments/attachments.ts";
import { ATTACHMENT_CHUNK_BYTES, MAX_TIME } from "../limits.ts";
import { Redactor } from "../secrets/redact.ts";
import { ByteReader } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import { summariseSegment } from "../segments/segment-summary.ts";
import type {
  Lengths,
  Segment,
  SegmentInfo,
  Segments,
  StoredChunks,
} from "../segments/segments.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { isObject } from "../state/merge.ts";
import type { Json, JsonObject } from "../wire.ts";
import { readContents } from "./contents.ts";
import { boundedReader } from "./bounded.ts";
import { BadFile, unpack } from "./parts.ts";
import type { FileBytes, Scanned } from "./scan.ts";
import { type FileSegment, readSegment } from "./segment-part.ts";

/** Segments that stay in memory: questions read neighbours. */
const KEPT = 2;

export class FileSegments implements Segments {
  readonly bytes: number;
  readonly segmentCount: number;
  readonly chunks: StoredChunks;
  readonly #bytes: FileBytes;
  readonly #scanned: Scanned;
  readonly #codec: Codec;
  readonly #infos: SegmentInfo[] = [];
  readonly #damaged: DamagedPart[] = [];
  readonly #kept = new Map<number, Segment>();

  /** `last`: the id of the newest segment that the session had. `index`: at its end. */
  constructor(bytes: FileBytes, scanned: Scanned, index: SessionIndex, last: number, codec: Codec) {
    this.#bytes = bytes;
    this.#scanned = scanned;
    this.#codec = codec;
    this.bytes = bytes.size;
    this.segmentCount = last;
    this.chunks = new FileChunks(bytes, scanned, codec);
    for (let id = 1; id <= last; id++) this.#check(id, index);
    for (const [segment, part] of scanned.damage)
      this.#damaged.push(
        part === "attachment"
          ? { segment: null, part, first_seq: segment, last_seq: segment }
          : { segment: segment === 0 ? null : segment, part },
      );
  }

  list(): SegmentInfo[] {
    return this.#infos;
  }

  open({ id }: Pick<SegmentInfo, "id">): Segment | null {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    const info = this.#infos.find((each) => each.id === id);
    if (!info) return null;
    const { keyframe, body } = this.#read(id);
    const state = isObject(keyframe as Json) ? JSON.stringify(keyframe) : "{}";
    const segment: Segment = {
      info,
      keyframe: () => JSON.parse(state) as JsonObject,
      reader: boundedReader(body, this.#codec),
    };
    for (const other of this.#kept.keys()) if (this.#kept.size >= KEPT) this.#kept.delete(other);
    this.#kept.set(id, segment);
    return segment;
  }

  find({ at, seq }: Parameters<Segments["find"]>[0]): SegmentInfo | null {
    const isUpTo = (info: SegmentInfo) =>
      seq === undefined ? info.fromAt <= (at ?? Infinity) : info.firstSeq <= seq;
    return this.#infos.filter(isUpTo).at(-1) ?? null;
  }

  damagedParts(): DamagedPart[] {
    return this.#damaged;
  }

  #read(id: number): FileSegment {
    const place = this.#scanned.segments.get(id);
    if (!place) throw new BadFile(`it has no segment ${id}`);
    return readSegment(this.#bytes.read(place.at, place.length), this.#codec);
  }

  /** Lists a segment, or names what of it cannot be read. */
  #check(id: number, { series }: SessionIndex): void {
    try {
      const { fromAt, firstSeq, lastSeq, isSealed, body } = this.#read(id);
      const reader = boundedReader(body, this.#codec);
      const context = { redactor: NO_REDACTION, latest: MAX_TIME, series };
      const { contents } = readContents(reader, context);
      const summary = isSealed ? summariseSegment(contents, (one) => series[one]) : null;
      this.#infos.push({ id, fromAt, firstSeq, lastSeq, summary });
    } catch {
      // What the source could not read is named as it named it.
      if (!this.#scanned.damage.some(([segment]) => segment === id))
        this.#damaged.push({ segment: id, part: "segment" });
    }
  }
}

/** Its texts were redacted as they were recorded. */
const NO_REDACTION = new Redactor();

class FileChunks implements StoredChunks {
  readonly #bytes: FileBytes;
  readonly #chunks: Scanned["chunks"];
  readonly #codec: Codec;

  constructor(bytes: FileBytes, { chunks }: Scanned, codec: Codec) {
    this.#bytes = bytes;
    this.#chunks = chunks;
    this.#codec = codec;
  }

  lengths(): Lengths {
    return new Map();
  }

  received(attachment: Attachment): number[] {
    const there = this.#chunks.get(attachment.seq);
    return Array.from({ length: chunksOf(attachment) }, (_, chunk) => chunk).filter((chunk) =>
      there?.has(chunk),
    );
  }

  read(attachment: Attachment, chunk: number): Uint8Array | undefined {
    const place = this.#chunks.get(attachment.seq)?.get(chunk);
    if (!place) return undefined;
    const reader = new ByteReader(this.#bytes.read(place.at, place.length));
    reader.varint();
    reader.varint();
    const bytes = unpack(reader.remaining(), this.#codec, ATTACHMENT_CHUNK_BYTES);
    return bytes.length === chunkBytes(attachment, chunk) ? bytes : undefined;
  }
}
