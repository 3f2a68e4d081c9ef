/** Parts of a page that htmx fetches, with the new address and title of the page. */
import { plainText } from "../core/text/recorded-text.ts";
import type { Context } from "hono";
import type { Child } from "hono/jsx";

/** False also when htmx restores a page from the history, which needs the whole page. */
export function isFragment(c: Context): boolean {
  return (
    c.req.header("hx-request") === "true" && c.req.header("hx-history-restore-request") !== "true"
  );
}

/**
 * Answers with a part of a page. `path` is the new address, without the empty fields that the request has; the title is in a
 * `<head>`, which htmx removes before it swaps.
 */
export async function fragment(
  c: Context,
  { path, title }: { path: string; title: string },
  part: Child,
): Promise<Response> {
  c.header("hx-push-url", path);
  return c.html(
    <>
      <head>
        <title>{`${plainText(title)} · Datacat`}</title>
      </head>
      {part}
    </>,
  );
}
