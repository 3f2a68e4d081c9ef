/** What a process has read and written, and what its machine has received and sent: from /proc, so on Linux only. */
import { readFileSync } from "node:fs";

export type Usage = { readBytes: number; writtenBytes: number; peakBytes: number };

/** Reads and writes of storage with those of its children that have ended (proc(5) `io`), and the most memory that it ever had. */
export function usageOf(pid: number): Usage | undefined {
  const io = readText(`/proc/${pid}/io`);
  const status = readText(`/proc/${pid}/status`);
  if (io === undefined || status === undefined) return undefined; // ended, or another user's
  return {
    readBytes: Number(/^read_bytes: (\d+)$/m.exec(io)?.[1] ?? 0),
    writtenBytes: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0),
    peakBytes: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
  };
}

export type Traffic = { receivedBytes: number; sentBytes: number };

/** All traffic of the process's network namespace but loopback: Linux does not count it by process. */
export function trafficOf(pid: number): Traffic | undefined {
  const text = readText(`/proc/${pid}/net/dev`);
  return text === undefined ? undefined : parseTraffic(text);
}

/** `/proc/net/dev`: two lines of titles, then an interface a line, with 8 counters received and 8 sent. */
export function parseTraffic(text: string): Traffic {
  const total = { receivedBytes: 0, sentBytes: 0 };
  for (const line of text.split("\n").slice(2)) {
    const [name = "", counters = ""] = line.split(":");
    const fields = counters.trim().split(/\s+/).map(Number);
    if (name.trim() === "lo" || fields.length < 9) continue;
    total.receivedBytes += fields[0] ?? 0;
    total.sentBytes += fields[8] ?? 0;
  }
  return total;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
