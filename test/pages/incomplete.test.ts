/** What pages over many sessions leave out, they mention: further names, and sessions whose storage is damaged. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { MAX_NAMES } from "../../src/catalog/limits.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { server } from "../api/server.ts";
import { metric, publication } from "../catalog/publication.ts";

const ask = server();
const page = async (path: string) => (await ask(path)).text();
/** The address of the link with this text. */
const linkIn = (html: string, text: string) =>
  html.match(new RegExp(`href="([^"]*)"[^>]*>\\s*${text}`))?.[1]?.replaceAll("&amp;", "&");

test("every metric name can be reached from the list of names", async () => {
  const names = Array.from({ length: MAX_NAMES + 5 }, (_, n) => `Größe-${10_000 + n}`);
  for (const [id, part] of [names.slice(0, 600), names.slice(600)].entries())
    await publish(
      env.CATALOG,
      publication(`names-${id}`, {
        session: { product: "many" },
        metrics: part.map((name, series) => metric(name, { series })),
      }),
    );
  for (const query of ["", "product=many", "metric=GR%C3%96SSE"]) {
    const first = await page(`/metrics?${query}`);
    expect(first).toContain("in alphabetical order up to “Größe-10999”");
    expect(first).not.toContain("Größe-11000");
    const further = await page(linkIn(first, "Further names") ?? "");
    expect(further).toContain("Größe-11004");
    expect(linkIn(further, "Further names")).toBeUndefined();
    expect(linkIn(further, "« First names")).toBeDefined();
  }
});

test("home names damaged sessions until they are deleted or restored", async () => {
  const session = (damaged: number, revision: number) =>
    publish(env.CATALOG, publication("harmed", { session: { damaged, revision } }));
  await session(0, 1);
  expect(await page("/")).not.toContain("Damaged sessions");
  await session(2, 2);
  expect(linkIn(await page("/"), "harmed")).toBe("/sessions/harmed");
  expect(await page("/")).toContain("Damaged sessions");
  await session(0, 3);
  expect(await page("/")).not.toContain("Damaged sessions");
});
