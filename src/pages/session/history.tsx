/** The history of one value of the state: each value, its duration, and the event before each change. */
import { plainText } from "../../core/text/recorded-text.ts";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { formatDuration } from "../../core/text/format.ts";
import { Hono } from "hono";
import type { PathChange, StateChange } from "../../core/answers/state.ts";
import { HISTORY_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded } from "../ui/panel.tsx";
import { Moment, Time } from "../ui/time.tsx";
import { keyLabel, textOf } from "../ui/tree.tsx";
import { EventText, short } from "./event.tsx";
import { sessionIn, type View, viewOf, viewQuery } from "./view.ts";

type HistoryProps = {
  session: SessionClient;
  view: View;
  path: string[];
  cursor?: string | undefined;
};

export function History(props: HistoryProps) {
  const { session, view, path } = props;
  return (
    <section
      id="history"
      class="history"
      data-path={JSON.stringify(path)}
      aria-labelledby="history-title"
    >
      <header class="panel-header">
        <h3 id="history-title" class="label">
          History of <code>{path.map(keyLabel).join(".")}</code>
        </h3>
        <a
          class="tool"
          href={`/sessions/${session.id}${viewQuery({ ...view, path: undefined })}`}
          data-close-history
        >
          Close
        </a>
      </header>
      {guarded("this value's history", () => rows(props))}
    </section>
  );
}

async function rows({ session, view, path, cursor }: HistoryProps) {
  const page = await session.ask("pathHistory", {
    path,
    cursor,
    order: "desc",
    limit: HISTORY_ROWS,
  });
  if (page.items.length === 0) return <p class="quiet">No changes</p>;
  const further = { path: JSON.stringify(path), cursor: page.next ?? undefined };
  return (
    <ol class="changes">
      {page.items.map((change) => (
        <Change id={session.id} change={change} isAtCursor={isAt(change, view.at)} />
      ))}
      {page.next === null ? null : (
        <li
          class="more"
          hx-get={address(`/sessions/${session.id}/history`, further)}
          hx-trigger="intersect once"
          hx-select=".changes > li"
          hx-swap="outerHTML"
        >
          Loading earlier values…
        </li>
      )}
    </ol>
  );
}

function isAt(change: PathChange, at: number | undefined): boolean {
  if (at === undefined) return change.held_ms === null;
  const from = shownAt(change);
  return from <= at && (change.held_ms === null || at < from + change.held_ms);
}

function Change(props: { id: string; change: PathChange; isAtCursor: boolean }) {
  const { id, change, isAtCursor } = props;
  return (
    <li class="change" aria-current={isAtCursor ? "true" : undefined}>
      <Moment id={id} at={shownAt(change)} />
      <span class="change-value">
        {change.after === undefined ? (
          <span class="quiet">removed</span>
        ) : (
          short(plainText(textOf(change.after)))
        )}
      </span>
      <span class="change-held">
        {change.held_ms === null ? "until the end" : `for ${formatDuration(change.held_ms)}`}
      </span>
      <RecordedEarlier change={change} />
      {change.cause === null ? null : (
        <span class="change-cause">
          after <EventText event={change.cause} />
        </span>
      )}
    </li>
  );
}

/** The moment at which the state shows a change. */
export function shownAt({ at, applied_at }: StateChange | PathChange): number {
  return applied_at ?? at;
}

/** Of a change that arrived after later ones: the time at which its program recorded it. */
export function RecordedEarlier({ change }: { change: StateChange | PathChange }) {
  if (change.applied_at === undefined) return null;
  return (
    <span class="change-recorded quiet">
      {" "}
      (recorded <Time at={change.at} show="clock" />, arrived after a later change)
    </span>
  );
}

export const historyRoutes = new Hono<AccessEnv>();

historyRoutes.get("/sessions/:id/history", async (c) => {
  const session = sessionIn(c);
  const view = viewOf(c.req.query());
  const cursor = c.req.query("cursor") || undefined;
  return c.html(<History session={session} view={view} path={view.path ?? []} cursor={cursor} />);
});
