/**
 * Sends what a program in direct mode could not send before its end. The program has no time for a request, so a detached process makes it.
 * The body is in that process's environment, which, unlike its arguments, only this user can read.
 */
import { spawn } from "node:child_process";
import { parse } from "node:path";
import { TIMEOUT_MS } from "../direct/limits.ts";
import { isGranted } from "./permission.ts";
import { runtimeFor, WITHOUT_PRELOADS } from "./runtime.ts";

const SCRIPT = `const { REQUEST_BODY, REQUEST_URL, REQUEST_KEY } = process.env;
fetch(REQUEST_URL + "/api/ingest", {
  method: "POST",
  body: REQUEST_BODY,
  headers: REQUEST_KEY ? { authorization: "Bearer " + REQUEST_KEY } : {},
  signal: AbortSignal.timeout(${TIMEOUT_MS}),
});`;

export function sendByProcess(url: string, key: string | undefined, body: string): void {
  if (!isGranted({ name: "run" }) || !isGranted({ name: "read" }) || !isGranted({ name: "env" }))
    return;
  const runtime = runtimeFor(process.env);
  if (runtime === undefined) return;
  try {
    const child = spawn(runtime.program, [...runtime.evaluate, SCRIPT], {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      cwd: parse(process.execPath).root, // runtimes read configuration in the current folder, which may be a stranger's
      env: {
        ...process.env,
        ...WITHOUT_PRELOADS,
        DATACAT_DISABLED: "1", // a module that is preloaded into every Node must not record this process
        REQUEST_BODY: body,
        REQUEST_URL: url,
        REQUEST_KEY: key,
      },
    });
    child.on("error", () => {});
    child.unref();
  } catch {
    // the body is too long for an environment, or no more processes are allowed
  }
}
