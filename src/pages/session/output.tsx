/** The output of the program as in a terminal, up to the cursor. */
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { Hono } from "hono";
import type { EventRow } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { EVENT_OUTPUT } from "../../core/vocabulary.ts";
import { isGood } from "../../core/status/outcome.ts";
import { LAST_LINES, OUTPUT_LINES, REFRESH_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Coloured } from "../ui/coloured.tsx";
import { guarded } from "../ui/panel.tsx";
import { sessionIn, type View, viewOf } from "./view.ts";

type OutputProps = { session: SessionClient; summary: Summary; view: View };

export function OutputPanel({ session, summary, view }: OutputProps) {
  return guarded("the output", async () => {
    const lines = await linesOf(session, { to: view.at });
    // The verdict of a program that failed has the last lines (last-output.tsx); of so few, it has all.
    const isAbove = view.at === undefined && !isGood(summary) && lines.items.length <= LAST_LINES;
    return (
      <section
        id="output"
        class="panel output"
        aria-labelledby="output-title"
        // Most programs have no output here; the panel appears with the first line.
        hidden={lines.items.length === 0 || isAbove}
        hx-get={`/sessions/${summary.id}/output`}
        hx-include="#view"
        hx-trigger={`moment from:body, live-output from:body throttle:${REFRESH_MS.output}ms`}
        hx-swap="outerMorph"
        hx-sync="this:queue last"
      >
        <header class="panel-header">
          <h2 id="output-title">Output</h2>
          <span class="quiet">{view.at === undefined ? "to the end" : "up to the cursor"}</span>
        </header>
        <ol id="terminal" class="terminal" tabindex={0} aria-label="Output, newest line last">
          <Lines id={summary.id} lines={lines} to={view.at} />
        </ol>
      </section>
    );
  });
}

function linesOf(
  session: SessionClient,
  range: { to?: number | undefined; cursor?: string | undefined },
) {
  return session.ask("events", {
    name: EVENT_OUTPUT,
    order: "desc",
    limit: OUTPUT_LINES,
    ...range,
  });
}

type LinesProps = {
  id: string;
  lines: { items: EventRow[]; next: string | null };
  to?: number | undefined;
};

function Lines({ id, lines, to }: LinesProps) {
  return (
    <>
      {lines.next === null ? null : (
        <li class="more" id={`earlier-${lines.next}`}>
          <button
            type="button"
            hx-get={address(`/sessions/${id}/output/lines`, { t: to, cursor: lines.next })}
            hx-target="closest li"
            hx-swap="outerHTML"
          >
            Earlier lines
          </button>
        </li>
      )}
      <OutputLines items={lines.items} />
    </>
  );
}

/** Lines of output, of which the newest comes first. `isCopy`: the page has them again, with their ids. */
export function OutputLines({ items, isCopy }: { items: EventRow[]; isCopy?: boolean }) {
  return (
    <>
      {items.toReversed().map((event) => (
        <li
          id={isCopy ? undefined : `line-${event.seq}`}
          data-stream={event.group}
          data-t={event.at}
        >
          <Coloured text={event.message ?? ""} />
        </li>
      ))}
    </>
  );
}

export const outputRoutes = new Hono<AccessEnv>();

outputRoutes.get("/sessions/:id/output", async (c) => {
  const session = sessionIn(c);
  const view = viewOf(c.req.query());
  return c.html(
    <OutputPanel session={session} summary={await session.ask("summary")} view={view} />,
  );
});

outputRoutes.get("/sessions/:id/output/lines", async (c) => {
  const session = sessionIn(c);
  const { at } = viewOf(c.req.query());
  const lines = await linesOf(session, { to: at, cursor: c.req.query("cursor") || undefined });
  return c.html(<Lines id={session.id} lines={lines} to={at} />);
});
