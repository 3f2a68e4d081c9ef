/** Two to five sessions side by side: aligned where it matters, metrics upon each other, and of the state only what differs. */
import { formatDuration, formatNumber } from "../core/format.ts";
import { type Context, Hono } from "hono";
import { listSessions } from "../catalog/sessions.ts";
import { type AccessEnv } from "../access/access.ts";
import { sessionOf } from "../session/client.ts";
import {
  ALIGNMENTS,
  type Alignment,
  endOf,
  alignmentOf,
  type Member,
  member,
  productOf,
} from "./compare/member.tsx";
import { metricsOf } from "./compare/metrics.tsx";
import { statesOf } from "./compare/states.tsx";
import { Select } from "./ui/select.tsx";
import { Suggested } from "./filters.tsx";
import { GOOD_LOOKED_AT, MAX_COMPARED } from "./limits.ts";
import { sessionId } from "./session/view.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";
import { LineMark } from "./ui/plot.tsx";
import { StatusIcon } from "./ui/status.tsx";
import { Time } from "./ui/time.tsx";

export const compare = new Hono<AccessEnv>();

compare.get("/compare", async (c) => {
  const asked = c.req.queries("ids") ?? [];
  const all = [...new Set(asked.flatMap((said) => said.split(/[\s,]+/)).filter(Boolean))];
  const ids = all.slice(0, MAX_COMPARED);
  const isWithGood = c.req.query("with") === "good";
  if (isWithGood && ids.length === 1) {
    const good = await lastGood(c, ids[0] ?? "");
    if (good !== undefined) return c.redirect(address("/compare", { ids: [ids[0], good].join() }));
  }
  const align = alignmentOf(c.req.query("align")) ?? "start";
  const event = c.req.query("event")?.trim() ?? "";
  const members = (
    await Promise.all(ids.map((id, index) => member(c, id, index, align, event)))
  ).filter((each) => each !== undefined);
  const aligned = align === "event" && event !== "" ? event : undefined;
  return c.render(
    <>
      <h1 class="page-title">Compare</h1>
      <Ask ids={ids} align={align} event={event} />
      {all.length > ids.length ? (
        <p class="notice-line">
          {`The first ${ids.length} of ${all.length} are compared: more lines cannot be told apart.`}
        </p>
      ) : null}
      {members.length < 2 ? (
        <section class="panel">
          <Empty
            title={
              isWithGood
                ? "No other session of its product has ended well lately."
                : ids.length < 2
                  ? "Two sessions or more can be compared."
                  : "These sessions are not there."
            }
          >
            <p>
              Tick them in the <a href="/sessions">list of sessions</a>, or give their ids above.
            </p>
          </Empty>
        </section>
      ) : (
        <>
          <Heads members={members} event={aligned} />
          {guarded("the metrics", () => metricsOf(members, aligned))}
          {guarded("the states", () => statesOf(members))}
        </>
      )}
    </>,
    {
      title: members.length < 2 ? "Compare" : `Compare ${members.map(productOf).join(" / ")}`,
      here: "/sessions",
      name: "compare-page",
      scripts: ["plots.js"],
    },
  );
});

/** The newest session of the same version that ended well, or of the same product; without exceptions if there is one. */
async function lastGood(c: Context<AccessEnv>, id: string): Promise<string | undefined> {
  const { product, version } = await sessionOf(c.env, c.var.access, sessionId(id)).ask("summary");
  for (const same of [{ product, version }, { product }]) {
    const { items } = await listSessions(c.env.CATALOG, {
      ...same,
      status: ["ended"],
      limit: GOOD_LOOKED_AT,
    });
    const good = items.filter((row) => row.id !== id && (row.exit_code ?? 0) === 0);
    const best = good.find((row) => row.exceptions === 0) ?? good[0];
    if (best) return best.id;
  }
  return undefined;
}

function Ask({ ids, align, event }: { ids: string[]; align: Alignment; event: string }) {
  return (
    <form class="search panel" method="get" action="/compare">
      <div class="search-main fields">
        <input
          name="ids"
          value={ids.join(" ")}
          placeholder="Session ids"
          aria-label="Session ids"
          data-search
        />
        <Select name="align" word="Align" now={align} options={ALIGNMENTS} />
        <Suggested word="Event to align at" name="event" value={event} what="events" />
        <button class="button">Compare</button>
      </div>
    </form>
  );
}

function Heads({ members, event }: { members: Member[]; event: string | undefined }) {
  return (
    <div class="scroller panel">
      <table class="plain-table heads">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">What</span>
            </th>
            {members.map(({ name, summary, index }) => (
              <th scope="col">
                <LineMark index={index} />
                <a href={`/sessions/${summary.id}`} title={name}>
                  {name}
                </a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Comparison
            word="Verdict"
            members={members}
            cell={({ summary: { verdict } }) => (
              <span class="status" data-status={verdict.status}>
                <StatusIcon status={verdict.status} />
                {verdict.headline}
              </span>
            )}
          />
          {event === undefined ? null : (
            <Comparison
              word="Aligned at"
              members={members}
              cell={({ summary, letter, zero }) =>
                zero === undefined ? (
                  <span class="warned">{`${letter} never had “${event}”`}</span>
                ) : (
                  `${event}, ${formatDuration(zero - summary.created_at)} after its start`
                )
              }
            />
          )}
          <Comparison
            word="Started"
            members={members}
            cell={({ summary }) => <Time at={summary.created_at} />}
          />
          <Comparison
            word="Ran for"
            members={members}
            cell={({ summary }) => formatDuration(endOf(summary) - summary.created_at)}
          />
          <Comparison word="Machine" members={members} cell={({ summary }) => summary.hostname} />
          <Comparison
            word="Events"
            members={members}
            cell={({ summary }) => formatNumber(summary.counts.events)}
          />
          <Comparison
            word="Exceptions"
            members={members}
            cell={({ summary }) => formatNumber(summary.counts.exceptions)}
          />
          <Comparison
            word="State changes"
            members={members}
            cell={({ summary }) => formatNumber(summary.counts.states)}
          />
        </tbody>
      </table>
    </div>
  );
}

type LineProps = { word: string; members: Member[]; cell: (member: Member) => unknown };

function Comparison({ word, members, cell }: LineProps) {
  return (
    <tr>
      <th scope="row">{word}</th>
      {members.map((each) => (
        <td>{cell(each)}</td>
      ))}
    </tr>
  );
}
