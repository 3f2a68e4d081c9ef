/** The first part of a session file: which session it is, and as of when. */
import * as v from "valibot";
import { MAX_NAME_LENGTH, MAX_REASON_LENGTH, MAX_TIME } from "../limits.ts";
import type { Codec } from "../segments/segment.ts";
import { Id } from "../wire-fields.ts";
import { BadFile } from "./bad-file.ts";
import { MAX_HEADER_BYTES, MAX_SEGMENTS } from "./limits.ts";
import { unpackJson } from "./parts.ts";

/** The format of the file: of its parts, and of the segments in them. */
export const FORMAT = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

export const FileHeader = v.object({
  format: v.literal(FORMAT),
  /** "datacat 2.0.0" */
  written_by: text(MAX_NAME_LENGTH),
  exported_at: v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_TIME)),
  session: Id,
  product: text(MAX_NAME_LENGTH),
  version: text(MAX_NAME_LENGTH),
  /** Sequence of its newest op. */
  revision: count,
  segments: v.pipe(count, v.maxValue(MAX_SEGMENTS)),
  /** Of the verdict when it was exported. */
  status: text(MAX_NAME_LENGTH),
  headline: text(4 * MAX_REASON_LENGTH),
});
export type FileHeader = v.InferOutput<typeof FileHeader>;

const OtherFormat = v.object({ format: v.pipe(count, v.notValue(FORMAT)) });

/** Throws a BadFile for what is no header of this format. */
export function readHeader(payload: Uint8Array, codec: Codec): FileHeader {
  const value = unpackJson(payload, codec, MAX_HEADER_BYTES);
  const header = v.safeParse(FileHeader, value);
  if (header.success) return header.output;
  const other = v.safeParse(OtherFormat, value);
  if (!other.success) throw new BadFile("its header does not fit");
  throw new BadFile(
    `it has format ${other.output.format}, and this version of Datacat reads format ${FORMAT}`,
    "A newer version may read it.",
  );
}
