import { formatDuration } from "../../core/text/format.ts";
import { POSTING_MS, PUBLISH_MS } from "../../core/limits.ts";
import type { Child } from "hono/jsx";

/** The content of an empty panel: a title, and what would fill it. */
export function Empty({ title, children }: { title: string; children?: Child | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** For a list without entries: a running session publishes up to this much later, and the figures of its series still later. */
export function Unpublished({ figures = false }: { figures?: boolean }) {
  const delay = formatDuration(figures ? POSTING_MS : PUBLISH_MS);
  return <p>What was recorded in the last {delay} may be missing.</p>;
}
