/** The options of `datacat sessions` as the parameters of the API's search, and what is printed of a list that stopped early. */
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { programFor } from "../../../daemon/cli/program.ts";

const asked: URLSearchParams[] = [];
let answer: object = {};
const server = createServer((request, response) => {
  asked.push(new URL(request.url ?? "/", "http://localhost").searchParams);
  response.end(JSON.stringify(answer));
});
const home = mkdtempSync(join(tmpdir(), "datacat-sessions-"));

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("DATACAT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("DATACAT_HOME", home);
  vi.stubEnv("DATACAT_KEY", "key");
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

async function sessions(page: object, ...options: string[]) {
  answer = page;
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const program = await programFor(["sessions"]);
    await program.parseAsync(["sessions", ...options], { from: "user" });
  } finally {
    write.mockRestore();
  }
  return { query: Object.fromEntries(asked.at(-1) ?? []), text: written.join("") };
}

const NONE = { items: [], next: null, searched_to: null, published_to: null, partial: false };

test.each([
  [["--event", "ev, 1"], { event: "ev, 1" }],
  [["--exception", "abc"], { exception: "abc" }],
  [["--metric", "m"], { metric: "m" }],
  [["--tag", "a,b"], { tag: "a,b" }],
  [["--state-path", "a\\.b"], { state_path: "a\\.b" }],
  [
    ["--state-path", "a", "--state-value", "1.10", "--state-type", "string"],
    { state_path: "a", state_value: "1.10", state_type: "string" },
  ],
  [["--version-label", "1.0"], { version: "1.0" }],
  [["--cursor", "next"], { cursor: "next" }],
])("%j asks the server for %j", async (options, query) => {
  expect((await sessions(NONE, ...options)).query).toEqual({
    limit: "20",
    found: "true",
    ...query,
  });
});

test("none is printed only if every session was looked at, otherwise how far the list looked", async () => {
  expect((await sessions(NONE)).text).toBe("No sessions.\n");
  const at = Date.UTC(2026, 0, 5, 12);
  const { text } = await sessions({ ...NONE, next: "place", searched_to: at, partial: true });
  expect(text).toContain("No sessions so far.");
  expect(text).toContain("Searched back to 2026-01-05");
  expect(text).toContain("--cursor place");
  const recent = await sessions({ ...NONE, published_to: at });
  expect(recent.text).toContain("No sessions.");
  expect(recent.text).toContain("What was recorded after 2026-01-05");
});
