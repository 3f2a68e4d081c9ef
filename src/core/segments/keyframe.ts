/** The state at the start of a segment that lacks it. */
import { MAX_REPAIRED_SEGMENTS } from "../limits.ts";
import { merge } from "../state/merge.ts";
import type { JsonObject } from "../wire.ts";
import type { SegmentReader } from "./segment-reader.ts";

type Before = { keyframe: JsonObject | null; reader: SegmentReader };

/** That of the nearest segment before it that has one, with the changes since; empty if there is none near. `read`: null if there is no such segment. */
export function repairedKeyframe(id: number, read: (id: number) => Before | null): JsonObject {
  const readers: SegmentReader[] = [];
  let state: JsonObject | null = null;
  while (!state && readers.length < MAX_REPAIRED_SEGMENTS) {
    const before = read(id - 1 - readers.length);
    if (!before) break;
    readers.push(before.reader);
    state = before.keyframe;
  }
  state ??= {};
  for (const reader of readers.reverse())
    for (const { patch } of reader.states()) merge(state, patch);
  return state;
}
