/** Detects that a file was deleted, replaced or cut while a server has it open. */
import { statSync } from "node:fs";
import { FILE_CHECK_MS } from "./limits.ts";

/** Calls `onLoss` once; call the returned function to stop. SQLite's files are written in place and never shrink while they are open. */
export function watchFile(
  path: string,
  onLoss: (what: "deleted" | "replaced" | "cut off") => void,
) {
  let last = look(path);
  const timer = setInterval(() => {
    const now = look(path);
    const loss = lossOf(last, now);
    last = now ?? last;
    if (!loss) return;
    clearInterval(timer);
    onLoss(loss);
  }, FILE_CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

type Seen = { inode: number; size: number };

function look(path: string): Seen | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { inode: found.ino, size: found.size };
}

function lossOf(before: Seen | undefined, now: Seen | undefined) {
  if (!before) return undefined; // it is made by its first use
  if (!now) return "deleted";
  if (now.inode !== before.inode) return "replaced";
  return now.size < before.size ? "cut off" : undefined;
}
