/** Parts of a page that htmx asks for, with what the browser then has to say of them: their address and title. */
import type { Context } from "hono";
import type { Child } from "hono/jsx";

/** Going back in history asks for the whole page, whatever asked first. */
export function isFragment(c: Context): boolean {
  return (
    c.req.header("hx-request") === "true" && c.req.header("hx-history-restore-request") !== "true"
  );
}

/**
 * Answers with a part of a page. Its address is put together here rather than taken from the request, which says every field
 * of a form; its title comes in a head, which htmx takes out before it swaps.
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
        <title>{`${title} · Datacat`}</title>
      </head>
      {part}
    </>,
  );
}
