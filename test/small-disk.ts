/** Disks that are small enough to fill. */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Only root may mount one. */
export const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), "datacat-mount-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "tmpfs", folder]).status === 0;
  if (isMounted) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return isMounted;
})();

/** Writes the file `ballast` until the disk of the folder is full. */
export function fillDisk(folder: string): void {
  const ballast = join(folder, "ballast");
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) appendFileSync(ballast, Buffer.alloc(bytes));
    } catch {
      // smaller pieces may fit
    }
  }
}
