/** The clients' READMEs as pages of the product. */
import { expect, test } from "vitest";
import { server } from "../api/server.ts";

const ask = server();
const GUIDES = [
  "typescript",
  "python",
  "go",
  "api",
  "lanes",
  "grafana",
  "search",
  "tests",
  "exports",
  "metrics",
  "keys",
  "attachments",
  "source-maps",
  "moving",
];

async function page(path: string): Promise<string> {
  const answer = await ask(path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}

test("every guide is a page, linked from the docs", async () => {
  const docs = await page("/docs");
  for (const guide of GUIDES) {
    expect(docs).toContain(`href="/docs/${guide}"`);
    expect(await page(`/docs/${guide}`)).toContain("<h1");
  }
});

test("links between guides lead to pages, and to headings that are there", async () => {
  const html = new Map<string, string>();
  for (const guide of GUIDES) html.set(guide, await page(`/docs/${guide}`));
  let seen = 0;
  for (const [from, text] of html) {
    for (const [, href = ""] of text.matchAll(/href="([^"]+)"/g)) {
      const [path, anchor] = href.split("#");
      const guide = /^\/docs\/(\w+)$/.exec(path ?? "")?.[1] ?? (path === "" ? from : undefined);
      if (guide === undefined || anchor === undefined || anchor === "main") continue;
      expect(html.get(guide), `${from}: ${href}`).toContain(`id="${anchor}"`);
      seen++;
    }
    // Nothing leads to the repository's files, which a server does not have.
    expect(text).not.toMatch(/href="(?:\.\.|examples|[\w/]+\.md)/);
  }
  expect(seen).toBeGreaterThan(2);
});

test("examples are shown unchanged, and can be scrolled by keyboard", async () => {
  const python = await page("/docs/python");
  expect(python).toContain('<pre class="code" tabindex="0" aria-label="python example">');
  expect(python).toContain("session.gauge(&quot;fps&quot;, 59.94)");
});

test("an unknown guide is not found", async () => {
  const answer = await ask("/docs/cobol");
  expect(answer.status).toBe(404);
});
