/** The groups of exceptions. */
import { beforeAll, expect, test } from "vitest";
import { get, recordWorld, submit } from "./site.ts";

beforeAll(recordWorld);

test("an exception group can be resolved and opened again", async () => {
  const list = await get("/exceptions?product=archive-game");
  const path = /href="(\/exceptions\/[^"?]+)\?product=archive-game"/.exec(list.html)?.[1] ?? "";
  const group = await get(`${path}?product=archive-game`);
  expect(group.html).toContain('href="/sessions/broken"');
  expect(group.html).toContain("vscode://");
  const decide = (status: string) =>
    submit(path, { product: "archive-game", status, version: "1.4.3" });
  expect((await decide("resolved")).status).toBe(303);
  const resolved = await get(`${path}?product=archive-game`);
  expect(resolved.html).toContain("resolved in 1.4.3");
  expect(resolved.html).toContain('class="group-header" data-group-status="resolved"');
  expect((await get("/exceptions?product=archive-game")).html).not.toContain(path);
  await decide("open");
  expect((await get("/exceptions?product=archive-game")).html).toContain(path);
});
