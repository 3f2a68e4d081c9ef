/** Recorded text stays text on every page. */
import { beforeAll, expect, test } from "vitest";
import { get, recordWorld } from "./site.ts";
import { SPICE } from "./world.ts";

beforeAll(recordWorld);

const PAGES = [
  "/",
  "/sessions",
  "/sessions?metric=fps",
  "/sessions/spicy",
  `/sessions/spicy?path=${encodeURIComponent(JSON.stringify(["level", "name"]))}&q=${encodeURIComponent("<script>")}`,
  "/sessions/spicy/delete",
  "/exceptions",
  "/metrics",
  `/metrics?metric=${encodeURIComponent(`cpu${SPICE}`)}`,
  `/compare?ids=spicy&ids=broken&event=${encodeURIComponent(SPICE)}`,
  `/sessions?text=${encodeURIComponent(SPICE)}&product=${encodeURIComponent(SPICE)}&path=${encodeURIComponent(SPICE)}`,
  "/settings",
  "/docs",
  "/docs/api",
];

/** Everything in a page that could run or style something and does not come from a file of ours. */
async function runnable(html: string): Promise<string[]> {
  const found: string[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element({ tagName, attributes }) {
      let isOwn = false;
      for (const [name = "", value = ""] of attributes) {
        if (/^(on|hx-on|data-hx-on)|^(style|srcdoc)$/.test(name)) found.push(`${tagName} ${name}`);
        if (/^\s*(javascript|data):/i.test(value)) found.push(`${tagName} ${name}=${value}`);
        if (name === "src" && value.startsWith("/")) isOwn = true;
      }
      if (tagName === "script" && !isOwn) found.push("script");
      if (["style", "img", "iframe", "object", "embed", "base"].includes(tagName))
        found.push(tagName);
    },
  });
  await rewriter.transform(new Response(html)).text();
  return found;
}

test.each(PAGES)("nothing that users write becomes markup on %s", async (page) => {
  const { status, html, headers } = await get(page);
  expect(status).toBe(200);
  expect(await runnable(html)).toEqual([]);
  expect(headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(headers.get("content-security-policy")).not.toContain("unsafe");
});
