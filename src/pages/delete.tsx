/** Deletes a session after a confirmation, and shows what was removed. */
import { plainText } from "../core/text/recorded-text.ts";
import { formatBytes, formatCount } from "../core/text/format.ts";
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { record } from "../access/audit.ts";
import { sessionIn } from "./session/view.ts";

export const deletion = new Hono<AccessEnv>();

deletion.get("/sessions/:id/delete", async (c) => {
  const { id, counts, product, version, bytes: size } = await sessionIn(c).ask("summary");
  return c.render(
    <section class="notice">
      <h1>Delete this session?</h1>
      <p>
        {plainText([product, version].filter(Boolean).join(" "))} <code>{id}</code>
      </p>
      <p>
        {formatCount(counts.events, "event")}, {formatCount(counts.states, "state change")} and{" "}
        {formatCount(counts.points, "metric point")}, {formatBytes(size)} in all, will be deleted
        permanently. Later data for this session will be refused.
      </p>
      <form class="tools" method="post" action={`/sessions/${id}/delete`}>
        <button class="button danger-button">Delete permanently</button>
        <a class="button quiet-button" href={`/sessions/${id}`}>
          Cancel
        </a>
      </form>
    </section>,
    { title: "Delete a session", here: "/sessions", name: "error" },
  );
});

deletion.post("/sessions/:id/delete", async (c) => {
  const receipt = await sessionIn(c).erase();
  await record(c, "session_deleted", c.var.access.by, `session ${c.req.param("id")}`);
  return c.render(
    <section class="notice">
      <h1>Session deleted</h1>
      <p>
        Removed: {formatCount(receipt.events, "event")},{" "}
        {formatCount(receipt.states, "state change")}, {formatCount(receipt.points, "metric point")}
        , {formatBytes(receipt.bytes)} in {formatCount(receipt.segments, "segment")}, and{" "}
        {formatCount(receipt.catalog_rows, "row")} of the catalog.
      </p>
      {receipt.storage_left === undefined ? null : (
        <p>
          Its storage could not be opened and stays where it is. Under <code>npm start</code> that
          is the file <code>do/datacat-Session/{receipt.storage_left}.sqlite</code> of the data
          folder; it may be removed while the server is stopped.
        </p>
      )}
      <p>
        <a class="button" href="/sessions">
          All sessions
        </a>
      </p>
    </section>,
    { title: "Deleted", here: "/sessions", name: "error" },
  );
});
