import { expect, test } from "vitest";
import { post, server } from "../api/server.ts";
import { game } from "./world.ts";

const ask = server();

test("every link of a session's export menu leads to a file that holds something of it", async () => {
  const batches = game({ id: "to-export", at: Date.now() - 600_000, seconds: 20 });
  expect((await ask("/api/ingest", post({ batches }))).status).toBe(200);
  const html = await (await ask("/sessions/to-export")).text();
  const links = [...html.matchAll(/href="(\/api\/sessions\/to-export\/export[^"]*)"/g)].map(
    ([, href = ""]) => href.replaceAll("&amp;", "&"),
  );
  expect(links.length).toBeGreaterThan(9);
  expect(new Set(links).size).toBe(links.length);
  for (const link of links) {
    const response = await ask(link);
    expect(response.status, link).toBe(200);
    expect(
      new TextDecoder().decode(await response.arrayBuffer()).split("\n").length,
      link,
    ).toBeGreaterThan(5);
  }
});
