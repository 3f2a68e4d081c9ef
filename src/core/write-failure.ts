/** What the error of a system call that wrote means: the same in every client (test/fixtures/loss-causes.json). */
const CAUSES: { [code: string]: string } = {
  ENOSPC: "disk_full", // no block or no inode is free
  EDQUOT: "disk_full",
  EROFS: "read_only",
  EACCES: "no_permission",
  EPERM: "no_permission",
};

/** The cause of a loss, by the code of the error; undefined if it is none of the disk's. */
export function diskCauseOf(code: string): string | undefined {
  return CAUSES[code];
}

/** The cause of a loss, by the code of the error. */
export function lossCauseOf(code: string): string {
  return CAUSES[code] ?? "write_failed";
}
