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

/** The parameters of the page that a fragment was asked for from; undefined if it was another page. */
export function parametersBefore(c: Context): URLSearchParams | undefined {
  const { pathname } = new URL(c.req.url);
  const page = URL.parse(c.req.header("hx-current-url") ?? "");
  return page?.pathname === pathname ? page.searchParams : undefined;
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
