/**
 * The registry's tables (D1): what people and operators decided, and which sessions exist. Nothing here can be rebuilt, so it is
 * backed up with the sessions, and a rebuild of the catalog changes nothing in it.
 *
 * Rows written are the cost, so there is no secondary index, and all tables are WITHOUT ROWID (see the migrations).
 */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { AUDIT_ACTIONS, GROUP_STATUSES, KEY_KINDS } from "../core/vocabulary.ts";

/** Every session that exists: one row, written with its first publication and deleted with the session. */
export const roster = sqliteTable("roster", {
  id: text().primaryKey(),
  product: text().notNull(), // "" if the program had named none by then
  first_at: integer().notNull(), // epoch milliseconds, like every time here
});

/** API keys: the secret itself is not stored. */
export const keys = sqliteTable("keys", {
  id: text().primaryKey(), // public part of the key
  sha256: text().notNull(), // of the whole key, hex
  kind: text({ enum: KEY_KINDS }).notNull(),
  product: text(), // null: all products
  label: text().notNull(),
  created_at: integer().notNull(),
  revoked_at: integer(),
  continues_others: integer({ mode: "boolean" }).notNull(), // may write into sessions that other keys opened
  origins: text({ mode: "json" }).$type<string[]>().notNull(), // of the only pages that may use it; empty: it is for programs
  used_day: integer(), // day of its last use, days since 1970, UTC
  sessions_per_day: integer(), // the budgets (core/access/budget.ts); null: no limit
  rows_per_day: integer(),
  requests_per_minute: integer(),
  attachment_mib_per_day: integer(),
});

/** The key that signs the pages' cookies. One row; a server makes it when the first person signs in. */
export const signing = sqliteTable("signing", {
  id: integer().primaryKey(), // 1
  key: text().notNull(), // 32 random bytes, base64url
});

/** People who are signed in, one row per browser. A cookie without its row is not valid. */
export const signIns = sqliteTable("sign_ins", {
  id: text().primaryKey(), // part of the cookie, which is valid only with its signature
  address: text().notNull(), // the network that it came from
  started_at: integer().notNull(),
  used_at: integer().notNull(), // exact to an hour, because each change writes a row
});

/**
 * Who did what, for people who check it. Equal entries of an hour are one row with their count, so that a
 * repeated action does not fill the database.
 */
export const audit = sqliteTable(
  "audit",
  {
    hour: integer().notNull(), // hours since 1970
    action: text({ enum: AUDIT_ACTIONS }).notNull(),
    who: text().notNull(), // as access/access.ts names who asks; "" if they are not known
    address: text().notNull(), // the network that the request came from
    subject: text().notNull(), // a session, a key, a sign-in
    first_at: integer().notNull(),
    last_at: integer().notNull(),
    count: integer().notNull(),
  },
  ({ hour, action, who, address, subject }) => [
    primaryKey({ columns: [hour, action, who, address, subject] }),
  ],
);

/** Named views: the query of the session list's address, or the address of another page. */
export const views = sqliteTable("views", {
  name: text().primaryKey(),
  query: text().notNull(),
  created_at: integer().notNull(),
});

/** The latest decision about each exception group. */
export const decisions = sqliteTable(
  "decisions",
  {
    product: text().notNull(),
    fingerprint: text().notNull(),
    status: text({ enum: GROUP_STATUSES }).notNull(),
    resolved_at: integer(),
    resolved_version: text(), // the version that contains the fix
    decided_at: integer().notNull(),
    decided_by: text().notNull(), // as access/access.ts names who asks
  },
  (table) => [primaryKey({ columns: [table.product, table.fingerprint] })],
);

/**
 * Exception groups that people merged into another one, which may be merged again: each row can be undone without losing another. The
 * groups that are shown are those without a row (merges.ts).
 */
export const merges = sqliteTable(
  "merges",
  {
    product: text().notNull(),
    fingerprint: text().notNull(),
    merged_into: text().notNull(), // a fingerprint of the same product
    merged_at: integer().notNull(),
    merged_by: text().notNull(), // as access/access.ts names who asks
  },
  (table) => [primaryKey({ columns: [table.product, table.fingerprint] })],
);

/** Versions of products that have source maps: one row for the object that holds them. */
export const sourceMaps = sqliteTable(
  "source_maps",
  {
    product: text().notNull(),
    version: text().notNull(),
    files: integer().notNull(),
    bytes: integer().notNull(), // compressed, as stored
    uploaded_at: integer().notNull(), // the last change
    checked_at: integer().notNull(), // when the version had sessions last, or the last change
    uploaded_by: text().notNull(), // as access/access.ts names who asks
  },
  (table) => [primaryKey({ columns: [table.product, table.version] })],
);

/** What was written on a day with each API key: rows are what the plans are limited and billed by. */
export const usage = sqliteTable(
  "usage",
  {
    day: integer().notNull(), // days since 1970, UTC, as the plans' limits count
    key: text().notNull(), // id; "" without a key
    sessions: integer().notNull(), // opened
    object_rows: integer().notNull(), // by session objects
    d1_rows: integer().notNull(), // in the catalog and here
    attachment_bytes: integer().notNull(), // of their contents
  },
  (table) => [primaryKey({ columns: [table.day, table.key] })],
);
