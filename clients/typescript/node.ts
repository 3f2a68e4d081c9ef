/** Datacat for Node, Deno and Bun. A session is a lane file, and a log call is one write to it. */
import { AttachingSession, SilentSession } from "./attach/session.ts";
import { DirectSession } from "./attach/direct-session.ts";
import { openDirect } from "./direct/sender.ts";
import { watchExit, watchSending } from "./process/exit.ts";
import { lanesOf, openHome, openLastResort } from "./lane/home.ts";
import { newId } from "./id.ts";
import { LaneFile } from "./lane/lane-file.ts";
import { LaneSession } from "./lane/lane-session.ts";
import { sendByProcess } from "./process/final-request.ts";
import { wakeDaemon } from "./process/launch.ts";
import { LANE_BYTES } from "./limits.ts";
import { isGranted, isReachable } from "./process/permission.ts";
import { silent } from "./session/silent.ts";
import {
  settingsFrom,
  VARIABLES,
  type Environment,
  type OpenOptions,
  type Settings,
} from "./settings.ts";
import { useRules } from "./encode/redactor.ts";
import { useFiles } from "./encode/source.ts";
import { sourceLines } from "./process/source-files.ts";
import { thisProcess } from "./process/writer.ts";

export * from "./public.ts";
export type { AttachOptions } from "./attach/attachment.ts";
export { AttachingSession as Session };

/**
 * Opens a session. Never throws: if it cannot record, the session that it returns does nothing.
 * @param options All optional; `DATACAT_…` variables are the defaults.
 */
export function open(options: OpenOptions = {}): AttachingSession {
  try {
    const env = environment();
    const settings = settingsFrom(options, env);
    if (settings.disabled) return silent(SilentSession, settings.url, settings.session);
    useRules(settings.redact);
    useFiles(sourceLines);
    const session =
      (settings.direct ? undefined : openLane(settings, env)) ?? sendDirectly(settings);
    watchExit(session, settings);
    return session;
  } catch {
    return silent(SilentSession); // options of another type, or a runtime without the modules that this needs
  }
}

/** Direct mode: it was asked for, or no folder can be written. */
function sendDirectly(settings: Settings): AttachingSession {
  if (!isReachable(settings.url)) return silent(SilentSession, settings.url, settings.session);
  const { session, sender } = openDirect(DirectSession, settings, thisProcess());
  watchSending(session, () => {
    const body = sender.finalBody();
    if (body !== undefined) sendByProcess(settings.url, settings.key, body);
  });
  return session;
}

function openLane(settings: Settings, env: Environment): AttachingSession | undefined {
  const home = openHome(env, process.platform);
  if (home === undefined) return undefined;

  const now = Date.now();
  const id = settings.session ?? newId(now);
  const isJoined = settings.session !== undefined;
  const lane = new LaneFile({
    folder: lanesOf(home),
    folders: () =>
      [openHome(env, process.platform), openLastResort(env)]
        .filter((usable) => usable !== undefined)
        .map(lanesOf),
    header: {
      lane: newId(now),
      session: id,
      server: settings.server,
      at: now,
      monotonic_ms: Number(process.hrtime.bigint() / 1_000_000n),
      writer: thisProcess(),
    },
    maxBytes: Number(env["DATACAT_LANE_BYTES"]) || LANE_BYTES,
    isJoined,
  });
  const session = new LaneSession(id, settings, lane, isJoined);
  wakeDaemon(home, env);
  return session;
}

/** All variables, because a started daemon inherits them; in Deno without that permission, those that this client may read. */
function environment(): Environment {
  if (isGranted({ name: "env" })) return { ...process.env };
  const readable = VARIABLES.filter((variable) => isGranted({ name: "env", variable }));
  return Object.fromEntries(readable.map((name) => [name, process.env[name]]));
}
