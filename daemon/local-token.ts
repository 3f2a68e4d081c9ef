/**
 * The tokens of this user's servers on this machine (`npm start`), in `servers/` of the home. A token is used only while the server's
 * process runs, which has the port then: later another user may listen there.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Home } from "./home.ts";
import { writeAtomically } from "./lanes/checkpoint.ts";
import { isAlive, readProcess } from "./watch/processes.ts";

/** A folder in the home with a file for each port. */
export const SERVERS = "servers";

const LocalServer = v.object({
  url: v.string(),
  pid: v.number(),
  pid_started: v.optional(v.string()),
  token: v.string(),
});

/** Lets programs of this user find the token of a server of this process. Returns the function that takes it back. */
export function publishToken(home: Home, url: string, token: string): () => void {
  const path = pathOf(home, url);
  mkdirSync(join(home.folder, SERVERS), { recursive: true, mode: 0o700 });
  const pid_started = readProcess(process.pid)?.started;
  writeAtomically(path, JSON.stringify({ url, pid: process.pid, pid_started, token }));
  return () => rmSync(path, { force: true });
}

/** The token of a server, if it is one of this user's that runs. */
export function findToken(home: Home, url: string): string | undefined {
  if (loopbackPort(url) === undefined) return undefined;
  try {
    const server = v.parse(LocalServer, JSON.parse(readFileSync(pathOf(home, url), "utf8")));
    return isAlive(server.pid, server.pid_started) ? server.token : undefined;
  } catch {
    return undefined;
  }
}

/** The port of a server on this machine; undefined for another server. */
export function loopbackPort(url: string): number | undefined {
  const found = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?$/.exec(url);
  return found ? Number(found[1] ?? 80) : undefined;
}

function pathOf(home: Home, url: string): string {
  return join(home.folder, SERVERS, `${loopbackPort(url)}.json`);
}
