/** The API's page shows the whole OpenAPI document. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { server } from "../api/server.ts";

type Document = {
  paths: { [path: string]: { [method: string]: { operationId: string; summary: string } } };
  components: { schemas: object; responses: object };
};

let html: string;
let document: Document;

beforeAll(async () => {
  const answer = await server()("/docs/api");
  expect(answer.status).toBe(200);
  html = await answer.text();
  document = await (await env.ASSETS.fetch("http://localhost/api/openapi.json")).json();
});

test("every operation and every schema is on it once", () => {
  const ids = [...html.matchAll(/<details class="operation" id="([^"]+)"/g)].map(
    ([, id = ""]) => id,
  );
  const operations = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  const schemas = Object.keys(document.components.schemas).map((name) => `schema-${name}`);
  expect(ids.toSorted()).toEqual([...operations, ...schemas].toSorted());
  for (const path of Object.keys(document.paths)) expect(html).toContain(`<code>${path}</code>`);
});

test("every link in it leads to something on it", () => {
  const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  expect(links.length).toBeGreaterThan(100);
  for (const id of new Set(links)) expect(html, id).toContain(`id="${id}"`);
});

test("marks of Markdown are shown as what they stand for", () => {
  expect(html).toContain('<a href="/docs/search">fields</a>');
  expect(html).toContain("<code>product:game version:&gt;=1.2 -is:ended</code>");
  expect(html).not.toMatch(/\]\(|src\/pages|&amp;(lt|gt|quot|amp);/);
});
