/** `GET /status`: what the daemon is doing, for `datacat daemon status` and `datacat queue`. */
import type { Config } from "../config.ts";
import type { Home } from "../home.ts";
import { json, type Routes } from "./http.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Sender } from "../send/sender.ts";

export type LaneStatus = {
  lane: string;
  session: string;
  server: string;
  role: string;
  acknowledged: number;
  unsent_bytes: number;
  is_over: boolean;
};
export type DaemonStatus = {
  version: string;
  pid: number;
  home: string;
  server: string;
  /** Whether the server took the last request; null before the first. */
  reachable: boolean | null;
  has_key: boolean;
  resident_bytes: number;
  sent: Sender["totals"];
  lanes: LaneStatus[];
};

export type StatusOptions = {
  home: Home;
  lanes: Lanes;
  sender: Sender;
  config: Config;
  version: string;
};

export function statusApi(options: StatusOptions): Routes {
  return { "/status": { GET: () => json(status(options)) } };
}

function status({ home, lanes, sender, config, version }: StatusOptions): DaemonStatus {
  return {
    version,
    pid: process.pid,
    home: home.folder,
    server: config.server,
    reachable: sender.isReachable(config.server) ?? null,
    has_key: config.keys[config.server] !== undefined,
    resident_bytes: process.memoryUsage.rss(),
    sent: sender.totals,
    lanes: [...lanes.all.values()].map((lane) => ({
      lane: lane.lane,
      session: lane.session,
      server: sender.serverOf(lane),
      role: lane.header.role ?? "program",
      acknowledged: lane.position.seq,
      // JSON has no infinity: several parts behind is as far as one can say cheaply.
      unsent_bytes: Math.min(lane.unsentBytes, Number.MAX_SAFE_INTEGER),
      is_over: lane.isOver,
    })),
  };
}
