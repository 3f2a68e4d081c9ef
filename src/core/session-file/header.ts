/** The first part of a session file: which session it is, and as of when. */
import * as v from "valibot";
import { MAX_SEGMENTS } from "./limits.ts";

/** The format of the file: of its parts, and of the segments in them. */
export const FORMAT = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const FileHeader = v.object({
  format: v.literal(FORMAT),
  /** "datacat 2.0.0" */
  written_by: v.string(),
  exported_at: v.pipe(v.number(), v.minValue(0)),
  session: v.string(),
  product: v.string(),
  version: v.string(),
  /** Sequence of its newest op. */
  revision: count,
  segments: v.pipe(count, v.maxValue(MAX_SEGMENTS)),
  /** Of the verdict when it was exported. */
  status: v.string(),
  headline: v.string(),
});
export type FileHeader = v.InferOutput<typeof FileHeader>;
