/** Moments and spans in words. Without script a moment reads in UTC; time.js rewrites it in the viewer's zone. */

/** `full` is date and time, `clock` the time (and, unless script knows that one day is all there is, month and day), `age` says how long ago. */
export type TimeShape = "full" | "clock" | "minute" | "age";

export function Time({ at, show = "full" }: { at: number; show?: TimeShape | undefined }) {
  const iso = new Date(at).toISOString();
  return (
    <time datetime={iso} data-show={show}>
      {inUtc(iso, show)}
    </time>
  );
}

/** A link that moves the needle: a page of its own without script, a jump with it. */
export function Moment({
  id,
  at,
  show = "clock",
}: {
  id: string;
  at: number;
  show?: TimeShape | undefined;
}) {
  return (
    <a class="moment" href={momentPath(id, at)} data-t={at}>
      <Time at={at} show={show} />
    </a>
  );
}

export function momentPath(id: string, at: number): string {
  return `/sessions/${encodeURIComponent(id)}?t=${at}`;
}

function inUtc(iso: string, show: TimeShape): string {
  const [date = "", clock = ""] = iso.slice(0, -1).split("T");
  if (show === "clock") return `${date.slice(5)} ${clock}`;
  if (show === "full") return `${date} ${clock} UTC`;
  return `${date} ${clock.slice(0, 5)} UTC`;
}

const UNITS: [string, number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A span in its two largest units: "2 min 14 s", "1.25 s", "80 ms". */
export function duration(ms: number): string {
  const span = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (span < 1_000) return `${sign}${Math.round(span)} ms`;
  if (span < 10_000) return `${sign}${Number((span / 1_000).toFixed(2))} s`;
  if (span < 60_000) return `${sign}${Number((span / 1_000).toFixed(1))} s`; // as verdicts say it
  for (const [index, [unit, size]] of UNITS.entries()) {
    if (span < size) continue;
    const smaller = UNITS[index + 1];
    const whole = Math.floor(span / size);
    const rest = smaller ? Math.floor((span % size) / smaller[1]) : 0;
    return `${sign}${whole} ${unit}${smaller && rest > 0 ? ` ${rest} ${smaller[0]}` : ""}`;
  }
  return "0 ms";
}
