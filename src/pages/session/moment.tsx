/** The panel at the cursor: the state, the last change, and the events around. */
import { plainText } from "../../core/text/recorded-text.ts";
import type { AccessEnv } from "../../access/access.ts";
import type { SessionClient } from "../../session/client.ts";
import { fold } from "../../core/text/fold.ts";
import { formatCount, formatDuration } from "../../core/text/format.ts";
import { Hono } from "hono";
import type { Difference, StateAt, StateChange } from "../../core/answers/state.ts";
import type { EventRow } from "../../core/answers/events.ts";
import type { Summary } from "../../core/answers/summary.ts";
import type { Json } from "../../core/wire.ts";
import { AROUND_AFTER, AROUND_BEFORE, REFRESH_MS, TYPING_MS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded } from "../ui/panel.tsx";
import { momentPath, Time } from "../ui/time.tsx";
import { textOf, Tree, type TreeLinks } from "../ui/tree.tsx";
import { ImageAt } from "./attachments.tsx";
import { EventLine } from "./event.tsx";
import { History, RecordedEarlier, shownAt } from "./history.tsx";
import { sessionIn, lastMoment, sessionId, type View, viewOf, viewQuery } from "./view.ts";

type MomentProps = { session: SessionClient; summary: Summary; view: View };

export function MomentPanel({ session, summary, view }: MomentProps) {
  const { id } = summary;
  return (
    <aside
      id="moment"
      class="moment-panel"
      aria-label="At the cursor"
      hx-get={`/sessions/${id}/moment`}
      hx-include="#view, #state [name=q]"
      hx-trigger={`moment from:body, live-moment from:body throttle:${REFRESH_MS.moment}ms`}
      hx-swap="outerMorph"
      hx-sync="this:queue last"
    >
      {guarded("this moment", () => atCursor({ session, summary, view }))}
    </aside>
  );
}

async function atCursor({ session, summary, view }: MomentProps) {
  const at = view.at ?? lastMoment(summary);
  const [state, before, previous, next, eventsBefore, eventsAfter, { items: attachments }] =
    await Promise.all([
      session.ask("state", { at: view.at }),
      session.ask("history", { to: at, order: "desc", limit: 1 }),
      session.ask("history", { to: at - 1, order: "desc", limit: 2 }),
      session.ask("history", { from: at + 1, order: "asc", limit: 1 }),
      session.ask("events", { to: at, order: "desc", limit: AROUND_BEFORE }),
      session.ask("events", { from: at + 1, order: "asc", limit: AROUND_AFTER }),
      session.ask("attachments"),
    ]);
  const change = before.items[0];
  const { differences } = change
    ? await session.ask("diff", { from: { at: shownAt(change) - 1 }, to: { at: shownAt(change) } })
    : { differences: [] as Difference[] };
  // At a change, the previous step is the change before it; between two changes, the one just before the cursor.
  const back = previous.items.map(shownAt).find((moment) => moment < at);
  return (
    <>
      <header class="cursor-header">
        <h2>
          <Time at={at} />
        </h2>
        <p class="cursor-offset">
          <Offset summary={summary} view={view} />
        </p>
        <nav class="steps" aria-label="Step through time">
          <Step
            view={view}
            id={summary.id}
            name="previous-change"
            label="‹ Change"
            keys="ArrowLeft"
            at={back}
          />
          <Step
            view={view}
            id={summary.id}
            name="next-change"
            label="Change ›"
            keys="ArrowRight"
            at={next.items[0] && shownAt(next.items[0])}
          />
          <Step
            view={view}
            id={summary.id}
            name="previous-event"
            label="‹ Event"
            keys="Shift+ArrowLeft"
            at={eventsBefore.items.find((event) => event.at < at)?.at}
          />
          <Step
            view={view}
            id={summary.id}
            name="next-event"
            label="Event ›"
            keys="Shift+ArrowRight"
            at={eventsAfter.items[0]?.at}
          />
        </nav>
        <p class="cursor-hint">
          Click a plot to move the cursor; <kbd>?</kbd> shows all keys.
        </p>
      </header>
      <ImageAt id={summary.id} attachments={attachments} at={at} />
      {/* Above the state, so that a long tree does not hide it. */}
      {view.path ? (
        <History session={session} view={view} path={view.path} />
      ) : (
        <section id="history" class="history" hidden></section>
      )}
      <StateSection
        id={summary.id}
        state={state}
        view={view}
        hasStarted={at >= summary.created_at}
        change={change}
        differences={differences}
      />
      <Around id={summary.id} before={eventsBefore.items} after={eventsAfter.items} at={at} />
    </>
  );
}

/** The cursor's offset from the start, and a link to the end. */
function Offset({ summary, view: { at, to } }: { summary: Summary; view: View }) {
  const isLive = summary.verdict.status === "active";
  if (at === undefined && isLive && to === undefined)
    return <span class="following">Following</span>;
  if (at === undefined && !isLive) return <>at the end</>;
  return (
    <>
      {at === undefined ? "at the latest moment" : offsetOf(summary, at)}{" "}
      <a class="tool" href={`/sessions/${summary.id}`} data-follow>
        {isLive ? "Follow" : "Go to the end"}
      </a>
    </>
  );
}

function offsetOf(summary: Summary, at: number): string {
  const { created_at: start } = summary;
  const last = lastMoment(summary);
  if (at < start) return `${formatDuration(start - at)} before the start`;
  if (at <= last) return `${formatDuration(at - start)} after the start`;
  return `${formatDuration(at - last)} after the ${summary.ended_at === null ? "latest moment" : "end"}`;
}

type StepProps = {
  view: View;
  id: string;
  name: string;
  label: string;
  /** The shortcut as in aria-keyshortcuts. */
  keys: string;
  at?: number | undefined;
};

