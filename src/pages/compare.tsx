/** Compares two to five sessions: aligned at a moment, with their metrics in common plots and the state values that differ. */
import { nameAsked } from "../core/text/names.ts";
import { nameLabel, plainText } from "../core/text/recorded-text.ts";
import { formatDuration, formatNumber } from "../core/text/format.ts";
import { type Context, Hono } from "hono";
import type { Summary } from "../core/answers/summary.ts";
import { listSessions } from "../catalog/search/sessions.ts";
import { type AccessEnv } from "../access/access.ts";
import { sessionOf } from "../session/client.ts";
import {
  ALIGNMENTS,
  type Alignment,
  alignmentOf,
  type Member,
  readMember,
  productOf,
} from "./compare/member.tsx";
import { DifferenceColumn, NoDifference, Numbers } from "./compare/difference.tsx";
import { eventsOf } from "./compare/events.tsx";
import { metricsOf } from "./compare/metrics.tsx";
import { statesOf } from "./compare/states.tsx";
import { Select } from "./ui/select.tsx";
import { Suggested, written } from "./filters.tsx";
import { GOOD_LOOKED_AT, MAX_COMPARED } from "./limits.ts";
import { sessionId } from "./session/view.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";
import { LegendMark } from "./ui/plot.tsx";
import { hasFailed, outcomeOf } from "../core/status/outcome.ts";
import { StatusIcon } from "./ui/status.tsx";
import { Time } from "./ui/time.tsx";

export const compare = new Hono<AccessEnv>();

compare.get("/compare", async (c) => {
  const asked = c.req.queries("ids") ?? [];
  const all = [...new Set(asked.flatMap((each) => each.split(/[\s,]+/)).filter(Boolean))];
  const ids = all.slice(0, MAX_COMPARED);
  const isWithGood = c.req.query("with") === "good";
  if (isWithGood && ids.length === 1) {
    const good = await findLastGood(c, ids[0] ?? "");
    if (good !== undefined) return c.redirect(address("/compare", { ids: [ids[0], good].join() }));
  }
  const align = alignmentOf(c.req.query("align")) ?? "start";
  const typed = c.req.query("event")?.trim() ?? "";
  const event = typed === "" ? undefined : nameAsked(typed);
  const members = (
    await Promise.all(ids.map((id, index) => readMember(c, id, index, align, event)))
  ).filter((each) => each !== undefined);
  const aligned = align === "event" ? event : undefined;
  return c.render(
    <>
      <h1 class="page-title">Compare</h1>
      <SearchForm ids={ids} align={align} event={event} />
      {all.length > ids.length ? (
        <p class="notice-line">
          {`The first ${ids.length} of ${all.length} are compared. More lines would not be distinguishable.`}
        </p>
      ) : null}
      {members.length < 2 ? (
        <section class="panel">
          <Empty
            title={
              isWithGood
                ? "No recent session of this product ended without an error."
                : ids.length < 2
                  ? "Select at least two sessions"
                  : "No session has these ids"
            }
          >
            <p>
              Tick them in the <a href="/sessions">list of sessions</a>, or enter their ids above.
            </p>
          </Empty>
        </section>
      ) : (
        <>
          <SessionColumns members={members} event={aligned} />
          {guarded("the metrics", () => metricsOf(members, aligned))}
          {guarded("the events", () => eventsOf(members))}
          {guarded("the states", () => statesOf(members))}
        </>
      )}
    </>,
    {
      title: members.length < 2 ? "Compare" : `Compare ${members.map(productOf).join(" / ")}`,
      here: "/sessions",
      name: "compare-page",
      styles: ["plots", "compare"],
      scripts: ["plots.js"],
    },
  );
});

/** The newest session of the same version that ended without an error, or of the same product; one without exceptions is preferred. */
async function findLastGood(c: Context<AccessEnv>, id: string): Promise<string | undefined> {
  const { product, version } = await sessionOf(c.env, c.var.access, sessionId(id)).ask("summary");
  for (const same of [{ product, version }, { product }]) {
    const { items } = await listSessions(c.env.CATALOG, {
      ...same,
      status: ["ended"],
      limit: GOOD_LOOKED_AT,
    });
    const good = items.filter((row) => row.id !== id && !hasFailed(row));
    const best = good.find((row) => row.exceptions === 0) ?? good[0];
    if (best) return best.id;
  }
  return undefined;
}

type SearchProps = { ids: string[]; align: Alignment; event: string | undefined };

function SearchForm({ ids, align, event }: SearchProps) {
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
        <Select name="align" label="Align" now={align} options={ALIGNMENTS} />
        <Suggested label="Event to align at" name="event" value={written(event)} what="events" />
        <button class="button">Compare</button>
      </div>
    </form>
  );
}

function SessionColumns({ members, event }: { members: Member[]; event: string | undefined }) {
  return (
    <div class="scroller panel">
      <table class="plain-table compared">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">What</span>
            </th>
            {members.map(({ name, summary, index }) => (
              <th scope="col">
                <LegendMark index={index} />
                <a href={`/sessions/${summary.id}`} title={name}>
                  {name}
                </a>
              </th>
            ))}
            <DifferenceColumn members={members} />
          </tr>
        </thead>
        <tbody>
          <Comparison
            label="Verdict"
            members={members}
            cell={({ summary }) => {
              const { status, headline } = summary.verdict;
              const failed = hasFailed(outcomeOf(summary));
              return (
                <span class="status" data-status={status} data-failed={failed ? "" : undefined}>
                  <StatusIcon status={status} failed={failed} />
                  {plainText(headline)}
                </span>
              );
            }}
          />
          {event === undefined ? null : (
            <Comparison
              label="Aligned at"
              members={members}
              cell={({ summary, letter, zero }) =>
                zero === undefined ? (
                  <span class="warned">{`${letter} has no event “${nameLabel(event)}”`}</span>
                ) : (
                  `${nameLabel(event)}, ${formatDuration(zero - summary.created_at)} after its start`
                )
              }
            />
          )}
          <Comparison
            label="Started"
            members={members}
            cell={({ summary }) => <Time at={summary.created_at} />}
          />
          <Counted
            label="Ran for"
            members={members}
            valueOf={(summary) => summary.ran_ms}
            show={formatDuration}
          />
          <Comparison
            label="Machine"
            members={members}
            cell={({ summary }) => nameLabel(summary.hostname, "–")}
          />
          <Counted label="Events" members={members} valueOf={({ counts }) => counts.events} />
          <Counted
            label="Exceptions"
            members={members}
            valueOf={({ counts }) => counts.exceptions}
          />
          <Counted
            label="State changes"
            members={members}
            valueOf={({ counts }) => counts.states}
          />
        </tbody>
      </table>
    </div>
  );
}

type ComparisonProps = { label: string; members: Member[]; cell: (member: Member) => unknown };

function Comparison({ label, members, cell }: ComparisonProps) {
  return (
    <tr>
      <th scope="row">{label}</th>
      {members.map((each) => (
        <td>{cell(each)}</td>
      ))}
      <NoDifference members={members} />
    </tr>
  );
}

type CountedProps = {
  label: string;
  members: Member[];
  valueOf: (summary: Summary) => number;
  show?: (value: number) => string;
};

function Counted({ label, members, valueOf, show = formatNumber }: CountedProps) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <Numbers
        members={members}
        values={members.map(({ summary }) => valueOf(summary))}
        show={show}
      />
    </tr>
  );
}
