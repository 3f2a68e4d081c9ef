/** Exceptions with their frames and causes, and links that open a frame in an editor. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import type { ExceptionCount } from "../../core/session/session-index.ts";
import { stacksIn } from "../../core/sourcemaps/resolve.ts";
import { asResolved } from "../../core/sourcemaps/resolved.ts";
import { whereOf, whereText } from "../../core/stack/where.ts";
import { Coloured } from "../ui/coloured.tsx";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { exceptionTree, isInHeadline } from "../../core/events/exception-tree.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { Hono } from "hono";
import type { EventRow } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { testName } from "../../core/tests/id.ts";
import { EXCEPTION_ROWS, REFRESH_MS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";
import { AsRecorded, Frames } from "../ui/frames.tsx";
import { Where } from "../ui/where.tsx";
import { Thrown } from "./thrown.tsx";
import { sessionIn } from "./view.ts";

type PanelProps = {
  session: SessionClient;
  summary: Summary;
  /** It is fetched when it is scrolled into view: failed tests, which are above it, have their exceptions. */
  isLater?: boolean;
};

export function ExceptionsPanel({ session, summary, isLater = false }: PanelProps) {
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
      {summary.counts.exceptions === 0 ? null : isLater ? (
        <OfTests id={summary.id} />
      ) : (
        guarded("the exceptions", () => list(session, 0, summary.counts.exceptions))
      )}
    </section>
  );
}

function OfTests({ id }: { id: string }) {
  return (
    <p
      class="panel-note quiet"
      hx-get={`/sessions/${id}/exceptions`}
      hx-trigger="intersect once"
      hx-target="#exceptions"
      hx-swap="outerMorph"
    >
      Those of failed tests are shown with the tests.{" "}
      <a href={`/sessions/${id}?category=error#events`}>Events of the category error</a>
    </p>
  );
}

/** One row per fingerprint with its last occurrence, from which the others are reached. `all`: of the session. */
async function list(session: SessionClient, from: number, all: number) {
  const kinds = await session.ask("exceptions");
  const shown = kinds.slice(from, from + EXCEPTION_ROWS);
  const last = await Promise.all(shown.map((kind) => occurrence(session, kind)));
  const more = from + EXCEPTION_ROWS;
  const unlisted = all - kinds.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <ol class="exception-list">
        {shown.map((kind, index) => (
          <li class="exception">
            <Moment id={session.id} at={kind.lastAt} />
            <details open={index === 0 && from === 0}>
              <summary>
                <KindSummary kind={kind} last={last[index]?.event} />
              </summary>
              <Occurrence id={session.id} found={last[index] ?? { kind }} />
            </details>
          </li>
        ))}
        {kinds.length <= more ? null : (
          <li
            class="more"
            hx-get={address(`/sessions/${session.id}/exceptions/more`, { from: String(more) })}
            hx-trigger="intersect once"
            hx-select=".exception-list > li"
            hx-swap="outerHTML"
          >
            Loading earlier exceptions…
          </li>
        )}
      </ol>
      {unlisted > 0 ? (
        <p class="panel-note quiet">
          {formatCount(unlisted, "further exception")}, of other kinds than those listed, can be
          found among the events.
        </p>
      ) : null}
    </>
  );
}

function KindSummary({ kind, last }: { kind: ExceptionCount; last?: EventRow | undefined }) {
  const { exception_msg: message = kind.message, test } = last ?? {};
  // Source maps that were uploaded later give it another place.
  const place = last?.resolved ? whereText(last) : kind.place;
  return (
    <>
      <span class="exception-type">{nameLabel(kind.type, "Exception")}</span>{" "}
      <span class="exception-message">
        <Coloured text={message} />
      </span>
      {place === "" ? null : <code class="exception-place">{plainText(place)}</code>}
      {test ? <span class="test-name">{nameLabel(testName(test))}</span> : null}
      {kind.count > 1 ? <span class="count">{formatNumber(kind.count)}×</span> : null}
      {kind.unhandled > 0 ? <span class="tag danger">unhandled</span> : null}
    </>
  );
}

type Found = { kind: ExceptionCount; event?: EventRow | undefined };

