/** The page of an exception group: its figures, the decision about it, its last occurrence, its sessions. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { type ExceptionGroup, exceptionDays, type GroupDay } from "../../catalog/exceptions.ts";
import { versions } from "../../catalog/products.ts";
import { listSessions } from "../../catalog/search/sessions.ts";
import { formatNumber } from "../../core/text/format.ts";
import { Refusal } from "../../core/refusal.ts";
import { GROUP_STATUSES } from "../../core/vocabulary.ts";
import { decide } from "../../registry/decisions.ts";
import { withMerged } from "../../registry/merges.ts";
import { askHeld } from "../../session/client.ts";
import { readForm } from "../form.ts";
import { LIST_ROWS } from "../limits.ts";
import { TREND_DAYS } from "../../catalog/limits.ts";
import { Exception } from "../session/exception.tsx";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { Property } from "../ui/property.tsx";
import { SessionTable } from "../ui/session-table.tsx";
import { Time } from "../ui/time.tsx";
import { Where } from "../ui/where.tsx";
import type { EventRow } from "../../core/answers/events.ts";
import { whereOf } from "../../core/stack/where.ts";
import { GroupTrend, pathOf, GroupStatusTag, groupStatus } from "./group-status.tsx";
import { exampleOf, findGroup, MergedPanel, WhyGrouped } from "./merged.tsx";

export const groupRoutes = new Hono<AccessEnv>();

groupRoutes.get("/exceptions/:fingerprint", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const db = c.env.CATALOG;
  const product = c.req.query("product");
  const group = await findGroup(c.env, fingerprint, product && nameAsked(product));
  // It is merged into this one.
  if (group.fingerprint !== fingerprint) return c.redirect(pathOf(group), 302);
  const now = Date.now();
  const example = exampleOf(c, group);
  const [[days = []], found, counts] = await Promise.all([
    exceptionDays(db, [group], now, TREND_DAYS),
    listSessions(
      db,
      {
        ...(await withMerged(c.env.REGISTRY, { product: group.product, exception: fingerprint })),
        limit: LIST_ROWS,
      },
      askHeld(c.env, c.var.access),
    ),
    versions(db, group.product),
  ]);
  const known = counts.map(({ version }) => version).filter((version) => version !== "");
  return c.render(
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/exceptions">Exceptions</a>
        <a href={address("/exceptions", { product: asking(group.product) })}>
          {nameLabel(group.product, "unnamed")}
        </a>
      </nav>
      <GroupHeader group={group} days={days} known={known} example={example} now={now} />
      <Panel
        id="example"
        title="Last occurrence"
        aside={
          <>
            <a class="tool" href={`/sessions/${group.session_id}?t=${group.session_at}`}>
              Open session at this moment
            </a>
            <a class="tool" href={address("/compare", { ids: group.session_id, with: "good" })}>
              Compare with the last good session
            </a>
          </>
        }
      >
        {guarded("the example", async () => {
          const event = await example;
          return event ? (
            <>
              <Exception event={event} />
              <WhyGrouped event={event} merged={group.fingerprints.length - 1} />
            </>
          ) : (
            <Empty title="The session no longer has this exception" />
          );
        })}
      </Panel>
      <MergedPanel env={c.env} group={group} />
      <Panel
        id="sessions"
        title="Sessions"
        aside={
          <span class="count">
            {group.sessions_at_most ? "≤ " : ""}
            {formatNumber(group.sessions)}
          </span>
        }
      >
        <div class="scroller">
          <SessionTable rows={found.items} caption="Sessions with this exception" />
        </div>
        {found.next === null ? null : (
          <footer class="list-foot">
            <a
              class="tool"
              href={address("/sessions", {
                product: asking(group.product),
                exception: fingerprint,
              })}
            >
              View all
            </a>
          </footer>
        )}
      </Panel>
    </>,
    {
      title: `${group.type} · Exceptions`,
      here: "/exceptions",
      name: "group-page",
      styles: ["exceptions", "sessions", "records", "terminal"],
    },
  );
});

type HeaderProps = {
  group: ExceptionGroup;
  days: GroupDay[];
  known: string[];
  example: Promise<EventRow | undefined>;
  now: number;
};

function GroupHeader({ group, days, known, example, now }: HeaderProps) {
  return (
    <header class="group-header" data-group-status={groupStatus(group)}>
      <h1>
        <span class="exception-type">{nameLabel(group.type, "Exception")}</span>
      </h1>
      <p class="group-message">{plainText(group.message)}</p>
      {example.then(
        (event) => (event ? <Where place={whereOf(event)} /> : null),
        () => null, // the panel of the last occurrence reports it
      )}
      <dl class="properties">
        <Property label="Occurrences">{formatNumber(group.count)}</Property>
        <Property label="Sessions">
          {group.sessions_at_most ? "at most " : ""}
          {formatNumber(group.sessions)}
        </Property>
        <Property label="Versions">
          {[...new Set(days.map(({ version }) => nameLabel(version, "no version")))].join(", ") ||
            "–"}
        </Property>
        <Property label="First">
          <Time at={group.first_at} />
        </Property>
        <Property label="Last">
          <Time at={group.last_at} />
        </Property>
        <Property label={`Last ${TREND_DAYS} days`}>
          <GroupTrend days={days} now={now} />
        </Property>
      </dl>
      <Decide group={group} known={known} />
    </header>
  );
}

/**
 * A resolution names the version that contains the fix, if one is known. The field is empty at first: the versions known here are
 * those that failed.
 */
function Decide({ group, known }: { group: ExceptionGroup; known: string[] }) {
  const isOpen = group.status === "open" || group.returned_at !== null;
  return (
    <form
      class="decide"
      method="post"
      action={`/exceptions/${encodeURIComponent(group.fingerprint)}`}
    >
      <input type="hidden" name="product" value={asking(group.product)} />
      <GroupStatusTag group={group} />
      {isOpen ? (
        <>
          <label>
            Resolved in version{" "}
            <input
              name="version"
              list="known-versions"
              placeholder="optional"
              size={10}
              autocomplete="off"
            />
          </label>
          <datalist id="known-versions">
            {known.map((version) => (
              <option value={asking(version)}>{nameLabel(version)}</option>
            ))}
          </datalist>
          <button class="button" name="status" value="resolved">
            Mark resolved
          </button>
          <button class="button quiet-button" name="status" value="muted">
            Mute
          </button>
        </>
      ) : (
        <button class="button quiet-button" name="status" value="open">
          Reopen
        </button>
      )}
    </form>
  );
}

groupRoutes.post("/exceptions/:fingerprint", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const field = await readForm(c);
  const status = GROUP_STATUSES.find((each) => each === field("status"));
  const product = nameAsked(field("product"));
  if (!status) throw new Refusal("invalid_body", "A group can be open, resolved or muted.");
  const version = nameAsked(field("version").trim());
  const group = await findGroup(c.env, fingerprint, product);
  const { by } = c.var.access;
  const decision = { product, fingerprint: group.fingerprint, status, version, by };
  await decide(c.env.REGISTRY, decision, Date.now());
  return c.redirect(pathOf(group), 303);
});
