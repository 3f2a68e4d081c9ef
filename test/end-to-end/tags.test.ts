/** Tags from every place that gives some, to every place that asks for them: real command, daemon, client and server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventRow } from "../../src/core/answers/events.ts";
import type { Page } from "../../src/core/answers/page.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import { eventually, World } from "./world.ts";

test("tags of the machine, the environment, the command and its program are those of one session", async () => {
  await using world = await World.make();
  mkdirSync(join(world.folder, "home"), { mode: 0o700 });
  writeFileSync(join(world.folder, "home", "config.json"), '{"tags":{"rack":7}}', { mode: 0o600 });
  const client = new URL("../../clients/typescript/node.ts", import.meta.url).href;
  const program = join(world.folder, "program.mjs");
  writeFileSync(
    program,
    `import { open } from ${JSON.stringify(client)};
     const session = open({ tags: { part: "child" } });
     session.logEvent("door_opened", { tags: { room: "attic" } });
     session.logEvent("door_opened", { tags: { room: "cellar", locked: true } });
     for (const core of [0, 1]) session.gauge("load", 10 * core, { tags: { core } });
     session.addTags({ result: "won" });`,
  );
  await world.startServer();
  const env = { DATACAT_TAGS: "nightly" };
  await world.run(["run", "--tag", "branch=main", "--", process.execPath, program], { env });
  const { id } = await world.findSession(({ status }) => status === "ended");

  const tags = await eventually(async () => {
    const found = (await world.summary(id)).tags;
    return found.includes("result:won") ? found : undefined;
  });
  expect(tags.toSorted()).toEqual(["branch:main", "nightly", "part:child", "rack:7", "result:won"]);
  expect((await world.summary(id)).ledger.dropped).toEqual({});

  const events = async (asked: string) =>
    (await world.get<Page<EventRow>>(`/api/sessions/${id}/events?tag=${asked}`)).items.map(
      ({ labels }) => labels?.join(),
    );
  expect(await events("room:attic")).toEqual(["room:attic"]);
  expect(await events("room")).toEqual(["room:attic", "room:cellar,locked"]);
  expect(await events("locked")).toEqual(["room:cellar,locked"]);
  expect(await events("attic")).toEqual([]);
  const loads = (await world.series(id)).filter(({ name }) => name === "load");
  expect(loads.map((series) => series.tags)).toEqual([["core:0"], ["core:1"]]);

  const listed = async (...asked: string[]) =>
    (JSON.parse((await world.run(["sessions", ...asked, "--json"])).stdout) as Page<SessionRow>)
      .items.length;
  await eventually(async () => ((await listed("tag.result:won")) === 1 ? true : undefined));
  expect(await listed("--tag", "branch=main")).toBe(1);
  expect(await listed("--tag", "branch=other")).toBe(0);
  expect(await listed("tag.rack:7 tag.branch")).toBe(1);
  const { stdout } = await world.run(["show", id]);
  expect(stdout).toContain("[branch:main]");
  expect(stdout).toContain("load [core:1]");
});
