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
