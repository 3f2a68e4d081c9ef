/**
 * Takes a session from a file, part by part (core/session-file/parts.ts). What is stored meanwhile counts as nothing until the file was read to
 * its end and everything in it fits: then the session exists, or nothing of it.
 */
import { createHash } from "node:crypto";
import { type Access, checkOwner, openerOf } from "../../core/access/authority.ts";
import {
  type Attachment,
  type AttachmentLimits,
  chunkBytes,
  chunksOf,
} from "../../core/attachments/attachments.ts";
import { ATTACHMENT_CHUNK_BYTES, CLOCK_TOLERANCE_MS } from "../../core/limits.ts";
import { parse } from "../../core/parse.ts";
import { Refusal, type RefusalCode } from "../../core/refusal.ts";
import type { Redactor } from "../../core/secrets/redact.ts";
import { ByteReader } from "../../core/segments/bytes.ts";
import { BadFile, refusedFile } from "../../core/session-file/bad-file.ts";
import { boundedReader } from "../../core/session-file/bounded.ts";
import { LogCheck } from "../../core/session-file/check.ts";
import { readContents } from "../../core/session-file/contents.ts";
import { FileDamage } from "../../core/session-file/damage.ts";
import { type FileHeader, readHeader } from "../../core/session-file/header.ts";
import { MAX_INDEX_BYTES, MAX_SEGMENTS } from "../../core/session-file/limits.ts";
import { type Part, PART, unpack, unpackJson } from "../../core/session-file/parts.ts";
import { readIndex, redactedIndex } from "../../core/session-file/read-index.ts";
import { type FileSegment, keyframeOf, readSegment } from "../../core/session-file/segment-part.ts";
import { noteAltered } from "../../core/session/counts.ts";
import { API_LANE } from "../../core/session/lanes.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import { CODEC } from "../storage/row.ts";
import type { Store } from "../storage/store.ts";

export type Target = {
  store: Store;
  /** Of the session as it is imported. */
  id: string;
  access: Access;
  redactor: Redactor;
  attachmentLimits: AttachmentLimits;
  now: number;
  /** Called with the index at the session's end, before anything is stored. Throws if the session is not to be imported. */
  admit: (index: SessionIndex) => void;
};

/** What a part cost: rows, and bytes of attachments. */
type Cost = { rows: number; bytes: number };

/** The content whose chunks arrive, in order. */
type Receiving = {
  attachment: Attachment;
  next: number;
  isWhole: boolean;
  hash: ReturnType<typeof createHash>;
};

export class FileImport {
  readonly #target: Target;
  #header: FileHeader | undefined;
  #index: SessionIndex | undefined;
  /** The id that the session has in the file. */
  #ownId = "";
  #segments = 0;
  #check: LogCheck | undefined;
  #newest: Pick<FileSegment, "id" | "isSealed"> = { id: 0, isSealed: false };
  #oldest = Infinity;
  /** Something of the log is missing, which only a damaged source explains. */
  #hasGaps = false;
  #damage: FileDamage = [];
  #receiving: Receiving | undefined;
  /** Sequences of attachments whose chunks have arrived, and whether no chunk is missing. */
  readonly #received = new Map<number, boolean>();
  #rows = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Throws a Refusal, after which nothing of the import is to remain. */
  take(part: Part): Cost {
    return refusing(() => {
      if (this.#damage.length > 0) throw new BadFile("its parts are not in order");
      const cost = this.#take(part);
      this.#rows += cost.rows;
      return cost;
    });
  }

  #take({ kind, payload }: Part): Cost {
    if (!this.#header) {
      if (kind !== PART.header) throw new BadFile("it does not begin with a header");
      this.#header = readHeader(payload, CODEC);
      return NOTHING;
    }
    switch (kind) {
      case PART.segment:
        return this.#takeSegment(readSegment(payload, CODEC));
      case PART.chunk:
        return this.#takeChunk(payload);
      case PART.damage:
        return this.#takeDamage(payload);
      default:
        throw new BadFile("it has a part of an unknown kind");
    }
  }

