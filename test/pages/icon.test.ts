import { expect, test } from "vitest";
import { server } from "../api/server.ts";

const ask = server();

test("a browser that requests /favicon.ico gets an icon", async () => {
  const asked = await ask("/favicon.ico", { redirect: "manual" });
  const icon = await ask(asked.headers.get("location") ?? "");
  expect([asked.status, icon.headers.get("content-type")]).toEqual([301, "image/svg+xml"]);
});
