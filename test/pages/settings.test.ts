/** The settings of the server and of a reader. */
import { beforeAll, expect, test } from "vitest";
import { get, recordWorld, submit } from "./site.ts";

beforeAll(recordWorld);

test("settings show today's usage, and the free limits", async () => {
  const { html } = await get("/settings");
  const [objects = 0, catalog = 0] = [...html.matchAll(/<meter [^>]*value="(\d+)"/g)].map(
    ([, value]) => Number(value),
  );
  expect(objects).toBeGreaterThan(4);
  expect(catalog).toBeGreaterThan(40);
  expect(html).toContain("of 100,000, ");
  expect(html).toContain("of 5 GB, ");
});

test("theme and zone are kept in cookies, and the redirect leads only to own pages", async () => {
  const choose = (fields: Record<string, string>) => submit("/preferences", fields);
  const answer = await choose({ theme: "dark", back: "/sessions" });
  expect(answer.headers.get("location")).toBe("/sessions");
  expect(answer.headers.get("set-cookie")).toContain("theme=dark");
  expect((await get("/", { cookie: "theme=dark; zone=utc" })).html).toContain(
    'data-theme="dark" data-zone="utc"',
  );
  for (const back of ["//evil.example", "/\\evil.example", "https://evil.example"]) {
    expect((await choose({ theme: "dark", back })).headers.get("location")).toBe("/");
  }
});
