/** Groups that people merged: selecting and merging them in the list, the panel of what one consists of, splitting off. */
import { type Context, Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { record } from "../../access/audit.ts";
import { type ExceptionGroup, exceptionGroup, groupParts } from "../../catalog/exceptions.ts";
import type { EventRow } from "../../core/answers/events.ts";
import { storedGrouping } from "../../core/events/fingerprint.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Env } from "../../env.ts";
import { listDecided, listMerges, type Merge, merge, split } from "../../registry/merges.ts";
import { sessionOf } from "../../session/client.ts";
import { readFields, readForm } from "../form.ts";
import { GROUP_ROWS, LIST_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { guarded, Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { pathOf } from "./group-status.tsx";

/** Selects a group of the list for merging. */
export function SelectGroup({ group }: { group: ExceptionGroup }) {
  const { product, fingerprint, type, place } = group;
  const name = [nameLabel(type, "Exception"), plainText(place)].filter(Boolean).join(" ");
  return (
    <input
      type="checkbox"
      name="group"
      value={JSON.stringify([product, fingerprint])}
      aria-label={`Select ${name}`}
    />
  );
}

/** What the group consists of, and why. Nothing of a group that is not merged. */
export function MergedPanel({ env, group }: { env: Env; group: ExceptionGroup }) {
  if (group.fingerprints.length < 2) return null;
  return (
    <Panel
      id="merged"
      title="Merged groups"
      aside={<span class="count">{formatNumber(group.fingerprints.length)}</span>}
    >
      {guarded("the merged groups", async () => {
        const [parts, rows] = await Promise.all([
          groupParts(env.CATALOG, group),
          listMerges(env.REGISTRY, group.product),
        ]);
        const merges = new Map(rows.map((row) => [row.fingerprint, row]));
        return (
          <ol class="groups">
            {parts.map((part) => (
              <Part part={part} merge={merges.get(part.fingerprint)} parts={parts} />
            ))}
          </ol>
        );
      })}
    </Panel>
  );
}

type PartProps = { part: ExceptionGroup; merge: Merge | undefined; parts: ExceptionGroup[] };

function Part({ part, merge, parts }: PartProps) {
  const at = `/exceptions/${encodeURIComponent(part.fingerprint)}`;
  const why = address(`${at}/why`, { product: asking(part.product) });
  return (
    <li class="group-part">
      <div class="group-title">
        <strong class="exception-type">{nameLabel(part.type, "Exception")}</strong>
        <span title={plainText(part.message)}>
          {plainText(part.count === 1 ? part.message : part.template)}
        </span>
        {part.place === "" ? null : <code class="exception-place">{plainText(part.place)}</code>}
      </div>
      <span class="group-figures">
        <span>
          <strong>{formatNumber(part.count)}</strong>×
        </span>
        <span>{formatCount(part.sessions, "session")}</span>
        <span class="quiet">
          last <Time at={part.last_at} show="age" />
        </span>
      </span>
      {merge === undefined ? null : (
        <form method="post" action={`${at}/split`}>
          <input type="hidden" name="product" value={asking(part.product)} />
          <button class="tool">Split off</button>
        </form>
      )}
      <p class="merge-reason">
        <MergeReason merge={merge} parts={parts} />
      </p>
      <details class="why-grouped" hx-get={why} hx-trigger="toggle once" hx-target="find div">
        <summary>Why it is a group of its own</summary>
        <div>
          <a href={`/sessions/${part.session_id}?t=${part.session_at}`}>Open its last occurrence</a>
        </div>
      </details>
    </li>
  );
}

function MergeReason({ merge, parts }: Pick<PartProps, "merge" | "parts">) {
  if (!merge) return <span class="quiet">The others are merged into it.</span>;
  const into = parts.find(({ fingerprint }) => fingerprint === merge.merged_into);
  return (
    <span class="quiet">
      {`Merged into ${into ? nameLabel(into.type, "Exception") : "another group"} (${merge.merged_into}) by ${plainText(merge.merged_by)}, `}
      <Time at={merge.merged_at} />
    </span>
  );
}

const GROUPED_BY = {
  program: "the fingerprint that the program reported",
  frames: "their type and the functions in which they arose",
  message: "their type and the template of their message, because no function is recorded",
};

/** `merged`: the number of other groups that are merged with this one. */
export function WhyGrouped({ event, merged }: { event: EventRow; merged: number }) {
  return (
    <details class="why-grouped">
      <summary>Why these exceptions are one group</summary>
      {merged === 0 ? null : (
        <p>
          {`${formatCount(merged, "other group")} ${merged === 1 ? "is" : "are"} merged with that of this exception: `}
          <a href="#merged">see below</a>.
        </p>
      )}
      <Grouping event={event} />
    </details>
  );
}

function Grouping({ event }: { event: EventRow }) {
  const { by, parts } = storedGrouping(event);
  return (
    <>
      <p>
        They have the same fingerprint, {event.fingerprint}. It is of {GROUPED_BY[by]}:
      </p>
      <ol>
        {parts
          .filter((part) => part !== "")
          .map((part) => (
            <li>
              <code>{plainText(part)}</code>
            </li>
          ))}
      </ol>
    </>
  );
}

/** Its first occurrence in the session that had it last. */
export async function exampleOf(
  c: Context<AccessEnv>,
  group: Pick<ExceptionGroup, "session_id" | "session_at" | "fingerprints">,
): Promise<EventRow | undefined> {
  const session = sessionOf(c.env, c.var.access, group.session_id);
  const page = await session.ask("events", {
    exceptions: true,
    from: group.session_at,
    order: "asc",
    limit: LIST_ROWS,
  });
  const fingerprints = new Set(group.fingerprints);
  return page.items.find(({ fingerprint }) => fingerprints.has(fingerprint ?? ""));
}

/** The group that has a fingerprint (in this product) and happened last, with its decision; refuses if there is none. */
export async function findGroup(
  env: Env,
  fingerprint: string,
  product: string | undefined,
): Promise<ExceptionGroup> {
  const decided = await listDecided(env.REGISTRY, product);
  const [group] = await exceptionGroup(env.CATALOG, fingerprint, product, decided);
  if (group) return group;
  throw new Refusal(
    "not_found",
    "No session has had this exception, or all that had it are deleted.",
  );
}

export const mergeRoutes = new Hono<AccessEnv>();

/** Why the exceptions of a part are a group of their own. */
mergeRoutes.get("/exceptions/:fingerprint/why", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const product = nameAsked(c.req.query("product") ?? "");
  const [part] = await groupParts(c.env.CATALOG, { product, fingerprints: [fingerprint] });
  const event = part && (await exampleOf(c, part));
  return c.html(
    event ? <Grouping event={event} /> : <p>The session no longer has this exception.</p>,
  );
});

/** Merges the selected groups into the one that was seen first. */
mergeRoutes.post("/exceptions/merges", async (c) => {
  const selected = (await readFields(c)).getAll("group").map(readSelected);
  if (selected.length > GROUP_ROWS) throw new Refusal("too_large", "These are too many groups.");
  if (new Set(selected.map(({ product }) => product)).size > 1)
    throw new Refusal(
      "invalid_body",
      "Groups of different products cannot be merged. Select groups of one product.",
    );
  const groups: ExceptionGroup[] = [];
  for (const { product, fingerprint } of selected)
    groups.push(await findGroup(c.env, fingerprint, product));
  const [first, ...others] = groups.toSorted((a, b) => a.first_at - b.first_at);
  if (!first || others.length === 0)
    throw new Refusal("invalid_body", "Select two or more groups, then merge them.");

  const { by } = c.var.access;
  const { product, fingerprint: into } = first;
  for (const { fingerprint } of others) {
    if (await merge(c.env.REGISTRY, { product, fingerprint, into, by }, Date.now()))
      await record(c, "exceptions_merged", by, mergeText({ product, fingerprint, into }));
  }
  return c.redirect(pathOf(await findGroup(c.env, into, product)), 303);
});

function readSelected(text: string): { product: string; fingerprint: string } {
  const [product, fingerprint] = text.startsWith("[") ? parsed(text) : [];
  if (typeof product === "string" && typeof fingerprint === "string")
    return { product, fingerprint };
  throw new Refusal(
    "invalid_body",
    "A selected group is a JSON list of its product and fingerprint.",
  );
}

function parsed(text: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    return [];
  }
}

/** What the audit list names. */
function mergeText({
  product,
  fingerprint,
  into,
}: Record<"product" | "fingerprint" | "into", string>) {
  return `${fingerprint} into ${into} of ${nameLabel(product, "unnamed")}`;
}

mergeRoutes.post("/exceptions/:fingerprint/split", async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const product = nameAsked((await readForm(c))("product"));
  if (!(await split(c.env.REGISTRY, { product, fingerprint })))
    throw new Refusal("not_found", "This group is not merged into another.");
  const subject = `${fingerprint} of ${nameLabel(product, "unnamed")}`;
  await record(c, "exceptions_split", c.var.access.by, subject);
  return c.redirect(pathOf({ fingerprint, product }), 303);
});
