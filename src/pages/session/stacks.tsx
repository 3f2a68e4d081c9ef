/** The stacks of all threads, of the last hang and of the end of the process: the main thread first, the others folded. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { StackRow } from "../../core/answers/stacks.ts";
import { formatCount } from "../../core/text/format.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { framesOf, placeText } from "../../core/stack/frame.ts";
import { ownPlace, shownThreads } from "../../core/status/stacks.ts";
import type { SessionClient } from "../../session/client.ts";
import { REFRESH_MS } from "../limits.ts";
import { AsRecorded, Frames } from "../ui/frames.tsx";
import { guarded } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";
import { sessionIn } from "./view.ts";

export function StacksPanel({ session }: { session: SessionClient }) {
  return guarded("the stacks", async () => {
    const { items } = await session.ask("stacks");
    return (
      <section
        id="stacks"
        class="panel stacks"
        aria-labelledby="stacks-title"
        // Most sessions have none; the panel appears with the first.
        hidden={items.length === 0}
        hx-get={`/sessions/${session.id}/stacks`}
        hx-trigger={`live-verdict from:body throttle:${REFRESH_MS.verdict}ms`}
        hx-swap="outerMorph"
      >
        <header class="panel-header">
          <h2 id="stacks-title">Stacks</h2>
          <span class="count">{formatCount(items.length, "sample")}</span>
          <span class="quiet">innermost call first</span>
        </header>
        {items.map((row, index) => (
          <Sample id={session.id} row={row} before={items[index - 1]} />
        ))}
      </section>
    );
  });
}

const LABELS: { [when in StackRow["when"]]: string } = {
  hung: "While it hung",
  recovered: "Before it recovered",
  died: "At its end",
};

/** A sample that is the same as the one above it is not drawn again. */
function Sample({ id, row, before }: { id: string; row: StackRow; before: StackRow | undefined }) {
  const { at, when, left_out: leftOut, cut, resolved } = row;
  const { sources } = resolved ?? {};
  const [main, ...others] = shownThreads(row);
  const isSame = before !== undefined && before.when !== "died" && textOf(row) === textOf(before);
  const place = main && ownPlace(framesOf(main.frames));
  return (
    <details class="sample" id={`stacks-${row.seq}`} open={before === undefined}>
      <summary>
        <span>{LABELS[when]}</span> <Moment id={id} at={at} />
        <span class="quiet">
          {isSame ? "the main thread in the same place" : place ? placeText(place) : null}
        </span>
      </summary>
      <div class="threads">
        {main === undefined ? null : (
          <>
            <h3>{threadLabel(main)}</h3>
            <Frames frames={framesOf(main.frames)} sources={sources} />
          </>
        )}
        {others.map((thread) => (
          <details class="thread">
            <summary>
              {threadLabel(thread)} <span class="quiet">{whereOf(thread)}</span>
            </summary>
            <Frames frames={framesOf(thread.frames)} sources={sources} />
          </details>
        ))}
        {resolved ? <AsRecorded stacks={row.threads.map(({ frames }) => frames)} /> : null}
        {leftOut === undefined ? null : (
          <p class="quiet">
            {formatCount(leftOut, "further thread was", "further threads were")} not recorded
          </p>
        )}
        {cut ? <p class="quiet">Outer frames or long lines are cut</p> : null}
      </div>
    </details>
  );
}

type Thread = StackRow["threads"][number];

function threadLabel({ name = "", state }: Thread): string {
  const label = nameLabel(name, "Thread");
  return state === undefined ? label : `${label}, ${nameLabel(state)}`;
}

function whereOf({ frames }: Thread): string {
  const place = ownPlace(framesOf(frames));
  return place ? placeText(place) : "";
}

function textOf({ threads }: StackRow): string {
  return threads[0]?.frames.join("\n") ?? "";
}

export const stackRoutes = new Hono<AccessEnv>();

stackRoutes.get("/sessions/:id/stacks", (c) => c.html(<StacksPanel session={sessionIn(c)} />));
