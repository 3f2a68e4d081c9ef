/** The data folder is open to its owner alone, also if it was made with wider permissions. */
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

/** The data folder can't be kept from other users. */
export class ForeignFolder extends Error {
  constructor(folder: string) {
    super(
      `The data folder ${folder} belongs to another user, who could read and change the recordings. Choose one of your own: npm start -- --data FOLDER`,
    );
    this.name = "ForeignFolder";
  }
}

/** Takes every permission of other users from a folder and what is in it. Throws ForeignFolder if it is another user's. */
export function keepPrivate(folder: string): void {
  const uid = process.geteuid?.();
  if (uid === undefined) return; // Windows: a profile's folder is closed to other users
  const owner = statSync(folder).uid;
  if (owner !== uid && uid !== 0) throw new ForeignFolder(folder);
  narrow(folder, statSync(folder).mode);
  const own = readdirSync(folder).filter((name) => CONTENTS.has(name));
  const paths = own.map((name) => join(folder, name));
  for (const path of paths.flatMap((top) => [top, ...entriesOf(top)])) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isSymbolicLink()) narrow(path, found.mode);
  }
}

/** What a server keeps there. Someone may choose a folder that holds other things as well. */
const CONTENTS = new Set(["server.json", "token", "cache", "d1", "do"]);

/** Everything below a folder, without following links; nothing if it is a file. */
function entriesOf(folder: string): string[] {
  if (!lstatSync(folder).isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...entriesOf(path)] : [path];
  });
}

function narrow(path: string, mode: number): void {
  if ((mode & 0o077) !== 0) chmodSync(path, mode & 0o700);
}

/** The data folder's token, made at the first start: who has it may do everything. */
export function tokenOf(folder: string): string {
  const path = join(folder, "token");
  try {
    const kept = readFileSync(path, "utf8").trim();
    if (kept.length >= TOKEN_LENGTH) return kept;
  } catch {
    // The first start.
  }
  const token = randomBytes(32).toString("base64url");
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
}

/** 32 bytes in base64url. */
const TOKEN_LENGTH = 43;
