/** The options of `open`, and their defaults from the environment. */
import { isId } from "./id.ts";
import type { Start } from "./encode/ops.ts";
import { tagsIn, tagTexts } from "../../src/core/text/tag.ts";

export type Environment = { [name: string]: string | undefined };

/** The environment variables that this client reads. */
export const VARIABLES = [
  "DATACAT_URL",
  "DATACAT_KEY",
  "DATACAT_PRODUCT",
  "DATACAT_VERSION",
  "DATACAT_TAGS",
  "DATACAT_SESSION",
  "DATACAT_HOME",
  "DATACAT_DAEMON",
  "DATACAT_DAEMON_URL",
  "DATACAT_LANE_BYTES",
  "DATACAT_DISABLED",
  "DATACAT_REDACT",
  "DATACAT_STACKS",
  "DATACAT_FATAL_REPORTS",
  "HOME",
  "LOCALAPPDATA",
  "PATH",
  "TMPDIR",
  "XDG_STATE_HOME",
];

/** Everything is optional; `DATACAT_…` variables are the defaults (clients/README.md, "Environment"). */
export type OpenOptions = Start & {
  /** The server. Default: `DATACAT_URL`, else http://localhost:8080. */
  url?: string | undefined;
  /** The server's API key: used in direct mode only, never written to a lane. Default: `DATACAT_KEY`. */
  key?: string | undefined;
  /** Record into this session, which another process opened. Default: `DATACAT_SESSION`. */
  session?: string | undefined;
  /** Send from this process instead of through the daemon. Default: false. */
  direct?: boolean | undefined;
  /** Rules of redaction beside the built-in ones, as JSON. Default: `DATACAT_REDACT`. */
  redact?: string | undefined;
  /** Every call does nothing. Default: true if `DATACAT_DISABLED` is 1. */
  disabled?: boolean | undefined;
  /** Record uncaught exceptions. Default: true in Node, where it does not change how the program ends; false in pages. */
  captureExceptions?: boolean | undefined;
  /**
   * Record SIGTERM, SIGINT and SIGHUP as the cause of the end; the program still ends by the signal. In Node only. Default: false, because
   * a program whose event loop is blocked no longer ends by them. Without it, a session ended by a signal counts as crashed.
   */
  captureSignals?: boolean | undefined;
  /** Record the main thread's stack while the program hangs. In Node only. Default: false if `DATACAT_STACKS` is 0, else true. */
  stacks?: boolean | undefined;
  /**
   * Record fatal errors (out of memory) from the report that Node writes. In Node only. Node prints two lines on stderr then, and its report
   * contains the environment unless the program runs with `--report-exclude-env`. Default: true if `DATACAT_FATAL_REPORTS` is 1, else false.
   */
  fatalReports?: boolean | undefined;
};

export type Settings = OpenOptions & {
  url: string;
  /** The server in the lane's header; empty if none is configured, and then the daemon uses its own (`datacat login`). */
  server: string;
};

/** The options, completed from the environment. */
export function settingsFrom(options: OpenOptions, env: Environment): Settings {
  // A daemon in another container takes the place of the server, and sends to it by its own settings.
  const daemon = env["DATACAT_DAEMON_URL"];
  const server = withoutSlash(daemon || options.url || env["DATACAT_URL"] || "");
  const session = options.session || env["DATACAT_SESSION"] || "";
  return {
    ...options,
    product: options.product ?? env["DATACAT_PRODUCT"],
    version: options.version ?? env["DATACAT_VERSION"],
    // Of a process that joined a session, those of the environment are tags already.
    tags: [...(isId(session) ? [] : tagsIn(env["DATACAT_TAGS"])), ...tagTexts(options.tags)],
    server,
    url: server || DEFAULT_URL,
    // The daemon has a key of its own, and the connection to it may be unencrypted.
    key: daemon ? undefined : (options.key ?? keyFor(server, env)),
    // With an id that the server would refuse, the program gets a session of its own.
    session: isId(session) ? session : undefined,
    direct: daemon ? true : options.direct,
    redact: options.redact ?? env["DATACAT_REDACT"],
    disabled: options.disabled ?? env["DATACAT_DISABLED"] === "1",
    stacks: options.stacks ?? env["DATACAT_STACKS"] !== "0",
    fatalReports: options.fatalReports ?? env["DATACAT_FATAL_REPORTS"] === "1",
  };
}

/** `DATACAT_KEY` belongs to `DATACAT_URL`, if that is set: a program that names another server has no key for it. */
function keyFor(server: string, env: Environment): string | undefined {
  const own = withoutSlash(env["DATACAT_URL"] || server);
  return own === server ? env["DATACAT_KEY"] : undefined;
}

const DEFAULT_URL = "http://localhost:8080";

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
