/** What a program may say when it opens a session, and what the environment says when it does not. */
import { isId } from "./id.ts";
import type { Start } from "./encode/ops.ts";

export type Environment = { [name: string]: string | undefined };

/** Those that mean something to us, or say where things are. */
export const VARIABLES = [
  "DATACAT_URL",
  "DATACAT_KEY",
  "DATACAT_PRODUCT",
  "DATACAT_VERSION",
  "DATACAT_SESSION",
  "DATACAT_HOME",
  "DATACAT_DAEMON",
  "DATACAT_DAEMON_URL",
  "DATACAT_LANE_BYTES",
  "DATACAT_DISABLED",
  "HOME",
  "LOCALAPPDATA",
  "PATH",
  "TMPDIR",
  "XDG_STATE_HOME",
];

/** Everything is optional; `DATACAT_…` variables are the defaults (clients/README.md, "Environment"). */
export type OpenOptions = Start & {
  /** The server. `DATACAT_URL`, else http://localhost:8080. */
  url?: string | undefined;
  /** Its API key: used in direct mode only, never written to a lane. `DATACAT_KEY`. */
  key?: string | undefined;
  /** Record into this session, which somebody else opened. `DATACAT_SESSION`. */
  session?: string | undefined;
  /** Send from this process instead of leaving it to the daemon. */
  direct?: boolean | undefined;
  /** Every call does nothing. `DATACAT_DISABLED`. */
  disabled?: boolean | undefined;
  /** Record exceptions that nobody catches. In Node that is so unless `false` is said here: watching changes nothing there. */
  captureExceptions?: boolean | undefined;
  /**
   * Record SIGTERM, SIGINT and SIGHUP as what ended the program, which then ends by them as ever. Only in Node, and only if asked for:
   * a program whose event loop is blocked would not notice them any more. Without it, being killed by one looks like a crash.
   */
  captureSignals?: boolean | undefined;
};

export type Settings = OpenOptions & {
  url: string;
  /** What a lane says of the server: nothing if nobody did, and then the daemon's own setting (`datacat login`) holds. */
  server: string;
};

/** The options with what the environment says where they say nothing. */
export function settingsFrom(options: OpenOptions, env: Environment): Settings {
  // A daemon in another container stands for the server: how to get there is its own business.
  const daemon = env["DATACAT_DAEMON_URL"];
  const server = withoutSlash(daemon || options.url || env["DATACAT_URL"] || "");
  const session = options.session || env["DATACAT_SESSION"] || "";
  return {
    ...options,
    product: options.product ?? env["DATACAT_PRODUCT"],
    version: options.version ?? env["DATACAT_VERSION"],
    server,
    url: server || DEFAULT_URL,
    // The daemon has a key of its own, and the way to it may be in the clear.
    key: daemon ? undefined : (options.key ?? env["DATACAT_KEY"]),
    // An id that the server would refuse is no session to join; the program gets one of its own.
    session: isId(session) ? session : undefined,
    direct: daemon ? true : options.direct,
    disabled: options.disabled ?? env["DATACAT_DISABLED"] === "1",
  };
}

const DEFAULT_URL = "http://localhost:8080";

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
