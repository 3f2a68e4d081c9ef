/** Every page that shows recorded text, in a browser, of a session in which each field is an attack. */
import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asking } from "../../src/core/text/names.ts";
import { testKey } from "../../src/core/tests/id.ts";
import type { Batch } from "../../src/core/batch.ts";
import { sessionWith } from "../pages/hostile-session.ts";
import { SPICE } from "../pages/world.ts";
import { atRest, hasBrowser, soon, World } from "./browser.ts";

/** Markup, the end of an attribute, a script's address, and characters that act on text. */
const ATTACK = `${SPICE}</title></textarea><svg onload=alert(2)>javascript:alert(3)//\u202E\u0000{{x}}\${x}`;
/** An address that a link must not have. */
const ADDRESS = "javascript:alert(4)";
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(5)"><script>alert(6)</script></svg>';
const HTML = "<!doctype html><script>alert(7)</script>";

/** Contents of other types than those that are announced, and markup of its own type. */
const CONTENTS: [id: string, type: string, content: string][] = [
  ["lane.2", "image/png", HTML],
  ["lane.3", "image/svg+xml", SVG],
  ["lane.4", "text/html", HTML],
  ["lane.5", "image/gif", `GIF89a/*${HTML}*/`],
];

const attachments = CONTENTS.map(([id, type, content], index) => ({
  op: "attachment" as const,
  at: Date.now() - 500_000 + index,
  id,
  name: `${ATTACK.slice(0, 200)}.png`,
  type,
  size: Buffer.byteLength(content),
  sha256: createHash("sha256").update(content).digest("hex"),
}));

/** An exception whose frame has a source map. */
const MINIFIED = {
  op: "event" as const,
  at: Date.now() - 590_000,
  name: "exception",
  exception_type: "TypeError",
  exception_msg: ATTACK,
  stacktrace: [`TypeError: ${ATTACK}`, "    at f (https://a.example/app.js:1:1)"],
};

/** What the page's own code and markup did of what was recorded. */
const FAULTS = `(() => {
  const widest = () => [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.outerHTML.slice(0, 80)).slice(0, 12).join("\\n");
  const found = [...document.querySelectorAll("script:not([src]), iframe, object, embed, base, svg[onload], [onerror], [onload], [srcdoc], a[href^='javascript:' i], img[src='x']")];
  return [
    ...found.map((element) => element.outerHTML.slice(0, 200)),
    ...(document.documentElement.scrollWidth > innerWidth ? ["wider than the window: " + widest()] : []),
  ];
})()`;

