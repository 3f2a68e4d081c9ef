/** The folder of lanes (clients/README.md, "Where"). The daemon looks in the same place. */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { isGranted } from "../process/permission.ts";
import type { Environment } from "../settings.ts";

/** Datacat's home, with its folders made; undefined if none can be written. */
export function openHome(env: Environment, platform: string): string | undefined {
  const folder = preferred(env, platform);
  return folder !== undefined && isOurs(folder) ? folder : openLastResort(env);
}

/** The home in the temporary folder, with its folders made; undefined if it cannot be written. */
export function openLastResort(env: Environment): string | undefined {
  const folder = lastResort(env);
  if (folder === undefined || !isUsable(folder)) return undefined;
  const isTaken = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  if ((isTaken && !isClosed(folder)) || !isOurs(folder)) return undefined;
  return isClosed(folder) ? folder : undefined; // another user may have made it meanwhile
}

export function lanesOf(home: string): string {
  return join(home, "lanes");
}

function preferred(env: Environment, platform: string): string | undefined {
  if (env["DATACAT_HOME"]) return env["DATACAT_HOME"];
  if (platform === "win32")
    return env["LOCALAPPDATA"] ? join(env["LOCALAPPDATA"], "datacat") : undefined;

  const user = env["HOME"] ?? knownHome();
  if (platform === "darwin")
    return user ? join(user, "Library", "Application Support", "datacat") : undefined;
  const state = env["XDG_STATE_HOME"];
  if (state && isAbsolute(state)) return join(state, "datacat"); // a relative one is ignored, by the XDG specification
  return user && isAbsolute(user) ? join(user, ".local", "state", "datacat") : undefined;
}

/** The user database's home, for services, which often have no HOME. */
function knownHome(): string | undefined {
  if (!isGranted({ name: "sys" })) return undefined;
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

function lastResort(env: Environment): string | undefined {
  if (!isGranted({ name: "sys" })) return undefined; // without the user's name it could be another user's
  try {
    // tmpdir() on Windows only: the clients of other languages look at TMPDIR alone.
    const folder = process.platform === "win32" ? tmpdir() : env["TMPDIR"] || "/tmp";
    return join(folder, `datacat-${process.getuid?.() ?? userInfo().username}`);
  } catch {
    return undefined; // the user is not in the user database
  }
}

/**
 * Whether a folder in a place where every user may write belongs to this one, and no other may write to it. A link is refused: another user
 * may have made it, to a folder of this one.
 */
function isClosed(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return false;
  return (
    process.platform === "win32" || (found.uid === process.getuid?.() && !(found.mode & 0o022))
  );
}

/** Makes the folders with access for this user only. Returns whether they belong to this user and can be written. */
function isOurs(home: string): boolean {
  try {
    for (const folder of [home, lanesOf(home)]) {
      if (!isUsable(folder)) return false;
      make(folder);
      if (!isGranted({ name: "sys" })) continue; // both checks need the user's id
      const uid = process.getuid?.();
      if (uid !== undefined && statSync(folder).uid !== uid) return false;
      accessSync(folder, constants.W_OK | constants.X_OK);
    }
    return true;
  } catch {
    return false;
  }
}

/** Folder by folder, because Node's `recursive` never returns where no folder can be made (in /proc). */
function make(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder && isUsable(parent)) make(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    if (!existsSync(folder)) throw thrown; // else another program has made it
  }
}

function isUsable(path: string): boolean {
  return isGranted({ name: "read", path }) && isGranted({ name: "write", path });
}
