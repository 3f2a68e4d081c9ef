/** Where a session comes about by itself: a Worker's request, log lines of pino's. Runs of tests: reporters/. */
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { captureConsole } from "../../../clients/typescript/integrations/console.ts";
import { destination } from "../../../clients/typescript/integrations/pino.ts";
import { farServer } from "./far-server.ts";
import { readLanes, testHome } from "./lanes.ts";

const root = new URL("../../..", import.meta.url).pathname;

test("in workerd a request is a session, also one that fails", async () => {
  await using far = await farServer();
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { record } from "./worker.ts";
        export default {
          fetch: (request, env, context) =>
            record(context, { env, state: { url: request.url } }, async (session) => {
              session.logEvent("asked", { data: { method: request.method } });
              if (request.url.endsWith("/broken")) throw new TypeError("no such page");
              return new Response(session.id);
            }),
        };`,
      resolveDir: join(root, "clients/typescript"),
    },
    bundle: true,
    format: "esm",
    write: false,
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
      compatibilityDate: "2026-10-01",
      bindings: { DATACAT_URL: far.url, DATACAT_PRODUCT: "shop", DATACAT_KEY: "the-key" },
    }),
  );
  try {
    const good = await miniflare.dispatchFetch("http://shop.example/lanterns");
    expect(await good.text()).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => far.ops.length).toBe(3);
    expect(far.ops).toMatchObject([
      { op: "start", product: "shop", state: { url: "http://shop.example/lanterns" } },
      { op: "event", name: "asked", data: { method: "GET" } },
      { op: "end" },
    ]);
    expect(far.requests[0]?.headers.authorization).toBe("Bearer the-key");
    expect(far.requests[0]?.batches[0]?.writer).toMatchObject({ language: "Cloudflare-Workers" });

    const bad = await miniflare.dispatchFetch("http://shop.example/broken");
    expect(bad.status).toBe(500);
    await expect.poll(() => far.ops.length).toBe(7);
    expect(far.ops.slice(5)).toMatchObject([
      { op: "event", exception_type: "TypeError", exception_msg: "no such page", handled: false },
      { op: "crash", reason: "uncaught_exception" },
    ]);
  } finally {
    await miniflare.dispose();
  }
});

test("pino's lines cut anywhere are put together again, and what is not pino's is kept as text", async () => {
  using home = testHome();
  process.env["DATACAT_HOME"] = home.folder;
  process.env["DATACAT_DAEMON"] = "off";
  const { open } = await import("../../../clients/typescript/node.ts");
  const session = open();
  const log = destination(session);
  const lines = [
    '{"level":20,"msg":"a"}',
    '{"level":"warn","msg":"b","user":{"password":"x"}}',
    "plain text",
    '{"level":60}',
  ];
  for (const part of `${lines.join("\n")}\n`.match(/.{1,7}|\n/gs) ?? []) log.write(part);
  await new Promise<void>((resolve) => log.end(resolve));
  session.end();
  expect(readLanes(home)[0]?.records.slice(1, -1)).toMatchObject([
    { name: "log", category: "debug", message: "a", group: "pino" },
    { name: "log", category: "warn", message: "b", data: { user: { password: "[redacted]" } } },
    { name: "log", message: "plain text" },
    { name: "log", category: "critical" },
  ]);
});

test("a captured console prints as before, is restored, and never records its own recording", async () => {
  using home = testHome();
  process.env["DATACAT_HOME"] = home.folder;
  const { open } = await import("../../../clients/typescript/node.ts");
  const session = open();
  const printed: unknown[][] = [];
  const print = (...values: unknown[]) => void printed.push(values);
  const target = { debug: print, log: print, info: print, warn: print, error: print };
  const stop = captureConsole(session, { console: target, methods: ["log", "warn"] });
  const chatty = {
    toJSON: () => {
      target.log("reading it");
      return "chatty";
    },
  };
  target.log("n =", 1, { a: 2 }, chatty, 5n);
  target.warn(new RangeError("too far"));
  target.debug("not asked for");
  stop();
  expect(target.log).toBe(print);
  session.end();
  expect(printed).toHaveLength(4);
  expect(readLanes(home)[0]?.records.slice(1, -1)).toMatchObject([
    { name: "console", category: "info", message: 'n = 1 {"a":2} "chatty" 5' },
    {
      name: "console",
      category: "warning",
      exception_type: "RangeError",
      message: "RangeError: too far",
    },
  ]);
});
