/** Saved views: named addresses of the list of sessions and of the page of metrics. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { deleteView, listViews, saveView, type View } from "../registry/views.ts";
import { readForm } from "./form.ts";
import { questionQuery, readQuestion } from "./metrics/question.ts";
import { passing, readFilter, searchQuery } from "./search.ts";
import { address } from "./ui/address.ts";
import { guarded } from "./ui/panel.tsx";

/** The pages that have views. */
const PAGES = ["/sessions", "/metrics"] as const;
type ViewPage = (typeof PAGES)[number];

type ViewsProps = {
  db: D1Database;
  page: ViewPage;
  /** The query of the page's address. */
  query: string;
};

export function Views({ db, page, query: here }: ViewsProps) {
  return (
    <div id="views">
      {guarded("the saved views", async () => {
        const views = (await listViews(db)).map(readView).filter((view) => view.page === page);
        return (
          <details class="views" open={views.length > 0}>
            <summary>Views</summary>
            <ul>
              {views.map(({ name, query }) => (
                <li class="view">
                  <a href={`${page}?${query}`} aria-current={query === here ? "page" : undefined}>
                    {name}
                  </a>
                  <form method="post" action="/views/delete">
                    <input type="hidden" name="name" value={name} />
                    <input type="hidden" name="page" value={page} />
                    <button aria-label={`Delete the view ${name}`}>×</button>
                  </form>
                </li>
              ))}
            </ul>
            <form class="save-view" method="post" action="/views">
              <input type="hidden" name="query" value={here} />
              <input type="hidden" name="page" value={page} />
              <input
                name="name"
                required
                maxlength={80}
                placeholder="Name of this view"
                aria-label="Name of this view"
              />
              <button class="tool">Save view</button>
            </form>
          </details>
        );
      })}
    </div>
  );
}

/** A view of the list of sessions is its query, one of another page its address. */
function stored(page: ViewPage, query: string): string {
  return page === "/sessions" ? query : `${page}?${query}`;
}

function readView({ name, query }: View): { name: string; page: ViewPage; query: string } {
  const page = PAGES.find((each) => query.startsWith(`${each}?`));
  return page
    ? { name, page, query: query.slice(page.length + 1) }
    : { name, page: "/sessions", query };
}

export const views = new Hono<AccessEnv>();

views.post("/views", async (c) => {
  const field = await readForm(c);
  const page = pageIn(field("page"));
  const name = field("name").trim();
  if (name === "") return c.redirect(page, 303);
  const query = keptOf(page, field("query"));
  await saveView(c.env.REGISTRY, { name, query: stored(page, query), created_at: Date.now() });
  return c.redirect(`${page}?${query}`, 303);
});

/** The query is parsed as one of the page, so that a view contains nothing else, and can be shown. */
function keptOf(page: ViewPage, query: string): string {
  const now = Date.now();
  const search = readFilter(new URLSearchParams(query), now);
  passing(search, now);
  const kept =
    page === "/metrics"
      ? questionQuery(readQuestion(new URLSearchParams(query), now))
      : searchQuery(search);
  return address("", kept).slice(1);
}

views.post("/views/delete", async (c) => {
  const field = await readForm(c);
  await deleteView(c.env.REGISTRY, field("name"));
  return c.redirect(pageIn(field("page")), 303);
});

function pageIn(text: string): ViewPage {
  return PAGES.find((page) => page === text) ?? "/sessions";
}
