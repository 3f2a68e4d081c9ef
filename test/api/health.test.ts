/** What /health and the Settings page state of a setting that is wrong. */
import { expect, test } from "vitest";
import { server } from "./server.ts";

const wrong = server({ LOCAL: "1", DATACAT_REDACT: '{"prefixes":[{"prefix":"(a+)+"}]}' });

test("a wrong setting of redaction is stated, in detail to those who are signed in only", async () => {
  const health = await wrong("/health");
  expect(health.status).toBe(200); // it records
  const text = await health.text();
  expect(JSON.parse(text)).toMatchObject({ status: "degraded", settings: "wrong" });
  expect(text).toContain("DATACAT_REDACT is wrong");
  expect(text).not.toContain("prefixes");
  const page = await (await wrong("/settings")).text();
  expect(page).toContain("prefixes.0.prefix: 3 to 32 letters, digits, _, - and .");
});

test("a right one is listed by its numbers", async () => {
  const right = server({ LOCAL: "1", DATACAT_REDACT: '{"names":["badge"],"keep":["data.a"]}' });
  const page = await (await right("/settings")).text();
  expect(page).toContain("Built-in rules, 0 own formats, 1 own name, 1 exception");
});
