/** A page of another origin attaches what it drew, with a key that may only record; the session's page draws it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PAGE_BUNDLE } from "../../clients/typescript/page-bundle.mjs";
import { hasBrowser, soon, World } from "./browser.ts";

const SECRET = "correct horse battery staple";
const WIDTH = 1_200;
const HEIGHT = 900;
/** Noise, which a PNG does not compress, with a corner of one colour. More than a chunk of 1 MiB. */
const DRAW = `(() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [${WIDTH}, ${HEIGHT}];
  const context = canvas.getContext("2d");
  const image = context.createImageData(${WIDTH}, ${HEIGHT});
  for (let i = 0, value = 1; i < image.data.length; i++) {
    value = Math.imul(value, 1103515245) + 12345 | 0;
    image.data[i] = i % 4 === 3 ? 255 : (value >>> 16) & 255;
  }
  context.putImageData(image, 0, 0);
  context.fillStyle = "rgb(10, 200, 30)";
  context.fillRect(0, 0, 400, 400);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
})()`;
const ATTACH = (url: string, key: string) => `(async () => {
  const [{ open }, { attach, flushAttachments }] = await Promise.all([import("/datacat.js"), import("/attach.js")]);
  const session = open({ url: "${url}", key: "${key}", product: "shop" });
  const blob = await ${DRAW};
  await attach(session, "canvas.png", blob);
  await flushAttachments(session, 15000);
  session.end();
  await session.flush();
  return { id: session.id, size: blob.size };
})()`;
/** The colour in the corner of the shown image. */
const CORNER = `(() => {
  const image = document.querySelector("#attachments img");
  if (!image?.complete || image.naturalWidth === 0) return "";
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 1, 1, 0, 0, 1, 1);
  return [image.naturalWidth, image.naturalHeight, ...context.getImageData(0, 0, 1, 1).data].join();
})()`;

describe.runIf(hasBrowser)("a page on another origin", () => {
  let world: World;
  let site: Server;
  let origin: string;
  beforeAll(async () => {
    world = await World.open({ LOCAL: "0", ADMIN_SECRET: SECRET });
    const [datacat, attach] = await Promise.all([bundle("browser.ts"), bundle("attach/attach.ts")]);
    const files = new Map([
      ["/datacat.js", datacat],
      ["/attach.js", attach],
    ]);
    site = createServer(({ url = "/" }, response) => {
      const script = files.get(url);
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      response.end(script ?? "<!doctype html><title>Shop</title><link rel=icon href=data:,>");
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`; // it listens on a port
  });
  afterAll(async () => {
    site.close();
    await world.close();
  });

  test("attaches a canvas with an ingest key, and the session's page draws it", async () => {
    const made = await world.send("/api/keys", {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
      body: JSON.stringify({ kind: "ingest", label: "pages" }),
    });
    const { key } = (await made.json()) as { key: string };
    const shop = await world.look(origin);
    const { id, size }: { id: string; size: number } = await shop.page.evaluate(
      ATTACH(world.server.url, key),
    );
    expect(size).toBeGreaterThan(1024 * 1024);
    expect(shop.complaints).toEqual([]);

    // The key may record, not read.
    const path = `/api/sessions/${id}/attachments`;
    const headers = { authorization: `Bearer ${key}` };
    expect((await world.send(path, { headers })).status).toBe(403);

    const { page, complaints } = await world.look("/");
    await page.getByLabel("Admin secret").fill(SECRET);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading").first().waitFor();
    await page.goto(`/sessions/${id}`);
    const item = page.locator("#attachments li");
    await item.getByText("canvas.png").waitFor();
    await item.scrollIntoViewIfNeeded();
    await soon(() => page.evaluate(CORNER)).toBe(`${WIDTH},${HEIGHT},10,200,30,255`);
    expect(complaints).toEqual([]);
  });
});

async function bundle(file: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../../clients/typescript/${file}`, import.meta.url).pathname],
    ...PAGE_BUNDLE,
    write: false,
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}
