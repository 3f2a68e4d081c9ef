/** A page in a real Chromium that makes the calls of golden files. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { readFixture } from "./fixtures.ts";
import type * as Page from "./page.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const isChromiumMissing = !existsSync(executablePath) && process.env["CI"] !== "true";

declare global {
  var conformance: typeof Page;
}

/** A line with the name and the session of each fixture, as the other clients' programs print it. */
export async function playInChromium(names: string[], url: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("page.ts", import.meta.url).pathname],
    bundle: true,
    format: "iife",
    globalName: "conformance",
    target: "es2022",
    write: false,
  });
  const script = `<!doctype html><script>${outputFiles[0]?.text ?? ""}</script>`;
  const site = createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8").end(script);
  }).listen(0, "127.0.0.1");
  const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}`); // it listens on a port
    const lines: string[] = [];
    for (const name of names) {
      const id = await page.evaluate(
        // As text, because Playwright's encoding loses lone surrogates and __proto__.
        ([fixture, server]) => globalThis.conformance.playFixture(JSON.parse(fixture), server),
        [JSON.stringify(readFixture(name)), url] as const,
      );
      lines.push(`${name} ${id}`);
    }
    return lines.join("\n");
  } finally {
    await browser.close();
    site.close();
  }
}
