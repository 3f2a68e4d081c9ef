/** The forms of pages: what they read, and where they lead. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_FORM_BYTES } from "../../src/pages/limits.ts";
import { ownPath } from "../../src/pages/form.ts";
import { server } from "../api/server.ts";

const ORIGIN = "https://datacat.example.org";
const deployed = server({ ADMIN_SECRET: "correct horse battery staple" }, ORIGIN);
const ask = server();

test.each([
  ["/", "/"],
  ["/sessions?product=a&within=day#list", "/sessions?product=a&within=day#list"],
  ["/sessions/../metrics?metric=%22..%22", "/metrics?metric=%22..%22"],
  ["//evil.example", "/"],
  ["///evil.example", "/"],
  ["/\\evil.example", "/"],
  ["\\\\evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/\n/evil.example", "/"],
  ["\t//evil.example", "/"],
  ["/.//evil.example", "/"],
  ["/..//evil.example", "/"],
  ["/a/..//evil.example", "/"],
  ["/%2e//evil.example", "/"],
  ["https://evil.example", "/"],
  ["https:evil.example", "/"],
  ["http:///evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["data:text/html,x", "/"],
  ["//[", "/"],
])("the address %j leads to %j", (back, path) => {
  expect(ownPath(back)).toBe(path);
});

test("no address leads to another server", () => {
  const part = fc.constantFrom(
    "/",
    "\\",
    "\t",
    "\n",
    "\r",
    ".",
    "..",
    "%2f",
    "%09",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    " ",
    "\u0000",
    "evil.example",
    "https:",
    "//",
    "／",
    "javascript:",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const { origin, href } = new URL(ownPath(parts.join("")), ORIGIN);
      expect(origin, href).toBe(ORIGIN);
    }),
    { numRuns: 2_000 },
  );
});

const FORMS = [
  "/login",
  "/preferences",
  "/views",
  "/views/delete",
  "/settings/keys",
  "/exceptions/f",
  "/exceptions/merges",
  "/exceptions/f/split",
];

test.each(FORMS)("%s refuses a body that is no form, or is too large", async (path) => {
  const send = (type: string, body: BodyInit) =>
    ask(path, { method: "POST", headers: { "content-type": type }, body, redirect: "manual" });
  for (const type of [
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/json",
  ])
    expect((await send(type, "--x\r\nfoo")).status, type).toBe(400);
  const form = "application/x-www-form-urlencoded";
  expect((await send(form, "a".repeat(MAX_FORM_BYTES + 1))).status).toBe(413);
  for (const body of ["%", "%ff=%zz", "&&&=&", "secret=%00&name=%EF%BF%BE", "\u0000"])
    expect((await send(form, body)).status, body).toBeLessThan(500);
});

test("no more of a body is read than a form may have, also before the sign-in", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 16_384;
      controller.enqueue(new Uint8Array(16_384));
      if (sent > 30e6) controller.close();
    },
  });
  const answer = await deployed("/login", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: ORIGIN },
    body: endless,
  });
  expect(answer.status).toBe(413);
  expect(sent).toBeLessThan(10 * MAX_FORM_BYTES);
});

test("a status is asked for any number of times", async () => {
  const statuses = "status=crashed&".repeat(3_000);
  expect((await ask(`/sessions?${statuses}`)).status).toBe(200);
  expect((await ask(`/api/sessions?${statuses}`)).status).toBe(200);
});

test("a query of too many filters, or of too many values of one, is refused", async () => {
  const many = Array.from({ length: 3_000 }, (_, n) => `status=s${n}`).join("&");
  const filters = Array.from({ length: 3_000 }, (_, n) => `text=t${n}`).join("&");
  const values = Array.from({ length: 60 }, (_, n) => `tags=t${n}`).join("&");
  const terms = Array.from({ length: 60 }, (_, n) => `t${n}`).join("+");
  for (const query of [many, filters]) {
    expect((await ask(`/sessions?${query}`)).status).toBe(400);
    expect((await ask(`/exceptions?${query}`)).status).toBe(400);
    expect((await ask(`/api/sessions?${query}`)).status).toBe(400);
  }
  expect((await ask(`/api/metrics/fps?${values}`)).status).toBe(400);
  for (const path of ["/api/sessions", "/api/exceptions", "/sessions", "/exceptions"])
    expect([200, 400]).toContain((await ask(`${path}?text=${terms}`)).status);
});
