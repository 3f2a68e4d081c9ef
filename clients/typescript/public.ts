/** What every entry point exports besides `open`. */
export type { HeartbeatMonitor } from "./session/heartbeat.ts";
export type { EventOptions, MetricOptions } from "./encode/ops.ts";
export type { Tags, TagValue } from "../../src/core/text/tag.ts";
export type { TestFact } from "./encode/test-fact.ts";
export { Session } from "./session/session.ts";
export type {
  EndOptions,
  ExceptionOptions,
  HistogramOptions,
  LogOptions,
  Stats,
} from "./session/session.ts";
export type { OpenOptions } from "./settings.ts";
export type { Timer } from "./session/timer.ts";
export { VERSION } from "./version.ts";