/** The last occurrence, or the one next to an op's sequence. */
async function occurrence(
  session: SessionClient,
  kind: ExceptionCount,
  { before, after }: { before?: string; after?: string } = {},
): Promise<Found> {
  const { items } = await session.ask("events", {
    exceptions: true,
    fingerprint: kind.fingerprint,
    // Times bound what is read.
    from: kind.firstAt,
    to: kind.lastAt,
    order: after === undefined ? "desc" : "asc",
    cursor: after ?? before,
    limit: 1,
  });
  return { kind, event: items[0] };
}

/** One occurrence of a kind of exception, with links to the ones before and after it. */
function Occurrence({ id, found: { kind, event } }: { id: string; found: Found }) {
  if (!event) return <p class="occurrence quiet">There is no such occurrence.</p>;
  const to = (query: { before?: number; after?: number }) =>
    address(`/sessions/${id}/exceptions/${encodeURIComponent(kind.fingerprint)}`, query);
  const step = { "hx-target": "closest .occurrence", "hx-swap": "outerHTML" };
  return (
    <div class="occurrence">
      <Where place={whereOf(event)} />
      <Exception event={event} />
      <p class="tools">
        {kind.count === 1 ? null : (
          <>
            <span class="label">
              Occurrence at <Moment id={id} at={event.at} />
            </span>
            <button class="tool" type="button" hx-get={to({ before: event.seq })} {...step}>
              ‹ Earlier
            </button>
            <button class="tool" type="button" hx-get={to({ after: event.seq })} {...step}>
              Later ›
            </button>
          </>
        )}
        <a
          class="tool"
          href={`/sessions/${id}?t=${event.at}#moment`}
          data-t={event.at}
          data-show-moment
        >
          Show state at this moment
        </a>
        <a class="tool" href={`/exceptions/${encodeURIComponent(kind.fingerprint)}`}>
          Show in other sessions
        </a>
      </p>
    </div>
  );
}

/** The exception with what led to it. One without a stack has its place instead. */
export function Exception({ event }: { event: EventRow }) {
  const shown = asResolved(event);
  const { root, leftOut } = exceptionTree(shown);
  const { source_file: file, source_line: line, source_function: name = "", sources = [] } = shown;
  return (
    <div class="exception-body">
      {event.message && !isInHeadline(event.message, root) ? (
        <p class="exception-message">
          <Coloured text={event.message} />
        </p>
      ) : null}
      <Thrown thrown={root} sources={sources} />
      {event.resolved ? <AsRecorded stacks={stacksIn(event)} /> : null}
      {file && !root.stacktrace?.length ? (
        <Frames
          frames={[
            {
              text: name || placeText(file, line),
              isOwn: true,
              place: { language: "script", name, file, line },
            },
          ]}
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

const placeText = (file: string, line?: number) => (line === undefined ? file : `${file}:${line}`);

export const exceptionRoutes = new Hono<AccessEnv>();

exceptionRoutes.get("/sessions/:id/exceptions", async (c) => {
  const session = sessionIn(c);
  return c.html(<ExceptionsPanel session={session} summary={await session.ask("summary")} />);
});

exceptionRoutes.get("/sessions/:id/exceptions/more", async (c) => {
  const session = sessionIn(c);
  const { counts } = await session.ask("summary");
  const from = Math.max(0, Math.trunc(Number(c.req.query("from") ?? 0))) || 0;
  return c.html(await list(session, from, counts.exceptions));
});

/** The occurrence before or after an op's sequence; at the first and the last one, that one again. */
exceptionRoutes.get("/sessions/:id/exceptions/:fingerprint", async (c) => {
  const session = sessionIn(c);
  const { before, after } = c.req.query();
  const kinds = await session.ask("exceptions");
  const kind = kinds.find(({ fingerprint }) => fingerprint === c.req.param("fingerprint"));
  if (!kind) throw new Refusal("not_found", "The session has no such exception.");
  const next = await occurrence(session, kind, { before, after });
  const at = next.event ? undefined : Number(before ?? after);
  const found =
    at === undefined ? next : await occurrence(session, kind, { before: String(at + 1) });
  return c.html(<Occurrence id={session.id} found={found} />);
});
