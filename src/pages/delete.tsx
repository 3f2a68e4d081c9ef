/** Deleting a session: asks once, then says what was removed. */
import { Hono } from "hono";
import type { Env } from "../env.ts";
import { ask } from "../session/ask.ts";
import { sessionId } from "./session/view.ts";
import { bytes, digits, many } from "./ui/quantity.ts";

export const deletion = new Hono<{ Bindings: Env }>();

deletion.get("/sessions/:id/delete", async (c) => {
  const id = sessionId(c.req.param("id"));
  const { counts, product, version, bytes: size } = await ask(c.env, id).summary();
  return c.render(
    <section class="notice">
      <h1>Delete this session?</h1>
      <p>
        {[product, version].filter(Boolean).join(" ")} <code>{id}</code>
      </p>
      <p>
        {many(counts.events, "event")}, {many(counts.states, "state change")} and{" "}
        {many(counts.points, "metric point")}, {bytes(size)} in all, will be gone for good. What a
        daemon still sends for it will be refused.
      </p>
      <form class="tools" method="post" action={`/sessions/${id}/delete`}>
        <button class="button danger-button">Delete for good</button>
        <a class="button quiet-button" href={`/sessions/${id}`}>
          Keep it
        </a>
      </form>
    </section>,
    { title: "Delete a session", here: "/sessions", name: "error" },
  );
});

deletion.post("/sessions/:id/delete", async (c) => {
  const receipt = await ask(c.env, sessionId(c.req.param("id"))).erase();
  return c.render(
    <section class="notice">
      <h1>Deleted.</h1>
      <p>
        Removed: {many(receipt.events, "event")}, {many(receipt.states, "state change")},{" "}
        {many(receipt.points, "metric point")}, {bytes(receipt.bytes)} in{" "}
        {many(receipt.segments, "segment")}, and {digits(receipt.catalog_rows)} rows of the catalog.
      </p>
      <p>
        <a class="button" href="/sessions">
          All sessions
        </a>
      </p>
    </section>,
    { title: "Deleted", here: "/sessions", name: "error" },
  );
});
