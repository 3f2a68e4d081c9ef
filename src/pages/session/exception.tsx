/** Exceptions with their frames and causes, and links that open a frame in an editor. */
import { nameLabel } from "../../core/recorded-text.ts";
import { Coloured } from "../ui/coloured.tsx";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { exceptionTree } from "../../core/exception-tree.ts";
import { formatCount, formatNumber } from "../../core/format.ts";
import { Hono } from "hono";
import type { EventRow, Summary } from "../../core/answers.ts";
import { EXCEPTION_ROWS, REFRESH_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";
import { Frames } from "../ui/frames.tsx";
import { Thrown } from "./thrown.tsx";
import { sessionIn } from "./view.ts";

export function ExceptionsPanel({
  session,
  summary,
}: {
  session: SessionClient;
  summary: Summary;
}) {
  return (
    <section
      id="exceptions"
      class="panel exceptions"
      aria-labelledby="exceptions-title"
      hidden={summary.counts.exceptions === 0}
      hx-get={`/sessions/${summary.id}/exceptions`}
      hx-trigger={`live-exceptions from:body throttle:${REFRESH_MS.exceptions}ms`}
      hx-swap="outerMorph"
    >
      <header class="panel-header">
        <h2 id="exceptions-title">Exceptions</h2>
        <span class="count">{formatNumber(summary.counts.exceptions)}</span>
      </header>
      {summary.counts.exceptions === 0 ? null : guarded("the exceptions", () => list(session))}
    </section>
  );
}

async function list(session: SessionClient, cursor?: string) {
  const page = await session.ask("events", {
    exceptions: true,
    order: "desc",
    limit: EXCEPTION_ROWS,
    cursor,
  });
  return (
    <ol class="exception-list">
      {page.items.map((event, index) => (
        <li class="exception">
          <Moment id={session.id} at={event.at} />
          <details open={index === 0 && cursor === undefined}>
            <summary>
              <span class="exception-type">
                {nameLabel(event.exception_type ?? "", "Exception")}
              </span>{" "}
              <span class="exception-message">
                <Coloured text={event.exception_msg ?? ""} />
              </span>
              {event.handled === false ? <span class="tag danger">unhandled</span> : null}
            </summary>
            <Exception event={event} />
            <p class="tools">
              <a
                class="tool"
                href={`/sessions/${session.id}?t=${event.at}#moment`}
                data-t={event.at}
                data-show-moment
              >
                Show state at this moment
              </a>
              {event.fingerprint ? (
                <a class="tool" href={`/exceptions/${encodeURIComponent(event.fingerprint)}`}>
                  Show in other sessions
                </a>
              ) : null}
            </p>
          </details>
        </li>
      ))}
      {page.next === null ? null : (
        <li
          class="more"
          hx-get={address(`/sessions/${session.id}/exceptions/more`, { cursor: page.next })}
          hx-trigger="intersect once"
          hx-select=".exception-list > li"
          hx-swap="outerHTML"
        >
          Loading earlier exceptions…
        </li>
      )}
    </ol>
  );
}

/** The exception with what led to it. One without a stack has its place instead. */
export function Exception({ event }: { event: EventRow }) {
  const { root, leftOut } = exceptionTree(event);
  const { source_file: file, source_line: line, source_function: name = "", sources = [] } = event;
  return (
    <div class="exception-body">
      {event.message && event.message !== root.exception_msg ? (
        <p class="exception-message">
          <Coloured text={event.message} />
        </p>
      ) : null}
      <Thrown thrown={root} sources={sources} />
      {file && !root.stacktrace?.length ? (
        <Frames
          frames={[{ text: name, isOwn: true, place: { language: "script", name, file, line } }]}
          sources={sources}
        />
      ) : null}
      {leftOut > 0 ? (
        <p class="quiet">
          {formatCount(leftOut, "further exception")} of it not recorded or shown.
        </p>
      ) : null}
    </div>
  );
}

export const exceptionRoutes = new Hono<AccessEnv>();

exceptionRoutes.get("/sessions/:id/exceptions", async (c) => {
  const session = sessionIn(c);
  return c.html(<ExceptionsPanel session={session} summary={await session.ask("summary")} />);
});

exceptionRoutes.get("/sessions/:id/exceptions/more", async (c) => {
  const session = sessionIn(c);
  return c.html(await list(session, c.req.query("cursor") || undefined));
});
