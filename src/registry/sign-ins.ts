/** Who is signed in, and the key that signs their cookies. */
import { and, desc, eq, lt, lte, ne, notInArray, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_SIGN_INS } from "./limits.ts";
import { signing, signIns } from "./schema.ts";

/** One browser in which a person signed in. */
export type SignIn = {
  id: string;
  /** The network that it came from. */
  address: string;
  started_at: number;
  /** Its last use, exact to an hour. */
  used_at: number;
};

/** The server's signing key. The first call stores `candidate`; of several at once, all return the one that was stored first. */
export async function signingKey(db: D1Database, candidate: string): Promise<string> {
  const registry = drizzle(db);
  const read = () => registry.select({ key: signing.key }).from(signing).where(eq(signing.id, 1));
  const [stored] = await read();
  if (stored) return stored.key;
  await registry.insert(signing).values({ id: 1, key: candidate }).onConflictDoNothing();
  const [made] = await read();
  return made?.key ?? candidate;
}

/** Stores a sign-in, and removes those that were last used before `usedAfter` or are too many. */
export async function storeSignIn(
  db: D1Database,
  signIn: SignIn,
  usedAfter: number,
): Promise<void> {
  const registry = drizzle(db);
  const newest = registry
    .select({ id: signIns.id })
    .from(signIns)
    .orderBy(desc(signIns.used_at))
    .limit(MAX_SIGN_INS);
  await registry.batch([
    registry.insert(signIns).values(signIn),
    registry
      .delete(signIns)
      .where(or(lte(signIns.used_at, usedAfter), notInArray(signIns.id, newest))),
  ]);
}

export async function findSignIn(db: D1Database, id: string): Promise<SignIn | undefined> {
  const [signIn] = await drizzle(db).select().from(signIns).where(eq(signIns.id, id));
  return signIn;
}

/** Those that were used after this time, the last used first. */
export async function listSignIns(db: D1Database, usedAfter: number): Promise<SignIn[]> {
  const all = await drizzle(db).select().from(signIns).orderBy(desc(signIns.used_at));
  return all.filter(({ used_at }) => used_at > usedAfter);
}

/** Stores that a browser was used, if no other request has done so since `before`. */
export async function renewSignIn(
  db: D1Database,
  id: string,
  now: number,
  before: number,
): Promise<void> {
  await drizzle(db)
    .update(signIns)
    .set({ used_at: now })
    .where(and(eq(signIns.id, id), lt(signIns.used_at, before)));
}

export async function endSignIn(db: D1Database, id: string): Promise<void> {
  await drizzle(db).delete(signIns).where(eq(signIns.id, id));
}

/** Ends every sign-in but that with the id `kept`; returns how many. */
export async function endSignIns(db: D1Database, kept: string | undefined): Promise<number> {
  const ended = await drizzle(db)
    .delete(signIns)
    .where(kept === undefined ? undefined : ne(signIns.id, kept))
    .returning({ id: signIns.id });
  return ended.length;
}
