/** Where Datacat keeps its files (clients/README.md, "Where"): the same folder in every language. */
import { accessSync, chmodSync, constants, mkdirSync, statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

export type Environment = { [name: string]: string | undefined };

export type Home = {
  folder: string;
  lanes: string;
  /** Batches that the server refused for good. */
  dead: string;
  checkpoint: string;
  lock: string;
  /** `daemon.json`: who serves this home, and on which port. */
  info: string;
  log: string;
  /** The user's settings and API keys, one per server. */
  config: string;
};

/** The home that the environment names, whether it exists or not. */
export function home(env: Environment, platform: string): Home {
  return homeAt(preferred(env, platform) ?? lastResort());
}

/** The paths of a home in a given folder. */
export function homeAt(folder: string): Home {
  return {
    folder,
    lanes: join(folder, "lanes"),
    dead: join(folder, "dead"),
    checkpoint: join(folder, "checkpoint.json"),
    lock: join(folder, "daemon.lock"),
    info: join(folder, "daemon.json"),
    log: join(folder, "daemon.log"),
    config: join(folder, "config.json"),
  };
}

/** The home, made if need be; in the temporary folder if it cannot be written or belongs to another user. */
export function openHome(env: Environment, platform: string): Home {
  const wanted = home(env, platform);
  if (makePrivate(wanted)) return wanted;
  const spare = homeAt(lastResort());
  if (spare.folder !== wanted.folder && makePrivate(spare)) return spare;
  throw new Error(
    `Datacat's home ${wanted.folder} cannot be written, nor can ${spare.folder}. Set DATACAT_HOME to a folder of yours.`,
  );
}

/** Makes the home's folders, for nobody but this user; says whether they can be used. */
export function makePrivate(at: Home): boolean {
  try {
    for (const folder of [at.folder, at.lanes, at.dead]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!isOurs(folder)) return false;
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    }
    if (process.platform !== "win32") chmodSync(at.folder, 0o700);
    return true;
  } catch {
    return false;
  }
}

function preferred(env: Environment, platform: string): string | undefined {
  if (env["DATACAT_HOME"]) return env["DATACAT_HOME"];
  if (platform === "win32") {
    return env["LOCALAPPDATA"] ? join(env["LOCALAPPDATA"], "datacat") : undefined;
  }
  if (platform === "darwin") {
    return env["HOME"] ? join(env["HOME"], "Library", "Application Support", "datacat") : undefined;
  }
  const state = env["XDG_STATE_HOME"];
  if (state && isAbsolute(state)) return join(state, "datacat"); // its specification: ignore any other
  const folder = env["HOME"] ?? systemHome();
  return folder ? join(folder, ".local", "state", "datacat") : undefined;
}

/** No HOME in the environment is normal for services; the user database still knows. */
function systemHome(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

function lastResort(): string {
  const uid = process.getuid?.() ?? userInfo().username;
  // Not tmpdir() everywhere: the clients of other languages look at TMPDIR alone.
  const folder = process.platform === "win32" ? tmpdir() : process.env["TMPDIR"] || "/tmp";
  return join(folder, `datacat-${uid}`);
}

function isOurs(folder: string): boolean {
  const uid = process.getuid?.();
  return uid === undefined || statSync(folder).uid === uid;
}
