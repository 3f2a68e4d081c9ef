/** A labelled part of a page. If its data cannot be read, it shows the error, and the rest of the page is rendered. */
import type { Child } from "hono/jsx";
import { outageOf } from "../../catalog/outage.ts";
import { refusalOf } from "../../core/refusal.ts";

type PanelProps = {
  id: string;
  title: string;
  /** Beside the title: counts, links, filters. */
  aside?: Child | undefined;
  children: Child | Promise<Child> | (Child | Promise<Child>)[];
};

export function Panel({ id, title, aside, children }: PanelProps) {
  return (
    <section id={id} class="panel" aria-labelledby={`${id}-title`}>
      <header class="panel-header">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Renders a part, or its error. The refusal of a missing or deleted session is thrown on: it concerns the whole page. */
export async function guarded(what: string, draw: () => Promise<Child>): Promise<Child> {
  try {
    return await draw();
  } catch (thrown) {
    const refusal = refusalOf(thrown) ?? outageOf(thrown);
    if (refusal?.code === "not_found" || refusal?.code === "gone") throw thrown;
    if (!refusalOf(thrown)) console.error(`Cannot draw ${what}:`, thrown);
    return (
      <div class="failure" role="alert">
        <p>
          <strong>Cannot show {what}.</strong>{" "}
          {refusal?.message ?? "Internal error; the server has logged it."}
        </p>
        <p>
          <a href="">Try again</a>
        </p>
      </div>
    );
  }
}
