/** A segment of an import, as it is stored until the import is finished. */
import type { Contents } from "../../core/segments/segment.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { JsonObject } from "../../core/wire.ts";

/** Null: the source could not read it. */
export type StagedSegment = {
  keyframe: JsonObject | null;
  contents: Contents;
  index: SessionIndex | null;
  hasSummary: boolean;
  /** Of the session at its end. */
  series: SessionIndex["series"];
};
