/** Processes on macOS and the BSDs, from `ps` as text. */
import type { ProcessInfo } from "./process-info.ts";

/** `lstart` is the time of the start: five fields in the C locale, the same at each call. */
export const PS_COLUMNS = "pid=,ppid=,stat=,time=,rss=,lstart=";

export function parsePs(output: string): ProcessInfo[] {
  return output.split("\n").flatMap((line) => {
    const [pid, parent, state, time, rss, ...started] = line.trim().split(/\s+/);
    if (!pid || !parent || !state || !time || !rss || started.length !== 5) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        started: started.join(" "),
        state: stateOf(state),
        cpuMs: milliseconds(time),
        residentBytes: Number(rss) * 1024,
      },
    ];
  });
}

function stateOf(letters: string): ProcessInfo["state"] {
  if (letters.startsWith("R")) return "running";
  if (letters.startsWith("T")) return "stopped";
  return letters.startsWith("Z") ? "ended" : "waiting";
}

/** `[[days-]hours:]minutes:seconds.hundredths` */
function milliseconds(time: string): number {
  const [clock = "", days = "0"] = time.split("-").toReversed();
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1000);
}
