import type { Child } from "hono/jsx";

/** What a panel says when there is nothing in it, and what would put something there. */
export function Empty({ title, children }: { title: string; children?: Child | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
