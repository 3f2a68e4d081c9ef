/** What distinguishes the sessions of a search from the others of the same product and time. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { type Distinctions, distinctionsOf } from "../catalog/distinctions.ts";
import { betweenGroups } from "../core/comparison/distinction-text.ts";
import type { Distinction } from "../core/comparison/distinctions.ts";
import { formatCount, formatNumber } from "../core/text/format.ts";
import { MIN_OTHERS, SIGNIFICANT } from "../core/limits.ts";
import { listMerged, withMerged } from "../registry/merges.ts";
import { askHeld } from "../session/client.ts";
import { Chips } from "./filters.tsx";
import { passing, readFilter, type SessionSearch, searchQuery } from "./search.ts";
import { address } from "./ui/address.ts";
import { DistinctionList, notComparedText, searchOf } from "./ui/distinctions.tsx";
import { Empty } from "./ui/empty.tsx";
import { guarded } from "./ui/panel.tsx";

export const distinctions = new Hono<AccessEnv>();

distinctions.get("/distinctions", (c) => {
  const search = readFilter(new URL(c.req.url).searchParams, Date.now());
  const held = askHeld(c.env, c.var.access);
  return c.render(
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={address("/sessions", searchQuery(search))}>Sessions</a>
      </nav>
      <h1 class="page-title">What distinguishes these sessions</h1>
      <section class="panel what-changed" aria-label="Differences">
        <Chips search={search} count={undefined} />
        {guarded("the differences", async () => {
          const filter = await withMerged(c.env.REGISTRY, passing(search, Date.now()));
          const merged = await listMerged(c.env.REGISTRY, filter.product);
          const found = await distinctionsOf(c.env.CATALOG, filter, held, merged);
          return <Found search={search} found={found} />;
        })}
      </section>
    </>,
    {
      title: "What distinguishes these sessions",
      here: "/sessions",
      name: "distinctions-page",
      styles: ["sessions", "distinctions"],
    },
  );
});

function Found({ search, found }: { search: SessionSearch; found: Distinctions }) {
  const { these, others, items, tested } = found;
  const sides = `${formatNumber(these.sessions)} of these and ${formatNumber(others.sessions)} of the others`;
  if (Math.min(these.sessions, others.sessions) < MIN_OTHERS) {
    return (
      <Empty title="Too few sessions to compare">
        <p>{`There are ${sides}; ${MIN_OTHERS} of each are needed. The filters decide which are “these”; the others are of the same product and time.`}</p>
      </Empty>
    );
  }
  const significant = items.filter((item) => item.adjusted <= SIGNIFICANT);
  const weak = items.slice(significant.length);
  const list = (some: Distinction[]) => (
    <DistinctionList
      items={some}
      chance={({ adjusted }) => adjusted}
      counts={(item) => <Counts search={search} item={item} />}
    />
  );
  return (
    <>
      {significant.length === 0 ? (
        <Empty title="No clear difference">
          <p>{`None of ${formatCount(tested, "attribute")} differs more than chance explains.`}</p>
        </Empty>
      ) : (
        list(significant)
      )}
      {weak.length === 0 ? null : (
        <details class="more-distinctions">
          <summary>{`${formatCount(weak.length, "difference")} that may be chance`}</summary>
          {list(weak)}
        </details>
      )}
      <p class="quiet compared-note">
        {`Compared: the newest ${sides}${found.partial ? ", not all" : ""}, which are sessions${search.filter.product === undefined ? "" : " of the same product"} that the filters do not find, in ${formatCount(tested, "attribute")}. Chances are corrected for that number (Benjamini and Hochberg): of the differences in the first list, at most 1 in 20 is expected to be chance.`}{" "}
        {notComparedText(found)}
      </p>
    </>
  );
}

/** The counts, as a link to the sessions of the search that have it. */
function Counts({ search, item }: { search: SessionSearch; item: Distinction }) {
  const text = betweenGroups(item);
  const path =
    item.these.had > 0 && !item.figure ? searchOf(search.filter, item, search.query) : undefined;
  return path === undefined ? text : <a href={path}>{text}</a>;
}