function Step({ view, id, name, label, keys, at }: StepProps) {
  if (at === undefined)
    return (
      <span class="step" aria-disabled="true">
        {label}
      </span>
    );
  return (
    <a
      class="step"
      id={name}
      href={`/sessions/${id}${viewQuery({ ...view, at })}`}
      data-t={at}
      aria-keyshortcuts={keys}
      title={keys.replace("ArrowLeft", "←").replace("ArrowRight", "→").replace("+", " ")}
    >
      {label}
    </a>
  );
}

type StateProps = {
  id: string;
  state: StateAt;
  view: View;
  hasStarted: boolean;
  change: StateChange | undefined;
  differences: Difference[];
};

function StateSection({ id, state, view, hasStarted, change, differences }: StateProps) {
  const found = view.search ? matching(state.state, view.search) : state.state;
  const raw = `/sessions/${id}/state.json${viewQuery({ at: view.at })}`;
  return (
    <section id="state" class="state" aria-labelledby="state-title">
      <header class="panel-header">
        <h3 id="state-title" class="label">
          State
        </h3>
        <form
          class="state-search"
          method="get"
          action={`/sessions/${id}`}
          role="search"
          aria-label="State"
        >
          {view.at === undefined ? null : <input type="hidden" name="t" value={String(view.at)} />}
          <input
            type="search"
            name="q"
            value={view.search ?? ""}
            placeholder="Find key or value"
            aria-label="Find in state"
            hx-get={`/sessions/${id}/moment`}
            hx-include="#view"
            hx-trigger={`input changed delay:${TYPING_MS}ms, search`}
            hx-target="#moment"
            hx-swap="outerMorph"
            autocomplete="off"
          />
        </form>
        <span class="tools">
          <button class="tool" type="button" data-copy-from={raw} hidden>
            Copy
          </button>
          <a class="tool" href={raw}>
            Raw
          </a>
        </span>
      </header>
      {change === undefined ? null : (
        <p class="changed">
          {formatCount(differences.length, "value")} changed at{" "}
          <a href={momentPath(id, shownAt(change))} data-t={shownAt(change)}>
            <Time at={shownAt(change)} show="clock" />
          </a>
          <RecordedEarlier change={change} />
        </p>
      )}
      {Object.keys(found).length === 0 && (view.search || differences.length === 0) ? (
        view.search ? (
          <Empty title={`No keys or values match “${plainText(view.search)}”`} />
        ) : (
          <Empty title={hasStarted ? "No state" : "Not started yet"}>
            <p>
              A program records its state with <code>update_state({"{…}"})</code>.
            </p>
          </Empty>
        )
      ) : (
        <Tree
          value={found}
          differences={view.search ? [] : differences}
          isOpen={view.search !== undefined}
          links={linksOf(id, view)}
        />
      )}
    </section>
  );
}

function linksOf(id: string, view: View): TreeLinks {
  return {
    history: (path) => `/sessions/${id}${viewQuery({ ...view, path })}#history`,
    branch: (path) => `/sessions/${id}/branch${viewQuery({ at: view.at, path })}`,
  };
}

/** The members that contain the text in a key or a value, and their parents. */
function matching(value: { [key: string]: Json }, text: string): { [key: string]: Json } {
  const wanted = fold(text);
  const prune = (node: Json): Json | undefined => {
    if (typeof node !== "object" || node === null) {
      return fold(textOf(node)).includes(wanted) ? node : undefined;
    }
    const kept = Object.entries(node).flatMap(([key, member]): [string, Json][] => {
      if (!Array.isArray(node) && fold(key).includes(wanted)) return [[key, member]];
      const inside = prune(member);
      return inside === undefined ? [] : [[key, inside]];
    });
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  };
  const kept = prune(value);
  return typeof kept === "object" && kept !== null && !Array.isArray(kept) ? kept : {};
}

function Around(props: { id: string; before: EventRow[]; after: EventRow[]; at: number }) {
  const { id, before, after, at } = props;
  if (before.length + after.length === 0) return null;
  return (
    <section class="around" aria-labelledby="around-title">
      <h3 id="around-title" class="label">
        Events around this moment
      </h3>
      <ol class="lines">
        {before.toReversed().map((event) => (
          <EventLine id={id} event={event} />
        ))}
        <li class="cursor-line">
          <Time at={at} show="clock" />
        </li>
        {after.map((event) => (
          <EventLine id={id} event={event} />
        ))}
      </ol>
    </section>
  );
}

export const momentRoutes = new Hono<AccessEnv>();

momentRoutes.get("/sessions/:id/moment", async (c) => {
  const session = sessionIn(c);
  const summary = await session.ask("summary");
  const view = viewOf(c.req.query());
  return c.html(<MomentPanel session={session} summary={summary} view={view} />);
});

momentRoutes.get("/sessions/:id/branch", async (c) => {
  const id = sessionId(c.req.param("id"));
  const view = viewOf(c.req.query());
  const { state } = await sessionIn(c).ask("state", { at: view.at });
  const path = view.path ?? [];
  const value = path.reduce<Json | undefined>((node, key) => member(node, key), state);
  if (value === undefined) return c.html(<p class="quiet">Not in the state at this moment</p>);
  return c.html(<Tree value={value} differences={[]} links={linksOf(id, view)} base={path} />);
});

function member(node: Json | undefined, key: string): Json | undefined {
  if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return undefined;
  return Array.isArray(node) ? node[Number(key)] : node[key];
}

momentRoutes.get("/sessions/:id/state.json", async (c) => {
  const { at } = viewOf(c.req.query());
  const session = sessionIn(c);
  const { state } = await session.ask("state", { at });
  return c.body(JSON.stringify(state, null, 2), 200, { "content-type": "application/json" });
});
