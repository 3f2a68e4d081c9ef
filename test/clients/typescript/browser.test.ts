/** The browser's entry in a real Chromium: batches, the end of a page, what survives a reload, and what it weighs. */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PAGE_BUNDLE } from "../../../clients/typescript/page-bundle.mjs";
import type * as Client from "../../../clients/typescript/browser.ts";
import { farServer, type FarServer } from "./far-server.ts";
import { startWorld } from "./world.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PAGE = `<!doctype html><title>A page</title>
<script type="module">import * as client from "/datacat.js"; globalThis.datacat = { client };
globalThis.datacat.block = function block() { for (const end = Date.now() + 3_000; Date.now() < end; ); };</script>`;
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium && process.env["CI"])
  throw new Error("no Chromium here: its tests cannot be left out in CI");

let browser: Browser;
let site: Server;
let origin: string;
let bundle: Uint8Array;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL("../../../clients/typescript/browser.ts", import.meta.url).pathname],
    ...PAGE_BUNDLE,
    write: false,
  });
  bundle = outputFiles[0]?.contents ?? new Uint8Array();
  site = createServer((request, response) => {
    const isScript = request.url === "/datacat.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? bundle : PAGE);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`; // it listens on a port
  if (hasChromium) browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});
afterAll(async () => {
  await browser?.close();
  site.close();
});

declare global {
  /** What the tests' pages keep between two calls from here. */
  var datacat: { session: Client.Session; client: typeof Client; block: () => void };
}

async function openPage(url: string, options: object = {}): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await start(page, url, options);
  return page;
}

async function start(page: Page, url: string, options: object = {}): Promise<void> {
  await page.goto(origin);
  await page.evaluate(
    (opening) => {
      globalThis.datacat.session = globalThis.datacat.client.open(opening);
    },
    { url, ...options },
  );
}

const names = (far: FarServer) => far.ops.map((op) => op["name"] ?? op["op"]);

// The scripts of a long block (Long Animation Frames) take 300 bytes of it, the tree of an exception 900.
test("it weighs at most 14.1 KB", () => {
  expect(gzipSync(bundle, { level: 9 }).length).toBeLessThanOrEqual(14_400);
});

test.runIf(hasChromium)("a page's session is at the server, and ends with the page", async () => {
  await using world = await startWorld();
  const page = await openPage(world.url, { product: "shop", version: "3", state: { cart: [] } });
  const id = await page.evaluate(() => {
    const { session } = globalThis.datacat;
    session.updateState({ cart: ["lantern"], payment: { cardToken: "4111" } });
    session.logEvent("added", { data: { item: "lantern", price: Number.NaN } });
    session.gauge("scroll", 0.5);
    return session.id;
  });
  await world.summary(id, (summary) => summary.counts.points === 1);
  await page.evaluate(() => globalThis.datacat.session.logEvent("just before the end"));
  await page.goto("about:blank");

  const summary = await world.summary(id);
  expect(summary).toMatchObject({
    product: "shop",
    verdict: { status: "ended" },
    ledger: { dropped: {} },
  });
  expect(summary.lanes[0]?.writer.program).toBe(`${origin}/`);
  expect(await world.state(id)).toMatchObject({
    cart: ["lantern"],
    payment: { cardToken: "[redacted]" },
  });
  expect((await world.events(id)).map((event) => event.name)).toEqual([
    "added",
    "just before the end",
  ]);
});

test.runIf(hasChromium)(
  "a page that was blocked was hung, which has ended; its uncaught errors are a failure",
  async () => {
    await using world = await startWorld();
    const page = await openPage(world.url, { captureExceptions: true });
    const began = Date.now();
    const id = await page.evaluate(() => {
      const { session } = globalThis.datacat;
      session.startHeartbeatMonitor(150);
      setTimeout(globalThis.datacat.block); // for more than the timeout and its grace
      setTimeout(() => {
        throw new TypeError("no till");
      });
      return session.id;
    });
    const { transitions } = await world.summary(id, (summary) => summary.ever_hung);
    expect(transitions.map(({ status }) => status)).toEqual(["active", "hung", "active"]);
    // The browser reports the long frame some time after it, maybe after the exception.
    await world.summary(
      id,
      (summary) =>
        summary.uncaught === 1 && summary.verdict.evidence.some(({ kind }) => kind === "stacks"),
    );
    const longest = (Date.now() - began) / 1_000;
    await page.goto("about:blank");
    const { verdict, browser: name } = await world.summary(
      id,
      (summary) => summary.verdict.status === "ended",
    );
    const texts = verdict.evidence.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining([expect.stringContaining("block")]));
    const [, seconds] =
      /^Recovered from a hang: no heartbeat for ([\d.]+) s$/m.exec(texts.join("\n")) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(3); // 3.004 s is shown as 3 s
    expect(Number(seconds)).toBeLessThanOrEqual(longest);
    expect(verdict.headline).toBe("Ended with 1 uncaught exception");
    expect(name).toMatch(/^Chrome \d+ on Linux$/);
  },
);

