/** The page addresses of datacat 1.x lead to ours. */
import { describe, expect, test } from "vitest";
import { movedQuery } from "../../src/pages/moved.ts";
import { open, server } from "../api/server.ts";

const ask = server();

async function follow(path: string): Promise<[number, string | null]> {
  const answer = await ask(path, { redirect: "manual" });
  return [answer.status, answer.headers.get("location")];
}

test("the page of a session", async () => {
  const id = await open(ask);
  expect(await follow(`/session/${id}`)).toEqual([302, `/sessions/${id}`]);
  expect((await ask(`/sessions/${id}`)).status).toBe(200);
  expect(await follow("/session/a%2Fb")).toEqual([302, "/sessions/a%2Fb"]);
});

test("the list with a query of 1.x, and no other", async () => {
  expect(await follow("/sessions?product=game&status=hung&page=2")).toEqual([
    302,
    "/sessions?product=game&status=hung",
  ]);
  expect((await follow("/sessions?product=game&status=hung"))[0]).toBe(200);
});

describe("the query of 1.x's list", () => {
  const now = Date.UTC(2026, 0, 31);
  test.each([
    ["time_range=1d", { from: now - 86_400_000 }],
    ["time_range=3m&sort=metrics&order=asc", { from: now - 90 * 86_400_000, sort: "points" }],
    ["time_range=all&start_time=2026-01-01T00:00", { from: undefined, to: undefined }],
    [
      "time_range=custom&start_time=2026-01-01T00:00&end_time=2026-01-02T00:00",
      { from: "2026-01-01T00:00", to: "2026-01-02T00:00" },
    ],
    ["state_key=level&state_value=3", { path: "level", value: "3" }],
    [
      "state_key=&state_value=3&event_name=door",
      { path: undefined, value: undefined, event: "door" },
    ],
  ])("%s", (query, expected) => {
    expect(movedQuery(new URLSearchParams(query), now)).toMatchObject(expected);
  });
});
