/** What a server shows to those who have not signed in. */
import { beforeAll, expect, test } from "vitest";
import { server } from "../api/server.ts";
import { recordWorld } from "./site.ts";

beforeAll(recordWorld);

test("a locked server shows how to unlock it, and nothing else", async () => {
  const locked = server({});
  const answer = await locked("/sessions/broken");
  expect(answer.status).toBe(403);
  const html = await answer.text();
  expect(html).toContain("npx wrangler secret put ADMIN_SECRET");
  expect(html).not.toContain("MemoryError");
});

test("a deployed server asks for its secret, and then shows the requested page", async () => {
  const origin = "https://datacat.example.org";
  const deployed = server({ ADMIN_SECRET: "correct horse battery staple" }, origin);
  const away = await deployed("/sessions/broken?t=5", { redirect: "manual" });
  expect(away.headers.get("location")).toBe(
    `/login?back=${encodeURIComponent("/sessions/broken?t=5")}`,
  );
  const fragment = await deployed("/sessions/broken/events", { headers: { "hx-request": "true" } });
  expect(fragment.status).toBe(401);

  const signIn = (secret: string) =>
    deployed("/login", {
      method: "POST",
      body: new URLSearchParams({ secret, back: "/sessions/broken?t=5" }),
      headers: { origin },
      redirect: "manual",
    });
  expect((await signIn("wrong")).status).toBe(403);
  const in_ = await signIn("correct horse battery staple");
  expect(in_.headers.get("location")).toBe("/sessions/broken?t=5");
  const cookie = in_.headers.get("set-cookie")?.split(";")[0] ?? "";
  const page = await deployed("/sessions/broken", { headers: { cookie } });
  expect(page.status).toBe(200);
  const foreign = await deployed("/logout", {
    method: "POST",
    headers: { cookie, origin: "https://evil.example" },
  });
  expect(foreign.status).toBe(403);
});
