import type { DamagedPart } from "./damage.ts";
import type { EventRow } from "./events.ts";
import type { StateChart } from "../state/charts.ts";
import type { Json, JsonObject } from "../wire.ts";

/** The state at a moment or after an op. */
export type StateAt = {
  seq: number;
  at: number | null;
  state: JsonObject;
  damaged?: DamagedPart[];
};

/** One state op. */
export type StateChange = {
  seq: number;
  at: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
  /** From when on the state has it, if it arrived after a later change, as from another lane. */
  applied_at?: number;
  patch: JsonObject;
};

/** A change of the value at one path. `before` or `after` is absent where the path had no value. */
export type PathChange = {
  seq: number;
  at: number;
  /** From when on the state has it, if it arrived after a later change, as from another lane. */
  applied_at?: number;
  before?: Json;
  after?: Json;
  /** How long the path kept this value; null if it still has it. */
  held_ms: number | null;
  /** The last event before the change. */
  cause: EventRow | null;
};

export type Difference = {
  path: string[];
  kind: "added" | "removed" | "changed";
  before?: Json;
  after?: Json;
};

export type StateDiff = {
  from: StateAt;
  to: StateAt;
  differences: Difference[];
  /** There are more differences than are listed. */
  partial?: true;
};

/** Values of the state over a range of time. */
export type StateCharts = {
  from: number;
  to: number;
  /** The last moment of the session: later there are no values. */
  until: number;
  items: StateChart[];
  /** Paths that the query matches, and all that the session's index lists. */
  matching: number;
  paths: number;
  /** Changes of the state that are of other paths. */
  left_out: number;
  /** When the values are not known: `damaged` is lost, `unread` is read if a shorter range is asked for. */
  unknown: { from: number; to: number; cause: "damaged" | "unread" }[];
  damaged?: DamagedPart[];
};
