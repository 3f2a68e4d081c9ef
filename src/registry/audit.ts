/** The audit list. Its size is bounded by age and number, and in each hour by action, whatever is done how often. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as v from "valibot";
import { Refusal } from "../core/refusal.ts";
import { AUDIT_ACTIONS, type AuditAction } from "../core/vocabulary.ts";
import {
  AUDIT_DAYS,
  AUDIT_ROWS_PER_ACTION,
  AUDIT_ROWS_PER_HOUR,
  MAX_AUDIT_TEXT,
} from "./limits.ts";

const HOUR_MS = 3_600_000;

/** What happened, with the same names and address in one hour. */
export type AuditEntry = {
  action: AuditAction;
  /** Who did it: a key, a sign-in, a person. "": not known, or many. */
  who: string;
  /** The network that the request came from. "": many. */
  address: string;
  /** What it was done to: a session, a key, a sign-in. "": nothing else, or many. */
  subject: string;
  /** The first time in the hour. */
  at: number;
  /** The last time in the hour. */
  last_at: number;
  count: number;
};

/**
 * Adds entries to the list. An equal entry of the same hour is counted in its row. If the hour has too many rows for the action, entries
 * that have none are counted in one row without names.
 */
export async function addToAudit(db: D1Database, entries: Omit<AuditEntry, "last_at">[]) {
  const registry = drizzle(db);
  // One after the other, because each counts the rows before it.
  for (const { action, at, count, ...names } of entries) {
    const hour = Math.floor(at / HOUR_MS);
    const [who, address, subject] = [names.who, names.address, names.subject].map((text) =>
      text.slice(0, MAX_AUDIT_TEXT),
    );
    await registry.run(sql`
      INSERT INTO audit (hour, action, who, address, subject, first_at, last_at, count)
      SELECT ${hour}, ${action}, iif(is_full, '', ${who}), iif(is_full, '', ${address}), iif(is_full, '', ${subject}),
        ${at}, ${at}, ${count}
      FROM (
        SELECT NOT EXISTS (
          SELECT 1 FROM audit WHERE hour = ${hour} AND action = ${action} AND who = ${who}
          AND address = ${address} AND subject = ${subject}
        ) AND (
          SELECT count(*) FROM audit WHERE hour = ${hour} AND action = ${action}
        ) >= ${AUDIT_ROWS_PER_HOUR} AS is_full
      ) WHERE true
      ON CONFLICT DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)`);
  }
}

const Cursor = v.tuple([
  v.number(),
  v.number(),
  ...([v.string(), v.string(), v.string(), v.string()] as const),
]);

/** A page of the list, newest first. `cursor` is the `next` of the page before. */
export async function listAudit(
  db: D1Database,
  limit: number,
  cursor?: string,
): Promise<{ items: AuditEntry[]; next: string | null }> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const rows = await drizzle(db).all<AuditEntry>(sql`
    SELECT action, who, address, subject, first_at AS at, last_at, count FROM audit
    WHERE ${
      after
        ? sql`hour <= ${after[0]} AND (hour, first_at, action, who, address, subject) <
          (${sql.join(
            after.map((value) => sql`${value}`),
            sql`, `,
          )})`
        : sql`true`
    }
    ORDER BY hour DESC, first_at DESC, action DESC, who DESC, address DESC, subject DESC LIMIT ${limit + 1}`);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last ? writeCursor(last) : null;
  return { items, next };
}

/** Removes what is too old, and of each action the hours before its newest AUDIT_ROWS_PER_ACTION rows. */
export async function trimAudit(db: D1Database, now: number): Promise<void> {
  const oldest = Math.floor(now / HOUR_MS) - AUDIT_DAYS * 24;
  const excess = AUDIT_ACTIONS.map((action) =>
    db
      .prepare(
        `DELETE FROM audit WHERE action = ?1 AND hour <
         (SELECT hour FROM audit WHERE action = ?1 ORDER BY hour DESC LIMIT 1 OFFSET ?2)`,
      )
      .bind(action, AUDIT_ROWS_PER_ACTION),
  );
  await db.batch([db.prepare("DELETE FROM audit WHERE hour < ?1").bind(oldest), ...excess]);
}

function writeCursor({ at, action, who, address, subject }: AuditEntry): string {
  const place = JSON.stringify([Math.floor(at / HOUR_MS), at, action, who, address, subject]);
  return new TextEncoder().encode(place).toBase64({ alphabet: "base64url", omitPadding: true });
}

function readCursor(text: string): v.InferOutput<typeof Cursor> {
  try {
    const place = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return v.parse(Cursor, JSON.parse(new TextDecoder().decode(place)));
  } catch {
    throw new Refusal(
      "invalid_query",
      "The cursor is not one of this list: start again without it.",
    );
  }
}
