/** Counts over time for the overview: each list has one entry per bucket of `step_ms`, starting at `from`. */
export type Timeline = {
  from: number;
  to: number;
  step_ms: number;
  states: number[];
  events: number[];
  exceptions: number[];
  heartbeats: number[];
  points: number[];
};
