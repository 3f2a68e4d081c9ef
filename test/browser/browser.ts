/**
 * A real server and a real Chromium for one test file. `look()` opens a page that notes everything a browser complains about: errors,
 * warnings, refused resources, anything the content security policy stopped.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { serve, type Server } from "../../daemon/serve/serve.ts";
import type { Batch } from "../../src/core/batch.ts";
import { record } from "../pages/world.ts";

const CANDIDATES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const executablePath = CANDIDATES.find((path) => path !== "" && existsSync(path));

/** Without a browser these tests are skipped by name; in CI that would hide too much, so there they fail. */
export const hasBrowser = executablePath !== undefined || process.env["CI"] === "true";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const AXE = readFileSync(
  new URL("../../node_modules/axe-core/axe.min.js", import.meta.url),
  "utf8",
);

const VIEWPORT = { width: 1_440, height: 900 };
/** A tab that is not new again after this is closed. */
const RENEWED_MS = 30_000;

/** What becomes so within a time that even a busy machine needs. */
export function soon<Value>(look: () => Value | Promise<Value>) {
  return expect.poll(look, { timeout: 15_000 });
}

/** Runs in the page, where this file's types and imports are not: so it is text. */
const LOOK_FOR_VIOLATIONS = `(async () => {
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values } });
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => id + ": " + html.slice(0, 160) + " (" + failureSummary.slice(0, 200) + ")"));
})()`;

/** Requests of each page that are not answered yet. */
const running = new WeakMap<Page, Set<Request>>();

/** Two frames and 50 ms of the page's own time: what it does after an answer, a frame or an observer's call has then begun. */
const PAUSE = `new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 50))))`;

/** Waits until the page has requested nothing and waited for nothing in two pauses. A slow machine makes the pauses longer. */
export async function atRest(page: Page): Promise<void> {
  let isBusy = false;
  const note = () => (isBusy = true);
  page.on("request", note);
  const deadline = Date.now() + 30_000;
  for (let pauses = 0; pauses < 2 && Date.now() < deadline; pauses++) {
    isBusy = false;
    await page.evaluate(PAUSE);
    if (isBusy || (running.get(page)?.size ?? 0) > 0) pauses = -1;
  }
  page.off("request", note);
}

export type Looking = { page: Page; complaints: string[] };

export class World {
  server: Server;
  readonly #browser: Browser;
  readonly #data: string;
  /** By their options, with the tabs that no test uses now. */
  readonly #contexts = new Map<string, { context: BrowserContext; free: Page[] }>();

  static async open(bindings?: Record<string, string>): Promise<World> {
    const data = mkdtempSync(join(tmpdir(), "datacat-browser-"));
    const [server, browser] = await Promise.all([
      serve({ data, bindings }),
      chromium.launch({ args: ARGUMENTS, executablePath }),
    ]);
    return new World(server, browser, data);
  }

  private constructor(server: Server, browser: Browser, data: string) {
    this.server = server;
    this.#browser = browser;
    this.#data = data;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.server.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** As after a crash of the machine: the same address and data, another process. */
  async restart(): Promise<void> {
    const { port } = this.server;
    await this.server.stop();
    this.server = await serve({ data: this.#data, port });
  }

  send = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`${this.server.url}${path}`, init);

  async record(...runs: Batch[][]): Promise<void> {
    for (const run of runs) await record(this.send, run);
  }

  /** Waits until the catalog lists all of these. */
  async listed(...ids: string[]): Promise<void> {
    for (const until = Date.now() + 20_000; ;) {
      const html = await (await this.send("/sessions")).text();
      if (ids.every((id) => html.includes(`/sessions/${id}"`))) return;
      if (Date.now() > until) throw new Error(`The list does not show all of ${ids.join(", ")}`);
      await sleep(100);
    }
  }

  /**
   * Opens a page of the server, without cookies, and waits until it is loaded and at rest. A tab is used again once its test has finished:
   * a new one starts two processes and compiles every script, which is 60 % of the CPU time of a page.
   */
  async look(path: string, options: BrowserContextOptions = {}): Promise<Looking> {
    const { context, free } = await this.#context(options);
    await context.clearCookies();
    const page = free.pop() ?? (await context.newPage());
    await page.bringToFront(); // one behind another draws and waits once a second
    onTestFinished(async () => {
      if (await leave(page, options)) free.push(page);
    });
    const complaints: string[] = [];
    page.on("console", (message) => {
      // Tests read the colours of a canvas again and again, which pages never do.
      const isOwn = message.text().startsWith("Canvas2D: Multiple readback");
      if (["error", "warning"].includes(message.type()) && !isOwn) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    const requests = new Set<Request>();
    running.set(page, requests);
    page.on("request", (request) => requests.add(request));
    page.on("requestfinished", (request) => requests.delete(request));
    page.on("requestfailed", (request) => requests.delete(request));
    await page.goto(path);
    if (options.javaScriptEnabled ?? true) await atRest(page);
    return { page, complaints };
  }

  async #context(options: BrowserContextOptions) {
    const key = JSON.stringify(options);
    const known = this.#contexts.get(key);
    if (known) return known;
    const context = await this.#browser.newContext({
      baseURL: this.server.url,
      viewport: VIEWPORT,
      permissions: ["clipboard-read", "clipboard-write"],
      timezoneId: "Europe/Berlin",
      ...options,
    });
    const added = { context, free: [] };
    this.#contexts.set(key, added);
    return added;
  }
}

/** False if a tab cannot be used again: its test closed it, or ended while it was going elsewhere, where a call may wait for ever. */
async function leave(page: Page, options: BrowserContextOptions): Promise<boolean> {
  if (page.isClosed()) return false;
  const failed = () => false;
  const isNew = await Promise.race([
    renew(page, options).then(() => true, failed),
    sleep(RENEWED_MS, false, { ref: false }),
  ]);
  if (!isNew) void page.close().catch(failed);
  return isNew;
}

/** Puts a tab back to the state of a new one, on an address without script. */
async function renew(page: Page, { viewport }: BrowserContextOptions): Promise<void> {
  page.removeAllListeners();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.goto("/icon/crashed.svg");
  await page.mouse.move(5, 5); // over nothing
  await page.evaluate("sessionStorage.clear()");
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(viewport ?? VIEWPORT);
}

/** Finds nothing against WCAG 2.2 A and AA, in the colours that the page has now. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated by the browser's own tools rather than added as a script, which the page's policy would refuse.
  await page.evaluate(AXE);
  const violations: string[] = await page.evaluate(LOOK_FOR_VIOLATIONS);
  expect(violations).toEqual([]);
}