describe.skipIf(!hasBrowser)("recorded text in a browser", () => {
  let world: World;
  let merged: string;
  beforeAll(async () => {
    world = await World.open();
    const sessions = ["hostile", "hostile-too"].map(
      (id) => sessionWith(id, ATTACK, ADDRESS) as unknown as Batch, // as: its ops are of one type of their own
    );
    for (const session of sessions) await world.record([session]);
    const ops: Batch["ops"] = [MINIFIED, ...attachments];
    await world.record([{ session: "hostile", lane: "more", first: 1, last: ops.length, ops }]);
    const put = async (path: string, body: string) => {
      const answer = await world.send(path, { method: "PUT", body });
      expect(answer.status, `${path} ${await answer.text()}`).toBe(200);
    };
    for (const [id, , content] of CONTENTS)
      await put(`/api/sessions/hostile/attachments/${id}/chunks/0`, content);
    // A map whose sources, names and lines are attacks as well.
    const map = {
      version: 3,
      sources: [ATTACK],
      sourcesContent: [`${ATTACK}\n`.repeat(3)],
      names: [ATTACK],
      mappings: "AAAAA",
    };
    const release = new URLSearchParams({ product: asking(ATTACK), version: asking(ATTACK) });
    await put(`/api/sourcemaps?${release}&file=app.js`, JSON.stringify(map));
    const thrown = await world.send("/api/sessions/hostile/events?exceptions=1");
    expect(await thrown.text()).toContain('"resolved"');
    await world.listed("hostile", "hostile-too");
    // Groups of exceptions that people merged.
    const { items } = (await (await world.send("/api/exceptions")).json()) as {
      items: { fingerprint: string; product: string }[];
    };
    const [first, ...others] = items;
    expect(others.length).toBeGreaterThan(1);
    const answer = await world.send(`/api/exceptions/${first?.fingerprint}/merges`, {
      method: "POST",
      body: JSON.stringify({ product: first?.product, fingerprints: [others[0]?.fingerprint] }),
    });
    expect(answer.status).toBe(200);
    merged = `/exceptions/${first?.fingerprint}?product=${encodeURIComponent(asking(first?.product ?? ""))}`;
  });
  afterAll(() => world.close());

  /** Pages that links lead to, each kind once: addresses that differ only in values are one kind. */
  async function linksOf(page: Page): Promise<string[]> {
    const links = await page.evaluate<string[]>(
      `[...document.querySelectorAll("a[href^='/']:not([download])")].map((link) => link.getAttribute("href"))`,
    );
    return links.filter(
      (href) => !/^\/docs|\/changes$|\/attachments\/|\.(json|csv)|\/export|^\/api/.test(href),
    );
  }

  const kindOf = (href: string) => {
    const { pathname, searchParams } = new URL(href, "http://a.example");
    const path = pathname
      .replace(/\/sessions\/[^/]+/, "/sessions/:id")
      .replace(/\/(exceptions|tests)\/[^/]+/, "/$1/:key");
    const names = [...new Set(searchParams.keys())].filter((name) => !LISTED.has(name));
    return `${path}?${names.toSorted().join("&")}`;
  };

  test("no page runs any of it, and none is broken by it", async () => {
    const { page, complaints } = await world.look("/health");
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const name = encodeURIComponent(asking(ATTACK));
    const key = testKey([ATTACK, "a", ATTACK]);
    const queue = [
      "/",
      "/sessions/hostile",
      "/sessions",
      `/sessions?text=${encodeURIComponent(ATTACK)}&q=${name}`,
      merged,
      "/exceptions?status=all",
      "/metrics",
      `/metrics?metric=${name}&by=machine`,
      `/tests?product=${name}`,
      `/sessions/hostile/tests/${key}`,
      `/tests/${key}?product=${name}`,
      "/compare?ids=hostile,hostile-too",
      "/settings",
      "/settings/audit",
      `/settings/source-maps?product=${name}`,
      "/sessions/hostile/delete",
      `/distinctions?product=${name}`,
    ];
    const seen = new Set<string>();
    for (let href = queue.shift(); href !== undefined; href = queue.shift()) {
      const kind = kindOf(href);
      if (seen.has(kind) || seen.size >= MOST_PAGES) continue;
      seen.add(kind);
      await page.goto(href);
      await page.evaluate(
        `document.querySelectorAll("details").forEach((each) => (each.open = true))`,
      );
      await atRest(page);
      expect(await page.evaluate(FAULTS), href).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      // Charts are drawn again after the screen has changed.
      await soon(async () => [href, ...(await page.evaluate<string[]>(FAULTS))]).toEqual([href]);
      await page.setViewportSize({ width: 1_440, height: 900 });
      expect([...dialogs, ...complaints.splice(0)], href).toEqual([]);
      queue.push(...(await linksOf(page)));
    }
    expect([...seen]).toEqual(expect.arrayContaining(["/exceptions/:key?", "/sessions/:id?path"]));
    expect(seen.size).toBeGreaterThan(20);
  });

  test("an attached file is stored, never rendered, whatever its type", async () => {
    const { page, complaints } = await world.look("/sessions/hostile");
    for (const [id] of CONTENTS)
      for (const at of ["/sessions", "/api/sessions"]) {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.evaluate(`location.assign(${JSON.stringify(`${at}/hostile/attachments/${id}`)})`),
        ]);
        expect(download.suggestedFilename()).not.toMatch(/[<>/\\\u202E]/);
        await download.delete();
      }
    expect(new URL(page.url()).pathname).toBe("/sessions/hostile");
    expect(complaints).toEqual([]);
  });
});

/** Parameters of lists, which show the same whatever they are. */
const LISTED = new Set("product version status order sort by with branch".split(" "));

/** Kinds of pages that are opened. There are fewer: it ends a crawl that goes in circles. */
const MOST_PAGES = 50;
