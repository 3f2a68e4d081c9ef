/** What differs from the last good runs of the product, of a session that failed. Fetched after the page, which does not wait for it. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { changesOf, type Distinctions } from "../../catalog/distinctions.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { amongGoodRuns } from "../../core/comparison/distinction-text.ts";
import type { Distinction } from "../../core/comparison/distinctions.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { MIN_OTHERS } from "../../core/limits.ts";
import { asking } from "../../core/text/names.ts";
import { isGood } from "../../core/status/outcome.ts";
import type { Env } from "../../env.ts";
import { listMerged } from "../../registry/merges.ts";
import { isFragment } from "../fragment.tsx";
import { address } from "../ui/address.ts";
import { DistinctionList, notComparedText, searchOf } from "../ui/distinctions.tsx";
import { guarded } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";
import { sessionIn } from "./view.ts";

/** The panel before its content is fetched. Of a session that runs or ended well it is hidden; it is fetched when the status changes. */
export function ChangedPanel({ summary }: { summary: Summary }) {
  const path = pathOf(summary);
  const isShown = !isGood(summary);
  return (
    <section
      id="changed"
      class="panel what-changed"
      aria-labelledby="changed-title"
      hidden={!isShown}
      hx-get={path}
      hx-trigger={`${isShown ? "load, " : ""}live-status from:body`}
      hx-swap="outerHTML"
    >
      <header class="panel-header">
        <h2 id="changed-title">What changed</h2>
        <a class="without-script" href={path}>
          Compare with the last good runs
        </a>
      </header>
    </section>
  );
}

function pathOf({ id }: Summary): string {
  return `/sessions/${encodeURIComponent(id)}/changes`;
}

function Changed({ env, summary }: { env: Env; summary: Summary }) {
  return (
    <section
      id="changed"
      class="panel what-changed"
      aria-labelledby="changed-title"
      hidden={isGood(summary)}
      hx-get={pathOf(summary)}
      hx-trigger="live-status from:body"
      hx-swap="outerHTML"
    >
      {isGood(summary)
        ? null
        : guarded("what changed", async () => {
            const merged = await listMerged(env.REGISTRY, summary.product);
            const found = await changesOf(env.CATALOG, summary, merged);
            if (isTooFew(found)) return <TooFew found={found} />;
            return (
              <>
                <header class="panel-header">
                  <h2 id="changed-title">What changed</h2>
                  <span class="quiet">
                    {`against the last ${formatCount(found.others.sessions, "good run")} before it`}
                  </span>
                </header>
                <Found summary={summary} found={found} />
              </>
            );
          })}
    </section>
  );
}

function isTooFew({ these, others }: Distinctions): boolean {
  return these.sessions === 0 || others.sessions < MIN_OTHERS;
}

/** One line, because there is nothing to see. */
function TooFew({ found: { these, others } }: { found: Distinctions }) {
  const good =
    others.sessions === 0 ? "no good run" : `only ${formatCount(others.sessions, "good run")}`;
  return (
    <>
      <h2 id="changed-title" class="hidden">
        What changed
      </h2>
      <p class="quiet">
        {these.sessions === 0
          ? "What changed is not known yet: this session is not in the list of sessions. Try again in a minute."
          : `What changed is not known: ${good} of this product started before it, and ${MIN_OTHERS} are needed for a comparison.`}
      </p>
    </>
  );
}

function Found({ summary, found }: { summary: Summary; found: Distinctions }) {
  const { items, tested } = found;
  return (
    <>
      {items.length === 0 ? (
        <p>{`None of ${formatCount(tested, "attribute")} stands out from those of the good runs.`}</p>
      ) : (
        <DistinctionList
          items={items}
          chance={({ p }) => p}
          counts={(item) => <Counts summary={summary} found={found} item={item} />}
        />
      )}
      <p class="quiet compared-note">
        {[items.length === 0 ? "" : chanceNote(found), notComparedText(found)]
          .filter(Boolean)
          .join(" ")}
      </p>
    </>
  );
}

/** A single run cannot prove much, and much is compared. */
function chanceNote({ tested, others, items }: Distinctions): string {
  const runs = others.sessions + 1;
  const expected = Math.round(tested / runs);
  const byChance =
    expected === 0 ? "less than one of them" : `about ${formatNumber(expected)} of them`;
  return `One run among ${formatNumber(runs)} cannot be less likely than 1 in ${formatNumber(runs)}; ${formatCount(tested, "attribute was", "attributes were")} compared, so ${byChance} would stand out like the ${items.length === 1 ? "one" : "first"} above by chance.`;
}

type CountsProps = { summary: Summary; found: Distinctions; item: Distinction };

/** The counts, as a link to the good runs that had it, and the moment at which this session had it. */
function Counts({ summary, found: { others }, item }: CountsProps) {
  const { id, product, created_at } = summary;
  const goodRuns = {
    product,
    status: ["succeeded" as const],
    from: others.from ?? undefined,
    to: created_at,
  };
  const text = amongGoodRuns(item);
  const search = item.others.had > 0 ? searchOf(goodRuns, item) : undefined;
  const isSeries = item.kind === "figure" || item.kind === "metric";
  return (
    <>
      {search === undefined || item.figure ? text : <a href={search}>{text}</a>}
      {item.at === undefined || item.at <= created_at ? null : <Moment id={id} at={item.at} />}
      {isSeries ? (
        <a href={address("/metrics", { metric: asking(item.name), product: asking(product) })}>
          across sessions
        </a>
      ) : null}
    </>
  );
}

export const changedRoutes = new Hono<AccessEnv>();

changedRoutes.get("/sessions/:id/changes", async (c) => {
  const summary = await sessionIn(c).ask("summary");
  const panel = <Changed env={c.env} summary={summary} />;
  if (isFragment(c)) return c.html(panel);
  return c.render(
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/sessions">Sessions</a>
        <a href={`/sessions/${summary.id}`}>{summary.id}</a>
      </nav>
      {panel}
    </>,
    {
      title: "What changed",
      here: "/sessions",
      name: "distinctions-page",
      styles: ["distinctions"],
    },
  );
});