  /** After the last part. Makes what was taken the session, and returns its index. */
  finish(): SessionIndex {
    return refusing(() => {
      const { store } = this.#target;
      const index = this.#index;
      if (!index) throw new BadFile("it has no segment");
      this.#closeContent();
      if (this.#damage.length === 0) {
        if (this.#hasGaps) throw new BadFile("a part of its log cannot be read");
        this.#checkHeader(index);
        this.#check?.finish();
      }
      this.#checkContents(index);
      for (const [segment, part] of this.#damage) store.damage.note(segment, part);
      index.rowsWritten = this.#rows + 1;
      store.rewriteIndex({ id: this.#newest.id, sealed: this.#newest.isSealed }, index);
      store.staging.commit();
      return index;
    });
  }

  #takeSegment(segment: FileSegment): Cost {
    const { id, isSealed, hasSummary, fromAt, firstSeq, lastSeq } = segment;
    if (id < 1 || id > MAX_SEGMENTS || id >= this.#oldest || !Number.isFinite(fromAt))
      throw new BadFile("its segments are not in order");
    this.#oldest = id;
    this.#segments++;
    const index = this.#indexOf(segment);
    const { access, redactor, store } = this.#target;
    if (!this.#index || !this.#check) {
      if (!index) throw new BadFile("its newest segment has no index");
      this.#target.admit(index);
      this.#index = index;
      this.#check = new LogCheck(index);
      this.#newest = { id, isSealed };
    }
    const { series } = this.#index;
    const reader = boundedReader(segment.body, CODEC);
    const { latest } = this;
    const { contents, altered } = readContents(reader, { redactor, latest, series });
    for (const op of contents.others)
      if (op.op === "start" && op.product) checkOwner(access, op.product);
    const state = keyframeOf(segment);
    const keyframe = state && redactor.value(state, "state");
    if (reader.isDamaged || !index || !keyframe) this.#hasGaps = true;
    this.#check.add({ id, fromAt, firstSeq, lastSeq }, keyframe, contents);
    noteAltered(this.#index, "redacted", altered);
    const numbers = { id, isSealed, fromAt, firstSeq, lastSeq };
    store.staging.write(numbers, { keyframe, contents, index, series, hasSummary });
    return { rows: 1, bytes: 0 };
  }

  get latest(): number {
    return this.#target.now + CLOCK_TOLERANCE_MS;
  }

  /** The index at the end of a segment, as of a session that the caller opened. */
  #indexOf(segment: FileSegment): SessionIndex | null {
    const value = segment.index();
    if (value === null) return null;
    const { id, access, redactor, attachmentLimits } = this.#target;
    const { latest } = this;
    const index = redactedIndex(readIndex(value, { latest, attachmentLimits }), redactor);
    this.#ownId ||= index.id;
    if (index.product !== "") checkOwner(access, index.product);
    const opener = openerOf(access);
    return {
      ...index,
      id,
      opener,
      product: index.product || (access.product ?? ""),
      lanes: index.lanes.map((lane) => (lane.lane === API_LANE ? lane : { ...lane, opener })),
    };
  }

  #takeChunk(payload: Uint8Array): Cost {
    const reader = new ByteReader(payload);
    const seq = reader.varint();
    const chunk = reader.varint();
    const bytes = unpack(reader.remaining(), CODEC, ATTACHMENT_CHUNK_BYTES);
    const receiving = this.#receivingOf(seq);
    const { attachment, next, hash } = receiving;
    if (
      chunk < next ||
      chunk >= chunksOf(attachment) ||
      bytes.length !== chunkBytes(attachment, chunk)
    )
      throw new BadFile(`a chunk of attachment ${attachment.id} does not fit`);
    if (chunk > next) receiving.isWhole = false;
    receiving.next = chunk + 1;
    hash.update(bytes);
    this.#target.store.chunks.write(attachment, chunk, bytes);
    return { rows: 1, bytes: bytes.length };
  }

  #takeDamage(payload: Uint8Array): Cost {
    const damage = parse(FileDamage, unpackJson(payload, CODEC, MAX_INDEX_BYTES), "The file");
    const sequences = new Set(this.#index?.attachments.map(({ seq }) => seq));
    const isThere = ([at, part]: FileDamage[number]) =>
      part === "attachment" ? sequences.has(at) : at <= this.#newest.id;
    if (!damage.every(isThere) || new Set(damage.map(String)).size < damage.length)
      throw new BadFile("it names damage of what it does not have");
    this.#damage = damage;
    return { rows: damage.length, bytes: 0 };
  }

  #receivingOf(seq: number): Receiving {
    if (this.#receiving?.attachment.seq === seq) return this.#receiving;
    this.#closeContent();
    const attachment = this.#index?.attachments.find((each) => each.seq === seq);
    if (!attachment || attachment.refused !== undefined || this.#received.has(seq))
      throw new BadFile("it has a chunk of no attachment");
    return (this.#receiving = { attachment, next: 0, isWhole: true, hash: createHash("sha256") });
  }

  /** All chunks of a content were read. */
  #closeContent(): void {
    if (!this.#receiving) return;
    const { attachment, next, isWhole, hash } = this.#receiving;
    const hasAll = isWhole && next === chunksOf(attachment);
    if (hasAll && attachment.complete && hash.digest("hex") !== attachment.sha256)
      throw new BadFile(`the content of attachment ${attachment.id} does not match its SHA-256`);
    this.#received.set(attachment.seq, hasAll);
    this.#receiving = undefined;
  }

  #checkHeader({ seq }: SessionIndex): void {
    const { session, revision, segments } = this.#header ?? {};
    if (session !== this.#ownId || revision !== seq || segments !== this.#segments)
      throw new BadFile("its header is of another session, or of another moment");
  }

  /** Every content that had arrived is there, but for what the source could not read. */
  #checkContents({ attachments }: SessionIndex): void {
    for (const { id, seq, complete, size } of attachments) {
      const isDamaged = this.#damage.some(([at, part]) => part === "attachment" && at === seq);
      if (complete && size > 0 && !isDamaged && !this.#received.get(seq))
        throw new BadFile(`the content of attachment ${id} is missing`);
    }
  }
}

const NOTHING: Cost = { rows: 0, bytes: 0 };

/** Runs it; what the file has wrong is a refusal. */
function refusing<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw refusedFile(new BadFile(error.message));
    if (error instanceof BadFile) throw refusedFile(error);
    if (!(error instanceof Refusal) || !OF_CONTENT.has(error.code)) throw error;
    throw new Refusal(error.code, `Nothing of the file is imported. ${error.message}`);
  }
}

/** What an op, a list or a state is refused with. */
const OF_CONTENT: ReadonlySet<RefusalCode> = new Set([
  "invalid_json",
  "invalid_body",
  "not_finite",
  "too_deep",
  "too_many_keys",
  "too_large",
]);
