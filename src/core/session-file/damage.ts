/** What of the source's storage could not be read, as a file names it. */
import * as v from "valibot";
import { MAX_SEGMENTS } from "./limits.ts";

const Part = v.picklist([
  "storage",
  "segment",
  "numbers",
  "index",
  "state",
  "log",
  "summary",
  "attachment",
]);

/** Segments (0: the storage) or, of an attachment, the sequence of its op; with the part of each. */
export const FileDamage = v.pipe(
  v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(0)), Part])),
  v.maxLength(MAX_SEGMENTS),
);
export type FileDamage = v.InferOutput<typeof FileDamage>;
