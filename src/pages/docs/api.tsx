/** The API's page. `npm run openapi` makes its content of the OpenAPI document (src/api/openapi/page.tsx). */
import { Hono } from "hono";
import { raw } from "hono/html";
import type { Env } from "../../env.ts";
import { GuideLinks } from "./guide.tsx";

export const apiRoutes = new Hono<{ Bindings: Env }>();

apiRoutes.get("/docs/api", async (c) => {
  const content = await c.env.ASSETS.fetch(new URL("/api/page.txt", c.req.url));
  return c.render(
    <article class="docs api">
      <GuideLinks here="api" />
      {raw(await content.text())}
    </article>,
    { title: "API", here: "/docs", name: "docs-page", styles: ["docs", "api"] },
  );
});
