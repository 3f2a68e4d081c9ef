/** `GET /status`: the daemon and its lanes, for `datacat daemon status`. */
import { statSync } from "node:fs";
import type { Config } from "../config.ts";
import type { Home } from "../home.ts";
import { REFUSAL } from "./caller.ts";
import { json, plain, type Routes } from "./http.ts";
import { attachmentStatus } from "../lanes/attachment-file.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Attachments } from "../send/attachments.ts";
import type { Sender } from "../send/sender.ts";
import { VERSION } from "../version.ts";

type LaneStatus = {
  lane: string;
  session: string;
  server: string;
  role: string;
  acknowledged: number;
  unsent_bytes: number;
  is_over: boolean;
  /** Whose content is still to be sent. */
  attachments: number;
  attachment_bytes: number;
};
export type DaemonStatus = {
  version: string;
  pid: number;
  home: string;
  server: string;
  /** Whether the server answered the last request; null before the first. */
  reachable: boolean | null;
  /** The server asked to wait, as over a budget of the key: why, and for how long. */
  waiting: { message: string; ms: number } | null;
  has_key: boolean;
  resident_bytes: number;
  sent: Sender["totals"];
  attachments: Attachments["totals"];
  lanes: LaneStatus[];
};

type StatusOptions = {
  home: Home;
  lanes: Lanes;
  sender: Sender;
  attachments: Attachments;
  config: Config;
};

export function statusApi(options: StatusOptions): Routes {
  return {
    "/status": {
      GET: async ({ caller }) =>
        (await caller.isOwner()) ? json(status(options)) : plain(403, REFUSAL),
    },
  };
}

function status({ home, lanes, sender, attachments, config }: StatusOptions): DaemonStatus {
  return {
    version: VERSION,
    pid: process.pid,
    home: home.folder,
    server: config.server,
    reachable: sender.isReachable(config.server) ?? null,
    waiting: sender.waitingFor(config.server) ?? null,
    has_key: config.keys[config.server] !== undefined,
    resident_bytes: process.memoryUsage.rss(),
    sent: sender.totals,
    attachments: attachments.totals,
    lanes: [...lanes.all.values()].map((lane) => ({
      lane: lane.id,
      session: lane.session,
      server: sender.serverOf(lane),
      role: lane.header.role ?? "program",
      acknowledged: lane.position.seq,
      unsent_bytes: unsentBytes(lane),
      is_over: lane.isClosed,
      attachments: lane.attachments.length,
      attachment_bytes: attachmentBytes(lane),
    })),
  };
}

function attachmentBytes(lane: Lane): number {
  return lane.attachments.reduce(
    (sum, number) => sum + (attachmentStatus({ lane, number })?.size ?? 0),
    0,
  );
}

/** Bytes after the acknowledged position, in all parts. */
function unsentBytes(lane: Lane): number {
  const { part: current, offset } = lane.position;
  let sum = 0;
  for (const part of lane.parts) {
    if (part < current) continue;
    const size = statSync(lane.path(part), { throwIfNoEntry: false })?.size ?? 0;
    sum += Math.max(0, part === current ? size - offset : size);
  }
  return sum;
}
