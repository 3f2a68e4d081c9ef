/** What every entry point offers besides `open`. */
export type { HeartbeatMonitor } from "./heartbeat.ts";
export type { EventOptions, MetricOptions } from "./ops.ts";
export { Session } from "./session.ts";
export type {
  EndOptions,
  ExceptionOptions,
  HistogramOptions,
  LogOptions,
  Stats,
} from "./session.ts";
export type { OpenOptions } from "./settings.ts";
export type { Timer } from "./timer.ts";
export { VERSION } from "./version.ts";
