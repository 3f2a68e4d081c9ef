/** The first page. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { publish } from "../../src/catalog/publication/publish.ts";
import { SERVER } from "../../src/core/access/authority.ts";
import { sessionOf } from "../../src/session/client.ts";
import { publication } from "../catalog/publication.ts";
import { ask, get, recordWorld, START } from "./site.ts";
import { brief, record } from "./world.ts";

beforeAll(recordWorld);

test("home compares a version with the one before, and marks only a significant regression", async () => {
  const run = (version: string, n: number, ending: "end" | "crash") =>
    record(ask, brief({ id: `v${version}-${n}`, at: START, product: "editor", version, ending }));
  // 1.10 follows 1.9, not 1.1.
  for (let n = 0; n < 8; n++) await run("1.9", n, n < 1 ? "crash" : "end");
  for (let n = 0; n < 8; n++) await run("1.10", n, n < 2 ? "crash" : "end");
  for (const version of ["1.9", "1.10"])
    for (let n = 0; n < 8; n++) await sessionOf(env, SERVER, `v${version}-${n}`).publish();
  const chance = await get("/");
  expect(chance.html).toMatch(/<\/span> 12\.5 pts vs 1\.9<\/small>/);
  expect(chance.html).not.toContain("crashes more than");
  // A product's first version stands on the line of its name.
  expect(chance.html).toMatch(/>npm run check<\/a><\/th><th scope="row">/);

  for (let n = 8; n < 16; n++) {
    await run("1.10", n, "crash");
    await sessionOf(env, SERVER, `v1.10-${n}`).publish();
  }
  expect((await get("/")).html).toContain(
    "editor 1.10 crashes more than 1.9: 62.5 % vs 12.5 % of sessions.",
  );
});

test("a version is compared with its pre-release, whichever ran last", async () => {
  const run = (version: string, n: number, isCrashed: boolean) =>
    publication(`viewer-${version}-${n}`, {
      session: {
        product: "viewer",
        version,
        created_at: START + n,
        status: isCrashed ? "crashed" : "ended",
        is_open: false,
      },
    });
  for (const [version, crashes] of [
    ["2.0", 6],
    ["2.0-rc.1", 2],
    ["1.9", 0],
  ] as const)
    await publish(
      env.CATALOG,
      ...Array.from({ length: 8 }, (_, n) => run(version, n, n < crashes)),
    );
  const { html } = await get("/");
  const [, viewer = ""] = html.split('href="/sessions?product=viewer"');
  const changes = [...viewer.matchAll(/(up|down)<\/span> ([\d.]+) pts vs ([^<]+)</g)];
  expect(
    changes
      .slice(0, 2)
      .map(([, ...change]) => change.join(" "))
      .toSorted(),
  ).toEqual(["down 25.0 1.9", "down 50.0 2.0-rc.1"]);
  expect(html).toContain("viewer 2.0 crashes more than 2.0-rc.1: 75.0 % vs 25.0 % of sessions.");
});

test("a version whose sessions failed without a crash is no good one", async () => {
  const failed = { status: "ended", is_open: false, failed: true } as const;
  for (const id of ["red-1", "red-2"])
    await publish(env.CATALOG, publication(id, { session: { ...failed, product: "red" } }));
  const { html } = await get("/");
  const row = html.split("<tr>").find((each) => each.includes('href="/sessions?product=red"'));
  const rates = [...(row ?? "").matchAll(/data-level="(\w+)" title="([^"]+)"/g)];
  expect(rates.map(([, level, title]) => [level, title])).toEqual([
    ["good", "2 of 2 sessions did not crash"],
    ["poor", "0 of 2 sessions neither crashed nor failed"],
    ["good", "2 of 2 sessions never hung"],
  ]);
  expect(row).toContain("status=crashed%2Cfailed");
  const listed = (await get("/sessions?product=red&status=crashed,failed")).html;
  expect(listed).toContain('href="/sessions/red-1"');
});

test("sessions without contact are listed apart from running ones", async () => {
  expect((await get("/")).html).not.toContain(">Lost contact</h3>");
  await publish(env.CATALOG, publication("asleep", { session: { status: "suspended" } }));
  await publish(env.CATALOG, publication("awake", { session: { status: "active" } }));
  const { html } = await get("/");
  const [, running = "", silent = ""] = html.split(/id="running-title"|>Lost contact<\/h3>/);
  expect(running).toContain('href="/sessions/awake"');
  expect(running).not.toContain('href="/sessions/asleep"');
  expect(silent).toContain('href="/sessions/asleep"');
});