test.runIf(hasChromium)(
  "a page that the browser keeps has ended until it is shown again",
  async () => {
    await using world = await startWorld();
    const page = await openPage(world.url);
    const id = await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      return globalThis.datacat.session.id;
    });
    await world.summary(id, (summary) => summary.verdict.status === "ended");
    await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      globalThis.datacat.session.logEvent("goes on");
    });
    await world.summary(id, (summary) => summary.verdict.status === "active");
    expect((await world.events(id)).map((event) => event.name)).toEqual(["goes on"]);
  },
);

test.runIf(hasChromium)(
  "a sleep that the page's clocks show, and a hidden page, are no hang",
  async () => {
    await using far = await farServer();
    const page = await openPage(far.url);
    await page.evaluate(() => {
      const { session } = globalThis.datacat;
      session.startHeartbeatMonitor(60);
      const { now } = Date;
      Date.now = () => now() + 3_600_000;
    });
    await expect.poll(() => names(far), { timeout: 15_000 }).toContain("resume");
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      return globalThis.datacat.session.flush();
    });
    expect(names(far).at(-1)).toBe("pause");
  },
);

test.runIf(hasChromium)("what could not be sent survives a reload, and arrives once", async () => {
  await using far = await farServer();
  const page = await openPage(far.url);
  await expect.poll(() => names(far)).toEqual(["start"]);

  far.isDown = true;
  await page.evaluate(() => {
    for (let i = 0; i < 20; i++) globalThis.datacat.session.logEvent(`e${i}`);
    return globalThis.datacat.session.flush(200);
  });
  await page.evaluate(() => globalThis.datacat.session.logEvent("at the last moment"));
  await page.reload();
  expect(far.ops).toHaveLength(1);

  far.isDown = false;
  await start(page, far.url);
  await expect.poll(() => far.ops.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(24);
  const old = far.ops.slice(1).filter((op) => op["op"] !== "start");
  expect(old.map((op) => op["name"] ?? op["op"])).toEqual([
    ...Array.from({ length: 20 }, (_, i) => `e${i}`),
    "at the last moment",
    "end",
  ]);

  // And nothing is sent a second time by the page after that.
  await page.evaluate(() => globalThis.datacat.session.flush());
  const count = far.ops.length;
  await start(page, far.url);
  await expect.poll(() => far.ops.length).toBe(count + 2); // the end of that page, the start of this one
});

test.runIf(hasChromium)("uncaught errors and rejections are recorded, if asked for", async () => {
  await using far = await farServer();
  const page = await openPage(far.url, { captureExceptions: true });
  await page.evaluate(() => {
    setTimeout(() => {
      throw new TypeError("from a timer");
    });
    void Promise.reject(new RangeError("from a promise"));
    void Promise.reject(new AggregateError([new Error("of a group")], "from a group"));
  });
  await expect.poll(() => far.ops.length).toBe(4);
  const caught = far.ops.slice(1).map((op) => `${op["exception_type"]}: ${op["exception_msg"]}`);
  expect(new Set(caught)).toEqual(
    new Set([
      "RangeError: from a promise",
      "AggregateError: from a group",
      "TypeError: from a timer",
    ]),
  );
  expect(far.ops.flatMap((op) => op["causes"] ?? [])).toMatchObject([
    { exception_msg: "of a group", kind: "member" },
  ]);
  expect(far.ops.slice(1).every((op) => op["handled"] === false)).toBe(true);
  expect(far.ops[1]?.["stacktrace"].length).toBeGreaterThan(0);
});

test.runIf(hasChromium)("with a key, the last request of a page carries it, too", async () => {
  await using far = await farServer();
  const page = await openPage(far.url, { key: "the-key" });
  await expect.poll(() => names(far)).toEqual(["start"]);
  await page.evaluate(() => globalThis.datacat.session.logEvent("just before the end"));
  await page.goto("about:blank");
  await expect.poll(() => names(far)).toEqual(["start", "just before the end", "end"]);
  expect(far.requests.map((request) => request.headers.authorization)).toEqual([
    "Bearer the-key",
    "Bearer the-key",
  ]);
});

test.runIf(hasChromium)(
  "a page opened beside another sends that one's ops too, once, and does not call it gone",
  async () => {
    await using far = await farServer();
    const page = await openPage(far.url);
    await expect.poll(() => names(far)).toEqual(["start"]);
    far.isDown = true;
    await page.evaluate(() => {
      globalThis.datacat.session.logEvent("first");
      return globalThis.datacat.session.flush(200);
    });
    far.isDown = false;
    const other = await page.context().newPage();
    await start(other, far.url);
    await page.evaluate(() => {
      globalThis.datacat.session.logEvent("second");
      return globalThis.datacat.session.flush();
    });
    await expect
      .poll(() => names(far).toSorted((a, b) => a.localeCompare(b)))
      .toEqual(["first", "second", "start", "start"]);
    const batches = far.requests.flatMap((request) => request.batches);
    expect(batches.map((batch) => batch.lease_ms)).not.toContain(0);
    await page.evaluate(() => globalThis.datacat.session.end());
    await expect.poll(() => names(far).at(-1)).toBe("end");
    expect(far.ops).toHaveLength(5);
  },
);

test.runIf(hasChromium)(
  "what an ended session has not sent leaves with the page, too",
  async () => {
    await using far = await farServer();
    far.isDown = true;
    const page = await openPage(far.url);
    await page.evaluate(async () => {
      const { session } = globalThis.datacat;
      await session.flush(200);
      session.logEvent("just before the end");
      session.end();
    });
    far.isDown = false;
    await page.goto("about:blank");
    await expect.poll(() => names(far)).toEqual(["start", "just before the end", "end"]);
  },
);

test.runIf(hasChromium)(
  "more than a page may leave behind, in an alphabet of three bytes a character, arrives by parts, once",
  async () => {
    await using far = await farServer();
    const page = await openPage(far.url);
    const record = (from: number, to: number) =>
      page.evaluate(
        ([first, end]) => {
          for (let i = first; i < end; i++)
            globalThis.datacat.session.logEvent(`e${i}`, { message: "語".repeat(100) });
        },
        [from, to] as const,
      );
    await record(0, 200);
    await page.evaluate(() => globalThis.datacat.session.flush());
    expect(far.ops).toHaveLength(201);

    await record(200, 600);
    await page.goto("about:blank");
    await expect.poll(() => far.ops.length).toBeGreaterThan(250);
    expect(far.ops.length).toBeLessThan(600);
    await start(page, far.url);
    const recorded = () => names(far).filter((name) => /^e\d/.test(name));
    await expect.poll(() => recorded().length).toBe(600);
    expect(recorded()).toEqual(Array.from({ length: 600 }, (_, i) => `e${i}`));
  },
);

test.runIf(hasChromium)(
  "a page without storage records all the same, and no call ever throws",
  async () => {
    await using far = await farServer();
    const page = await (await browser.newContext()).newPage();
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "indexedDB", {
        get() {
          throw new DOMException("no storage here", "SecurityError");
        },
      });
    });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await start(page, far.url);
    await page.evaluate(() => {
      const { session } = globalThis.datacat;
      const cycle: { self?: object } = {};
      cycle.self = cycle;
      session.updateState({ cycle, body: document.body, window: globalThis });
      session.logEvent("odd", {
        data: { big: 2n ** 70n, when: new Date(0), set: new Set([2, 1]) },
      });
      session.gauge("nothing", Number.NaN);
      return session.flush();
    });
    const [, state] = far.ops;
    expect(state?.["patch"]).toEqual({
      cycle: { self: "<cycle>" },
      body: "<HTMLBodyElement>",
      window: "<Window>",
    });
    expect(far.ops.find((op) => op["name"] === "odd")?.["data"]).toEqual({
      big: "1180591620717411303424",
      when: "1970-01-01T00:00:00.000Z",
      set: [1, 2],
    });
    expect(far.ops.filter((op) => op["op"] === "dropped").map((op) => op["detail"])).toEqual([
      "state.cycle.self: <cycle>",
      "state.body: <HTMLBodyElement>",
      "state.window: <Window>",
      "nothing: NaN",
    ]);
    expect(errors).toEqual([]);
  },
);
