/** Sessions as JSON: search, read, watch, export and delete them. Times are epoch milliseconds. */
import { nameAsked } from "../core/text/names.ts";
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { record } from "../access/audit.ts";
import { removeSession } from "../catalog/publication/remove.ts";
import { keyedSessions } from "../catalog/search/sessions.ts";
import { matchesOf } from "../catalog/search/matches.ts";
import type { Found } from "../core/answers/found.ts";
import type { SessionRow } from "../core/answers/session-row.ts";
import { exportAsked } from "../core/exports/asked.ts";
import { EVENT_LIST } from "../core/events/fields.ts";
import { SERIES_LIST } from "../core/metrics/fields.ts";
import { TEST_LIST } from "../core/tests/fields.ts";
import { Refusal } from "../core/refusal.ts";
import { withMerged } from "../registry/merges.ts";
import type { QueryOf, QuestionName } from "../core/questions/questions.ts";
import { askHeld, type SessionClient, sessionOf } from "../session/client.ts";
import type { JsonOf } from "../session/requests/reply.ts";
import * as query from "./request/query.ts";
import { fileOf } from "./request/export.ts";
import { filterOf, parseQuery, queryOf } from "./request/query.ts";

export const sessions = new Hono<AccessEnv>();

sessions.get("/sessions", requires("read"), async (c) => {
  const { found, ...parameters } = parseQuery(query.Sessions, c.req.url);
  const asked = await withMerged(c.env.REGISTRY, filterOf(parameters, c.var.access.product));
  const listed = await keyedSessions(c.env.CATALOG, asked, askHeld(c.env, c.var.access));
  const { keys: _keys, values: _values, ...list } = listed;
  if (!found) return c.json(list);
  const matches = await matchesOf(c.env.CATALOG, listed, asked);
  const items = list.items.map((row): FoundSession => {
    const { found: some = [], elsewhere = [] } = matches.get(row.id) ?? {};
    return { ...row, found: some, found_in_log: elsewhere };
  });
  return c.json({ ...list, items });
});

/** With `found=true`: what was found in it; and the terms of the query that are only in its log, folded. */
export type FoundSession = SessionRow & { found?: Found[]; found_in_log?: string[] };

sessions.get("/sessions/:id/summary", requires("read"), (c) => answer(c, "summary"));

sessions.get("/sessions/:id/state", requires("read"), (c) => {
  const moment = parseQuery(query.Moment, c.req.url);
  return answer(c, "state", moment);
});

sessions.get("/sessions/:id/state/history", requires("read"), (c) => {
  const { path, ...asked } = parseQuery(query.History, c.req.url);
  return path ? answer(c, "pathHistory", { ...asked, path }) : answer(c, "history", asked);
});

sessions.get("/sessions/:id/state/diff", requires("read"), (c) => {
  const { from, from_seq, to, to_seq } = parseQuery(query.Difference, c.req.url);
  return answer(c, "diff", { from: { at: from, seq: from_seq }, to: { at: to, seq: to_seq } });
});

sessions.get("/sessions/:id/events", requires("read"), (c) => {
  const { q, label, tag = label, ...asked } = parseQuery(query.Events, c.req.url);
  return answer(c, "events", { ...asked, tag, query: queryOf(EVENT_LIST, q) });
});

sessions.get("/sessions/:id/events/counts", requires("read"), (c) =>
  listed(c, undefined, "eventCounts"),
);

sessions.get("/sessions/:id/tests", requires("read"), (c) => {
  const { q, ...asked } = parseQuery(query.SessionTests, c.req.url);
  return answer(c, "tests", { ...asked, query: queryOf(TEST_LIST, q) });
});

/** One test with its events. */
sessions.get("/sessions/:id/tests/:key", requires("read"), (c) => {
  const none = new Refusal("not_found", "The session has no such test.");
  return listed(c, none, "testAccounts", { keys: [c.req.param("key")] });
});

sessions.get("/sessions/:id/stacks", requires("read"), (c) => answer(c, "stacks"));

sessions.get("/sessions/:id/metrics", requires("read"), (c) => {
  const { q } = parseQuery(query.Series, c.req.url);
  return listed(c, undefined, "series", { query: queryOf(SERIES_LIST, q) });
});

sessions.get("/sessions/:id/metrics/:name", requires("read"), async (c) => {
  const name = nameAsked(c.req.param("name"));
  const asked = parseQuery(query.Chart, c.req.url);
  const none = new Refusal("not_found", `The session has no metric "${name}" with these tags.`);
  return listed(c, none, "charts", { ...asked, name });
});

sessions.get("/sessions/:id/timeline", requires("read"), (c) => {
  const asked = parseQuery(query.Timeline, c.req.url);
  return answer(c, "timeline", asked);
});

/** Everything that was recorded, or a table of it. */
sessions.get("/sessions/:id/export", requires("read"), async (c) => {
  const asked = parseQuery(query.Export, c.req.url);
  const { name, type } = fileOf(asked);
  const id = c.req.param("id");
  const text = await session(c).stream(exportAsked(asked));
  await record(c, "session_exported", c.var.access.by, `session ${id}`);
  return c.body(text, 200, {
    "content-type": type,
    "content-disposition": `attachment; filename="datacat-${id.replaceAll(":", "_")}${name}"`,
  });
});

/** Sends a Change (core/answers/change.ts) after each change. Origin and key are checked before the object is asked. */
sessions.get("/sessions/:id/live", requires("read"), (c) => session(c).live(c.req.raw));

/** Deletes the session permanently, and answers what was deleted. */
sessions.delete("/sessions/:id", requires("admin"), async (c) => {
  const receipt = await session(c).erase();
  // The object has done this, except if it was being published at the same moment.
  await removeSession(c.env.CATALOG, c.req.param("id"));
  await record(c, "session_deleted", c.var.access.by, `session ${c.req.param("id")}`);
  return c.json(receipt);
});

type SessionContext = Context<AccessEnv, "/:id">;

function session(c: SessionContext): SessionClient {
  return sessionOf(c.env, c.var.access, c.req.param("id"));
}

async function answer<Name extends QuestionName>(
  c: SessionContext,
  name: Name,
  ...query: QueryOf<Name>
): Promise<Response> {
  return json(c, await session(c).json(name, ...query));
}

/**
 * An answer that is a list cannot name damage of the storage: a header counts the parts that cannot be read. `none`: thrown instead
 * of an empty list.
 */
async function listed<Name extends QuestionName>(
  c: SessionContext,
  none: Refusal | undefined,
  name: Name,
  ...query: QueryOf<Name>
): Promise<Response> {
  const asked = session(c);
  // One request: both are asked in one turn.
  const [text, damaged] = await Promise.all([asked.json(name, ...query), asked.ask("damage")]);
  if (damaged.length > 0) c.header("datacat-damaged", String(damaged.length));
  if (none && text === "[]") throw none;
  return json(c, text);
}

/** The object's text is passed on unparsed. */
function json(c: SessionContext, text: JsonOf<unknown>): Response {
  return c.body(text, 200, { "content-type": "application/json" });
}
