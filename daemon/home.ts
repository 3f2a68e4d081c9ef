/** The folder of Datacat's files (clients/README.md, "Where"): the same one in every language. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

export type Environment = { [name: string]: string | undefined };

export type Home = {
  folder: string;
  lanes: string;
  /** Records that the server refused for good, and lanes without a header. */
  rejected: string;
  checkpoint: string;
  lock: string;
  /** `daemon.json`: which daemon serves this home, and on which port. */
  info: string;
  log: string;
  /** The user's settings and API keys, one per server. */
  config: string;
};

/** The home that the environment names, whether it exists or not. */
export function home(env: Environment, platform: string): Home {
  return homeAt(preferredFolder(env, platform) ?? temporaryFolder(env));
}

/** The paths of the home in `folder`. */
export function homeAt(folder: string): Home {
  return {
    folder,
    lanes: join(folder, "lanes"),
    rejected: join(folder, "rejected"),
    checkpoint: join(folder, "checkpoint.json"),
    lock: join(folder, "daemon.lock"),
    info: join(folder, "daemon.json"),
    log: join(folder, "daemon.log"),
    config: join(folder, "config.json"),
  };
}

/** The home, created if it is missing; in the temporary folder if it can't be written or belongs to another user. */
export function openHome(env: Environment, platform: string): Home {
  const wanted = home(env, platform);
  if (wanted.folder !== temporaryFolder(env) && makePrivate(wanted)) return wanted;
  const spare = openSpare(env);
  if (spare !== undefined) return spare;
  throw new Error(
    `Datacat's home ${wanted.folder} can't be written, nor can ${temporaryFolder(env)}. Set DATACAT_HOME to a folder that you may write.`,
  );
}

/** The home in the temporary folder, created if it is missing; undefined if it can't be written. */
export function openSpare(env: Environment): Home | undefined {
  const spare = homeAt(temporaryFolder(env));
  const isFree = lstatSync(spare.folder, { throwIfNoEntry: false }) === undefined;
  if (!(isFree || isPrivateFolder(spare.folder)) || !makePrivate(spare)) return undefined;
  return isPrivateFolder(spare.folder) ? spare : undefined; // else another user was faster
}

/** The homes in which programs of this user may have lanes, whether they exist or not: the wanted one, and the last resort. */
export function homesOf(env: Environment, platform: string): Home[] {
  const spare = temporaryFolder(env);
  // A client may have started this daemon for the last resort; the user's settings and other lanes are in the usual home.
  const isSpare = env["DATACAT_HOME"] === spare;
  const wanted = home(isSpare ? { ...env, DATACAT_HOME: undefined } : env, platform);
  return wanted.folder === spare ? [wanted] : [wanted, homeAt(spare)];
}

/** Whether a home that exists is this user's own: in the temporary folder another user may have made it. */
export function isOwnHome({ folder, lanes }: Home): boolean {
  return isPrivateFolder(folder) && isPrivateFolder(lanes);
}

/** Creates the home's folders, readable by this user only. Returns whether they can be used. */
export function makePrivate(at: Home): boolean {
  try {
    for (const folder of [at.folder, at.lanes, at.rejected]) {
      makeFolder(folder);
      if (!isOwn(statSync(folder))) return false;
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    }
    if (process.platform !== "win32") chmodSync(at.folder, 0o700);
    return true;
  } catch {
    return false;
  }
}

/** Creates a folder that is missing, folder by folder, because Node's `recursive` never returns where no folder can be made (in /proc). */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another program has made it
  }
}

/**
 * Whether a folder in a place where every user may write is this user's own, and no one else could put files into it. A link is
 * refused: another user may have made it, to a folder of this one.
 */
function isPrivateFolder(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory() || !isOwn(found)) return false;
  return process.platform === "win32" || (found.mode & 0o022) === 0;
}

function isOwn({ uid }: Stats): boolean {
  const own = process.geteuid?.();
  return own === undefined || uid === own;
}

function preferredFolder(env: Environment, platform: string): string | undefined {
  if (env["DATACAT_HOME"]) return env["DATACAT_HOME"];
  if (platform === "win32") {
    return env["LOCALAPPDATA"] ? join(env["LOCALAPPDATA"], "datacat") : undefined;
  }
  if (platform === "darwin") {
    return env["HOME"] ? join(env["HOME"], "Library", "Application Support", "datacat") : undefined;
  }
  const state = env["XDG_STATE_HOME"];
  if (state && isAbsolute(state)) return join(state, "datacat"); // its specification: a relative path is ignored
  const folder = env["HOME"] ?? systemHome();
  return folder && isAbsolute(folder) ? join(folder, ".local", "state", "datacat") : undefined;
}

/** Services often run without HOME; the user database has the folder. */
function systemHome(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

function temporaryFolder(env: Environment): string {
  const uid = process.getuid?.() ?? userInfo().username;
  // Not tmpdir() everywhere: the clients in other languages read TMPDIR only.
  const folder = process.platform === "win32" ? tmpdir() : env["TMPDIR"] || "/tmp";
  return join(folder, `datacat-${uid}`);
}
