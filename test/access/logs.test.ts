/** What the server logs, and where it sends a browser: no key, secret or token is in it. */
import { expect, test, vi } from "vitest";
import { post, server } from "../api/server.ts";
import { bearer, HOME, newKey, SECRET, signIn } from "./world.ts";

/** A binding of which each use fails. */
const broken = new Proxy(
  {},
  {
    get: () => () => {
      throw new Error("no such binding");
    },
  },
) as never;

test("keys, secrets, tokens and cookies are in no line of the log and in no redirect", async () => {
  const lines: unknown[] = [];
  for (const method of ["error", "warn", "log", "info", "debug"] as const)
    vi.spyOn(console, method).mockImplementation((...line) => void lines.push(...line));
  const origin = "https://game.example.org";
  const { key } = await newKey({ kind: "ingest", product: "game", origins: [origin] });
  const { cookie } = await signIn();
  const wrong = "dc_admin_000000000000.".padEnd(65, "W");
  const batches = [{ session: "logs", lane: "l", first: 1, last: 1, ops: [{ op: "end", at: 1 }] }];
  const redirects: string[] = [];
  for (const part of ["SESSIONS", "REGISTRY"]) {
    const settings = { ADMIN_SECRET: SECRET, [part]: broken };
    const [deployed, others] = [server(settings, HOME), server({ ...settings, LOCAL: "others" })];
    for (const [ask, path, init] of [
      [deployed, `/api/ingest?key=${key}`, post({ batches }, { origin })],
      [deployed, `/api/ingest?key=${wrong}`, post({ batches }, { origin })],
      [deployed, "/api/sessions", { headers: bearer(wrong) }],
      [deployed, "/api/sessions", { headers: bearer(SECRET) }],
      [deployed, `/sessions?token=${SECRET}`, { headers: { cookie } }],
      [others, `/sessions?token=${SECRET}`, {}],
      [others, `/sessions?token=${wrong}`, {}],
    ] as const) {
      const answer = await ask(path, { ...init, redirect: "manual" });
      redirects.push(answer.headers.get("location") ?? "");
      await answer.text();
    }
  }
  vi.restoreAllMocks();
  const text = lines
    .map((line) => (line instanceof Error ? `${line.stack} ${String(line.cause)}` : String(line)))
    .join("\n");
  expect(text).toContain("no such binding");
  const value = cookie.slice(cookie.indexOf("=") + 1);
  for (const secret of [key, wrong, SECRET, encodeURIComponent(SECRET), value]) {
    expect(text).not.toContain(secret);
    // A deployed server takes no token from an address. One that a person typed there leads back to it after the sign-in.
    expect(redirects.filter((at) => !at.startsWith("/login")).join("\n")).not.toContain(secret);
  }
});
