/** The comparison of sessions. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import { sessionOf } from "../../src/session/client.ts";
import { ask, get, recordWorld, START } from "./site.ts";
import { brief, record } from "./world.ts";

beforeAll(recordWorld);

test("a session without the event is named, and not in the plots", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&ids=command&align=event&event=autosave");
  expect(html).toContain("C has no event “autosave”");
  expect(html).toContain("Without C: no event “autosave”.");
  expect(html).not.toMatch(/<path class="plot-line" data-line="2" data-points/);
  const none = await get("/compare?ids=broken&ids=well&align=event&event=nothing");
  expect(none.html).toContain("None of these sessions has an event “nothing”");
});

test("a comparison draws means with a band from least to most, on one axis for all plots", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&align=end");
  expect(html).toContain('class="plot-band"');
  const axes = [...html.matchAll(/<figure[^>]* data-from="([^"]+)" data-to="([^"]+)"/g)].map(
    ([, from, to]) => [Number(from), Number(to)],
  );
  expect(axes).toHaveLength(7);
  expect(new Set(axes.map(String)).size).toBe(1);
  expect(axes[0]).toEqual([-140_000, 0]);
});

test("a session is compared with the newest good one of its version, else of its product", async () => {
  const run = async (id: string, version: string, ending: "end" | "crash") => {
    await record(ask, brief({ id, at: START, product: "shop", version, ending }));
    await sessionOf(env, SERVER, id).publish();
  };
  const of = async (id: string) =>
    (await get(`/compare?ids=${id}&with=good`)).headers.get("location");
  await run("bad", "1.1", "crash");
  expect(await of("bad")).toBeNull();
  expect((await get("/compare?ids=bad&with=good")).html).toContain(
    "No recent session of this product ended without an error.",
  );
  await run("older", "1.0", "end");
  expect(await of("bad")).toBe("/compare?ids=bad%2Colder");
  await run("same", "1.1", "end");
  expect(await of("bad")).toBe("/compare?ids=bad%2Csame");
  expect((await get("/compare?ids=unknown&with=good")).status).toBe(404);
});

test("of more than five sessions the first are compared, and the page states it", async () => {
  const { html } = await get("/compare?ids=broken,well,spicy,command,e,f,g");
  expect(html).toContain("The first 5 of 7 are compared");
});

test("two sessions are compared with only their differences", async () => {
  const { html } = await get("/compare?ids=broken&ids=well&align=end");
  expect(html).toContain("world.allocating.mib");
  expect(html).not.toContain("renderer.backend");
  expect((await get("/compare?ids=broken&ids=nothing")).html).toContain("No session has these ids");
});
