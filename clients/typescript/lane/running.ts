/**
 * The file beside the lane of a process that joined a session: it is there until the process ends by itself (clients/README.md, "Processes
 * that join").
 */
import { closeSync, openSync, unlinkSync } from "node:fs";

export function markRunning(path: string | undefined): void {
  try {
    if (path !== undefined) closeSync(openSync(path, "wx", 0o600));
  } catch {
    // its end is not recorded then
  }
}

export function unmarkRunning(path: string | undefined): void {
  try {
    if (path !== undefined) unlinkSync(path);
  } catch {
    // there is none
  }
}
