/** Sessions for programs: find them, ask one, watch it, take it along, delete it. Times are epoch milliseconds. */
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { forget } from "../catalog/publish.ts";
import { type Held, listSessions } from "../catalog/sessions.ts";
import { Refusal } from "../core/refusal.ts";
import { valueText } from "../core/values.ts";
import type { Session } from "../session/session.ts";
import { call } from "../session/call.ts";
import { mayTouch } from "./product.ts";
import * as query from "./query.ts";
import { filterOf, parseQuery } from "./query.ts";

export const sessions = new Hono<AccessEnv>();

sessions.get("/sessions", requires("read"), async (c) => {
  const asked = filterOf(parseQuery(query.Sessions, c.req.url), c.var.access.product);
  const held: Held = async (id, path, value) =>
    (await call(c.env, id, (session) => session.everHeld(path, valueText(value)))) === "true";
  return c.json(await listSessions(c.env.CATALOG, asked, held));
});

sessions.get("/sessions/:id/summary", requires("read"), (c) =>
  answer(c, (session) => session.summary()),
);

sessions.get("/sessions/:id/state", requires("read"), (c) => {
  const moment = parseQuery(query.Moment, c.req.url);
  return answer(c, (session) => session.state(moment));
});

sessions.get("/sessions/:id/state/history", requires("read"), (c) => {
  const asked = parseQuery(query.History, c.req.url);
  return answer(c, (session) => session.history(asked));
});

sessions.get("/sessions/:id/state/diff", requires("read"), (c) => {
  const { from, from_seq, to, to_seq } = parseQuery(query.Difference, c.req.url);
  const moment = (at?: number, seq?: number) => ({
    ...(at !== undefined && { at }),
    ...(seq !== undefined && { seq }),
  });
  return answer(c, (session) => session.diff(moment(from, from_seq), moment(to, to_seq)));
});

sessions.get("/sessions/:id/events", requires("read"), (c) => {
  const asked = parseQuery(query.Events, c.req.url);
  return answer(c, (session) => session.events(asked));
});

sessions.get("/sessions/:id/events/counts", requires("read"), (c) =>
  answer(c, (session) => session.eventCounts()),
);

sessions.get("/sessions/:id/metrics", requires("read"), (c) =>
  answer(c, (session) => session.series()),
);

sessions.get("/sessions/:id/metrics/:name", requires("read"), async (c) => {
  const name = c.req.param("name");
  const asked = parseQuery(query.Chart, c.req.url);
  const charts = await ask(c, (session) => session.charts({ ...asked, name }));
  if (charts === "[]")
    throw new Refusal("not_found", `The session has no metric "${name}" with these tags.`);
  return json(c, charts);
});

sessions.get("/sessions/:id/timeline", requires("read"), (c) => {
  const asked = parseQuery(query.Timeline, c.req.url);
  return answer(c, (session) => session.timeline(asked));
});

/** Everything that was recorded, one JSON object a line: the summary, then every op in order. */
sessions.get("/sessions/:id/export", requires("read"), async (c) => {
  const id = c.req.param("id");
  await mayTouch(c.env, c.var.access, id);
  const lines = await call<string | ReadableStream>(c.env, id, (session) => session.export());
  return c.body(lines, 200, {
    "content-type": "application/x-ndjson; charset=utf-8",
    "content-disposition": `attachment; filename="datacat-${id.replaceAll(":", "_")}.ndjson"`,
  });
});

/** Tells of changes while a page watches (answers.ts Change). Origin and key were checked before it costs the object anything. */
sessions.get("/sessions/:id/live", requires("read"), async (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new Refusal(
      "invalid_query",
      "This address is for WebSockets: connect with `Upgrade: websocket`.",
    );
  }
  const id = c.req.param("id");
  await ask(c, (session) => session.summary()); // an unknown session is refused in words, which a socket can't be
  return call(c.env, id, (session) => session.fetch(c.req.raw));
});

/** Deletes for good, and says what there was. */
sessions.delete("/sessions/:id", requires("admin"), async (c) => {
  const receipt = await ask(c, (session) => session.erase());
  // The object did this already, unless it was published at the same moment.
  await forget(c.env.CATALOG, c.req.param("id"));
  return json(c, receipt);
});

type Asked = Context<AccessEnv, "/:id">;
type Question = (session: DurableObjectStub<Session>) => Promise<string>;

/** The object's answer, for whoever may ask about this session. */
async function ask(c: Asked, question: Question): Promise<string> {
  const id = c.req.param("id");
  await mayTouch(c.env, c.var.access, id);
  return call(c.env, id, question);
}

async function answer(c: Asked, question: Question): Promise<Response> {
  return json(c, await ask(c, question));
}

/** The object's JSON, passed on as it is. */
function json(c: Asked, text: string): Response {
  return c.body(text, 200, { "content-type": "application/json" });
}
