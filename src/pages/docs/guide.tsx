/** The READMEs of the clients as pages. */
import { Hono } from "hono";
import { raw } from "hono/html";
import { Marked, Renderer, type Tokens } from "marked";
import go from "../../../clients/go/README.md";
import lanes from "../../../clients/README.md";
import python from "../../../clients/python/README.md";
import typescript from "../../../clients/typescript/README.md";
import attachments from "./attachments.md";
import grafana from "./grafana.md";
import exports from "./exports.md";
import keys from "./keys.md";
import metrics from "./metrics.md";
import moving from "./moving.md";
import sourceMaps from "./source-maps.md";
import tests from "./tests.md";
import search from "./search.md";
import { Refusal } from "../../core/refusal.ts";
import type { Env } from "../../env.ts";

type Guide = { title: string; file: string; text: string };

const GUIDES: Record<string, Guide> = {
  typescript: { title: "TypeScript", file: "clients/typescript/README.md", text: typescript },
  python: { title: "Python", file: "clients/python/README.md", text: python },
  go: { title: "Go", file: "clients/go/README.md", text: go },
  lanes: { title: "Any other language", file: "clients/README.md", text: lanes },
  search: { title: "Searching sessions", file: "src/pages/docs/search.md", text: search },
  grafana: { title: "Grafana and Prometheus", file: "src/pages/docs/grafana.md", text: grafana },
  exports: { title: "Exports", file: "src/pages/docs/exports.md", text: exports },
  metrics: {
    title: "Metrics across sessions",
    file: "src/pages/docs/metrics.md",
    text: metrics,
  },
  keys: { title: "API keys and budgets", file: "src/pages/docs/keys.md", text: keys },
  tests: { title: "Test runs", file: "src/pages/docs/tests.md", text: tests },
  attachments: {
    title: "Attachments",
    file: "src/pages/docs/attachments.md",
    text: attachments,
  },
  "source-maps": { title: "Source maps", file: "src/pages/docs/source-maps.md", text: sourceMaps },
  moving: { title: "Moving from 1.x", file: "src/pages/docs/moving.md", text: moving },
};

export const guideRoutes = new Hono<{ Bindings: Env }>();

guideRoutes.get("/docs/:guide", (c) => {
  const name = c.req.param("guide");
  const guide = Object.hasOwn(GUIDES, name) ? GUIDES[name] : undefined;
  if (!guide) throw new Refusal("not_found", "There is no such guide.");
  return c.render(
    <article class="docs guide">
      <GuideLinks here={name} />
      {raw(htmlOf(guide))}
    </article>,
    { title: guide.title, here: "/docs", name: "docs-page", styles: ["docs"] },
  );
});

export function GuideLinks({ here }: { here?: string }) {
  return (
    <nav class="guides" aria-label="Guides">
      <a href="/docs" aria-current={here === undefined ? "page" : undefined}>
        First session
      </a>
      <a href="/docs/api" aria-current={here === "api" ? "page" : undefined}>
        API
      </a>
      {Object.entries(GUIDES).map(([name, { title }]) => (
        <a href={`/docs/${name}`} aria-current={here === name ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

/** Cached for the life of the isolate: the texts change only with a deployment. */
const cache = new Map<Guide, string>();

function htmlOf(guide: Guide): string {
  let html = cache.get(guide);
  if (html === undefined) {
    html = new Marked().parse(guide.text, {
      renderer: new GuideRenderer(guide.file),
      async: false,
    });
    cache.set(guide, html);
  }
  return html;
}

/** The folder of files that the platform serves as they are. */
const STATIC = "/public";

class GuideRenderer extends Renderer {
  readonly #file: string;

  constructor(file: string) {
    super();
    this.#file = file;
  }

  /** With the anchor that GitHub generates, which links in the READMEs use. */
  override heading({ depth, text, tokens }: Tokens.Heading): string {
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, "")
      .replaceAll(" ", "-");
    return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
  }

  /**
   * Links to other guides are links to their pages, and those to static files download them; other files of the repository have no
   * page, so they are plain text.
   */
  override link(token: Tokens.Link): string {
    const label = this.parser.parseInline(token.tokens);
    if (/^(https?:|#)/.test(token.href)) return super.link(token);
    const { pathname, hash } = new URL(token.href, `file:///${this.#file}`);
    const name = Object.keys(GUIDES).find((each) => `/${GUIDES[each]?.file}` === pathname);
    if (name !== undefined) return `<a href="/docs/${name}${hash}">${label}</a>`;
    if (pathname.startsWith(STATIC))
      return `<a href="${pathname.slice(STATIC.length)}" download>${label}</a>`;
    return pathname === "/README.md" ? `<a href="/docs">${label}</a>` : label;
  }

  override table(token: Tokens.Table): string {
    return `<div class="scroller" tabindex="0" role="group" aria-label="Table">${super.table(token)}</div>`;
  }

  override code({ text, lang, escaped }: Tokens.Code): string {
    const code = super.code({ type: "code", raw: text, text, escaped: escaped ?? false });
    return code.replace(
      "<pre>",
      `<pre class="code" tabindex="0" aria-label="${lang ?? ""} example">`,
    );
  }

  /** Raw HTML is escaped: the READMEs have none. */
  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  }
}
