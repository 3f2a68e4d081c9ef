/** What every entry point offers besides `open`. */
export { Session } from "./session.ts";
export type {
  EndOptions,
  EventOptions,
  ExceptionOptions,
  HeartbeatMonitor,
  HistogramOptions,
  LogOptions,
  MetricOptions,
  Stats,
  Timer,
} from "./session.ts";
export type { OpenOptions } from "./settings.ts";
export { VERSION } from "./version.ts";
