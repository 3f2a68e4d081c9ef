/**
 * A pipe as a shell creates it. Node's own are pairs of sockets, and a command can see the difference: `echo >/dev/stderr` fails on a
 * socket, and a reader that ends gives another error. This is a named pipe whose name is deleted once both ends are open.
 */
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { programPath } from "../../program-path.ts";

type Pipe = { reader: Readable; writeEnd: number };

/** A pipe for each output; undefined where there is no `mkfifo` or no writable folder. Close `writeEnd` once the command has it. */
export function openPipes(): { stdout: Pipe; stderr: Pipe } | undefined {
  if (process.platform === "win32") return undefined; // on Windows Node's pipes are pipes
  const mkfifo = programPath("mkfifo");
  if (mkfifo === undefined) return undefined;
  let folder: string | undefined;
  const opened: number[] = [];
  try {
    folder = mkdtempSync(join(tmpdir(), "datacat-"));
    const paths = [join(folder, "stdout"), join(folder, "stderr")] as const;
    execFileSync(mkfifo, ["-m", "600", ...paths], { stdio: "ignore" });
    const ends = paths.map((path) => {
      // The read end first and without blocking: opening the write end would wait for a reader.
      const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      opened.push(readEnd);
      const writeEnd = openSync(path, constants.O_WRONLY);
      opened.push(writeEnd);
      return { readEnd, writeEnd };
    });
    const [stdout, stderr] = ends.map(({ readEnd, writeEnd }) => ({
      reader: new Socket({ fd: readEnd, readable: true, writable: false }),
      writeEnd,
    }));
    return stdout && stderr && { stdout, stderr };
  } catch {
    for (const descriptor of opened) closeSync(descriptor);
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
