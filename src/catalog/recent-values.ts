/** Values that the newest sessions have: suggestions for fields that no table of names has. At most SUGGESTED_SESSIONS rows are read. */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { readTag } from "../core/text/tag.ts";
import { startsWith } from "./search/matching.ts";
import { allRows, columnOf } from "./tables/details.ts";
import { TOKEN } from "./tables/posting.ts";
import { MAX_NAMES, SUGGESTED_SESSIONS } from "./limits.ts";

/** Columns of a session's row that have a text. */
const OF_ROW = {
  machine: "hostname",
  os: "os",
  language: "language",
  browser: "browser",
  signal: "signal",
} as const;

/** Lists of its details, by what `has:` calls them. */
const OF_LISTS = {
  test: { list: "tests", column: "last" },
  attachment: { list: "attachments", column: "name" },
} as const;

/** Different values of a field of the query for sessions that begin with this text; none for other fields. */
export async function recentValues(
  db: D1Database,
  field: string,
  prefix: string,
): Promise<string[]> {
  if (field === "tag") return (await recentTags(db)).filter((tag) => tag.startsWith(prefix));
  if (Object.hasOwn(OF_ROW, field)) {
    const column = sql.raw(OF_ROW[field as keyof typeof OF_ROW]); // as: it has this key
    return texts(
      db,
      sql`SELECT DISTINCT ${column} AS text FROM (SELECT ${column} FROM sessions ORDER BY key DESC LIMIT ${SUGGESTED_SESSIONS})
          WHERE ${column} <> '' AND ${startsWith(column, prefix)} LIMIT ${MAX_NAMES}`,
    );
  }
  if (!Object.hasOwn(OF_LISTS, field)) return [];
  const { list, column } = OF_LISTS[field as keyof typeof OF_LISTS]; // as: it has this key
  const text = sql.raw(columnOf(list, column));
  return texts(
    db,
    sql`SELECT DISTINCT ${text} AS text FROM (SELECT postings.rowid AS key FROM postings WHERE postings MATCH ${TOKEN.has(field)}
          ORDER BY postings.rowid DESC LIMIT ${SUGGESTED_SESSIONS}) AS found
        CROSS JOIN details AS d ON d.key = found.key CROSS JOIN ${allRows(list)}
        WHERE ${startsWith(text, prefix)} LIMIT ${MAX_NAMES}`,
  );
}

/** Values of the tags with a key. */
export async function recentTagValues(db: D1Database, key: string): Promise<string[]> {
  const tags = (await recentTags(db)).map(readTag);
  return tags.flatMap((tag) => (tag.key === key && tag.value !== "" ? [tag.value] : []));
}

async function recentTags(db: D1Database): Promise<string[]> {
  return texts(
    db,
    sql`SELECT DISTINCT tag.value AS text FROM (SELECT tags FROM sessions ORDER BY key DESC LIMIT ${SUGGESTED_SESSIONS}) AS s
        CROSS JOIN json_each(s.tags) AS tag LIMIT ${MAX_NAMES}`,
  );
}

async function texts(db: D1Database, query: SQL): Promise<string[]> {
  return (await drizzle(db).all<{ text: string }>(query)).map(({ text }) => text);
}
