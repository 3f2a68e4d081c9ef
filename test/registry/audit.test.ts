import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { addToAudit, type AuditEntry, listAudit, trimAudit } from "../../src/registry/audit.ts";
import {
  AUDIT_DAYS,
  AUDIT_ROWS_PER_ACTION,
  AUDIT_ROWS_PER_HOUR,
} from "../../src/registry/limits.ts";

const HOUR = 3_600_000;
const now = 500_000 * HOUR + 5 * 60_000;
const db = env.REGISTRY;

afterEach(async () => void (await db.exec("DELETE FROM audit")));

const entry = (more: Partial<AuditEntry> = {}) => ({
  action: "session_exported" as const,
  who: "key a",
  address: "203.0.113.0/24",
  subject: "session s",
  at: now,
  count: 1,
  ...more,
});

async function all(limit = 1_000): Promise<AuditEntry[]> {
  const items: AuditEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await listAudit(db, limit, cursor);
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

test("equal entries of an hour are one row with their count, first and last time", async () => {
  await addToAudit(db, [entry(), entry({ at: now + 1_000, count: 3 }), entry({ at: now + HOUR })]);
  await addToAudit(db, [entry({ subject: "session t" })]);
  expect(await all()).toEqual([
    { ...entry({ at: now + HOUR }), last_at: now + HOUR },
    { ...entry({ subject: "session t" }), last_at: now },
    { ...entry({ count: 4 }), last_at: now + 1_000 },
  ]);
});

test("an action writes few rows in an hour; the rest is counted without names", async () => {
  const many = Array.from({ length: AUDIT_ROWS_PER_HOUR + 20 }, (_, n) =>
    entry({ subject: `session ${n}` }),
  );
  await addToAudit(db, many);
  await addToAudit(db, [entry({ subject: "session 1" }), entry({ action: "session_deleted" })]);
  const exported = (await all()).filter(({ action }) => action === "session_exported");
  expect(exported.length).toBe(AUDIT_ROWS_PER_HOUR + 1);
  expect(exported.reduce((sum, { count }) => sum + count, 0)).toBe(many.length + 1);
  expect(exported.find(({ who }) => who === "")).toMatchObject({ count: 20, subject: "" });
  expect(exported.find(({ subject }) => subject === "session 1")?.count).toBe(2);
  expect((await all()).length).toBe(exported.length + 1);
});

test("every page continues at the entry after the last one, and none is listed twice", async () => {
  const entries = Array.from({ length: 40 }, (_, n) =>
    entry({ at: now - Math.floor(n / 7) * HOUR + (n % 3), subject: `session ${n}` }),
  );
  await addToAudit(db, entries);
  const whole = await all();
  expect(whole.length).toBe(40);
  expect(whole.map(({ at }) => at)).toEqual(whole.map(({ at }) => at).toSorted((a, b) => b - a));
  for (const limit of [1, 3, 7, 40]) expect(await all(limit)).toEqual(whole);
  for (const cursor of ["", "x", "e30", "!!!"])
    await expect(listAudit(db, 10, cursor)).rejects.toThrow("not one of this list");
});

test("old entries and too many of one action are removed; others stay", async () => {
  await db.exec(
    `INSERT INTO audit WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ${AUDIT_ROWS_PER_ACTION + 50}) SELECT ${500_000} - n, 'key_refused', '', n, '', ${now} - n * ${HOUR}, ${now}, 1 FROM many`,
  );
  await addToAudit(db, [
    entry({ at: now - AUDIT_DAYS * 24 * HOUR, subject: "at the limit" }),
    entry({ at: now - (AUDIT_DAYS * 24 + 1) * HOUR, subject: "too old" }),
  ]);
  await trimAudit(db, now);
  const left = await all();
  const refused = left.filter(({ action }) => action === "key_refused");
  expect(refused.length).toBe(AUDIT_ROWS_PER_ACTION + 1); // with the whole of the last hour
  expect(left.filter(({ action }) => action !== "key_refused")).toMatchObject([
    { subject: "at the limit" },
  ]);
});
