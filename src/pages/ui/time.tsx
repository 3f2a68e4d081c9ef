/** Moments and spans in words. Without script a moment reads in UTC; time.js rewrites it in the viewer's zone. */

/** `full` is date and time, `clock` the time (and, unless script knows that one day is all there is, month and day), `age` says how long ago. */
type TimeShape = "full" | "clock" | "minute" | "age";

export function Time({ at, show = "full" }: { at: number; show?: TimeShape | undefined }) {
  const iso = new Date(at).toISOString();
  return (
    <time datetime={iso} data-show={show}>
      {inUtc(iso, show)}
    </time>
  );
}

/** A link that moves the cursor: a page of its own without script, a jump with it. */
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
