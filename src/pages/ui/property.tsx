import type { Child } from "hono/jsx";

/** A label and its value, in a `<dl class="properties">`. */
export function Property({ label, children }: { label: string; children: Child }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
