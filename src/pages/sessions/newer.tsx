/**
 * How many sessions have started since a list was made, above its first page in order of start. The rows stay where they are until
 * someone asks for the newer ones.
 */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import { listSessions, type SessionList } from "../../catalog/search/sessions.ts";
import { Refusal } from "../../core/refusal.ts";
import { formatNumber } from "../../core/text/format.ts";
import { withMerged } from "../../registry/merges.ts";
import { COUNTED_NEWER, REFRESH_MS } from "../limits.ts";
import { passing, readFilter, type SessionSearch, searchQuery } from "../search.ts";
import { address } from "../ui/address.ts";

type NewerProps = { page: SessionList; search: SessionSearch };

export function Newer({ page, search }: NewerProps) {
  const [first] = page.items;
  const isByStart = search.sort === "created_at" && search.order === "desc";
  if (!first || page.previous !== null || !isByStart || search.filter.to !== undefined) return null;
  return <Line search={search} after={first.created_at} count={0} />;
}

/** `after`: when the newest session of the list started. */
type LineProps = { search: SessionSearch; after: number; count: number };

function Line({ search, after, count }: LineProps) {
  const query = searchQuery(search);
  const shown = count > COUNTED_NEWER ? `${formatNumber(COUNTED_NEWER)}+` : formatNumber(count);
  return (
    <p
      class="newer"
      aria-live="polite"
      hx-get={address("/sessions/newer", { ...query, after })}
      hx-trigger={`every ${REFRESH_MS.newer}ms`}
      hx-target="this"
      hx-swap="outerHTML"
    >
      {count === 0 ? null : (
        <a href={address("/sessions", query)}>
          {`${shown} newer ${count === 1 ? "session" : "sessions"}`}
        </a>
      )}
    </p>
  );
}

export const newer = new Hono<AccessEnv>();

newer.get("/sessions/newer", async (c) => {
  const parameters = new URL(c.req.url).searchParams;
  const search = readFilter(parameters, Date.now());
  const after = Number(parameters.get("after") || NaN);
  if (!Number.isSafeInteger(after))
    throw new Refusal("invalid_query", "after must be a time in epoch milliseconds.");
  const filter = await withMerged(c.env.REGISTRY, passing(search, Date.now()));
  const { items } = await listSessions(c.env.CATALOG, {
    ...filter,
    from: Math.max(filter.from ?? 0, after + 1),
    limit: COUNTED_NEWER + 1,
  });
  return c.html(<Line search={search} after={after} count={items.length} />);
});
