/** The claim on a data folder: one server at a time, because each keeps state of it in memory. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keepPrivate } from "./private-folder.ts";
import { isAlive, readProcess } from "../watch/processes.ts";

type Claim = { pid: number; started: string; url: string };

/** Another server has the data folder. */
export class AlreadyServing extends Error {
  readonly url: string;
  constructor(folder: string, claim: Claim) {
    super(`The data in ${folder} is being served at ${claim.url} by process ${claim.pid}.`);
    this.name = "AlreadyServing";
    this.url = claim.url;
  }
}

/** Claims `folder` for this process, also after a process that was killed. Returns the function that releases it. */
export function claim(folder: string, url: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  keepPrivate(folder);
  const path = join(folder, "server.json");
  const started = readProcess(process.pid)?.started ?? "";
  const own = JSON.stringify({ pid: process.pid, started, url } satisfies Claim);
  for (;;) {
    try {
      writeFileSync(path, own, { flag: "wx", mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = readClaim(path);
    if (holder && isAlive(holder.pid, holder.started)) throw new AlreadyServing(folder, holder);
    rmSync(path, { force: true });
  }
}

function readClaim(path: string): Claim | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Claim; // written only above
  } catch {
    return undefined; // incomplete, or released meanwhile
  }
}
