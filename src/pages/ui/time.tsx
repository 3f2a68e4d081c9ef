/** Times as text: in UTC as the server renders them; time.js rewrites them in the viewer's zone. */

import { formatDuration } from "../../core/text/format.ts";

/** `full`: date and time; `minute`: without seconds; `clock`: the time, with month and day if the session spans days; `age`: how long ago. */
type TimeShape = "full" | "clock" | "minute" | "age";

export function Time({ at, show = "full" }: { at: number; show?: TimeShape | undefined }) {
  const iso = new Date(at).toISOString();
  return (
    <time datetime={iso} data-show={show}>
      {inUtc(iso, show)}
    </time>
  );
}

/** A link to a moment of a session; session.js moves the cursor instead of loading the page. */
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

/** A duration that is still counting: page.js continues it from when the page got it, whatever the browser's clock shows. */
export function Elapsed({ ms }: { ms: number }) {
  return <span data-elapsed={Math.round(ms)}>{formatDuration(ms)}</span>;
}

function inUtc(iso: string, show: TimeShape): string {
  const [date = "", clock = ""] = iso.slice(0, -1).split("T");
  if (show === "clock") return `${date.slice(5)} ${clock}`;
  if (show === "full") return `${date} ${clock} UTC`;
  return `${date} ${clock.slice(0, 5)} UTC`;
}
