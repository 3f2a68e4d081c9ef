/**
 * Identifies who sends a request to the API or a page, and what they may do:
 *
 *   locally            everything, for programs of the user who started the server
 *   Bearer token       ADMIN_SECRET, or an API key of its kind and product
 *   Cloudflare Access  everything: its own policy has admitted the caller
 *   the pages' cookie  everything, until its sign-in ends: it was set for the right ADMIN_SECRET
 */
import type { Context, MiddlewareHandler } from "hono";
import { type Access, checkKind } from "../core/access/authority.ts";
import type { Budgets } from "../core/access/budget.ts";
import { Refusal } from "../core/refusal.ts";
import type { KeyKind } from "../core/vocabulary.ts";
import { type Env, isLocal } from "../env.ts";
import { recordRefused } from "./audit.ts";
import { Spending } from "./budget.ts";
import { nameOf, signedIn } from "./cookie.ts";
import { isKey, recognise } from "./key.ts";
import type { SignIn } from "../registry/sign-ins.ts";
import { isSame } from "./secret.ts";
import { weakness } from "./strength.ts";
import { checkAttempts, countWrongKey, noteWrongSecret } from "./wrong-keys.ts";

type Caller = Access & {
  /** Shown in settings: "this machine", "admin secret", "key 3f…", "ada@example.org", "sign-in 9Bq…". */
  by: string;
  /** Of their API key; undefined without one. */
  budgets?: Budgets;
  /** Of the pages' cookie. */
  signIn?: SignIn;
};

export type AccessEnv = { Bindings: Env; Variables: { access: Caller; spending: Spending } };

/** Why the server refuses every request: it has no secret to check, or one that could be guessed. Undefined: it does not. */
export function lockedBecause(c: Context): string | undefined {
  const env = c.env as Env; // Hono's default Context knows no bindings
  const { ADMIN_SECRET } = env;
  if (env.LOCAL === "1" || throughAccess(c)) return undefined;
  if (!ADMIN_SECRET) return "This server has no admin secret yet";
  // The token of npm start is random.
  const weak = isLocal(env) ? undefined : weakness(ADMIN_SECRET);
  return weak && `The admin secret of this server is too weak: ${weak}`;
}

/** Refuses requests without a key of this kind, and sets `c.var.access`. An admin may do everything. */
export function requires(kind: KeyKind): MiddlewareHandler<AccessEnv> {
  return async (c, next) => {
    const access = await identify(c);
    if (!access) {
      if (c.req.header("authorization") !== undefined || keyInAddress(c) !== undefined)
        recordRefused(c, "key_refused");
      await countWrongKey(c);
      throw new Refusal(
        "unauthorized",
        "This needs an API key: send `Authorization: Bearer <key>`.",
      );
    }
    checkKind(access, kind);
    c.set("access", access);
    await next();
  };
}

/** Who records: needs a key of kind ingest, and room in its budgets. Sets `c.var.spending`, which the route counts its cost in. */
export const records: MiddlewareHandler<AccessEnv> = async (c, next) => {
  await requires("ingest")(c, async () => {
    const { key, budgets } = c.var.access;
    const spending = new Spending(key, budgets, Date.now());
    c.set("spending", spending);
    try {
      await next();
    } finally {
      spending.close();
    }
  });
};

/** Refuses keys for one product where something concerns all products. After `requires`. */
export const requiresAllProducts: MiddlewareHandler<AccessEnv> = async (c, next) => {
  if (c.var.access.product !== null)
    throw new Refusal("forbidden", "This needs a key for all products.");
  await next();
};

/** Who sends the request; undefined without a valid key, cookie or identity. */
async function identify(c: Context<AccessEnv>): Promise<Caller | undefined> {
  if (c.env.LOCAL === "1") return identifyVisitor(c);
  const header = c.req.header("authorization");
  if (header === undefined) {
    const key = keyInAddress(c);
    return key === undefined ? identifyVisitor(c) : recognise(c, key, true);
  }
  const token = /^Bearer +(.+)$/i.exec(header)?.[1] ?? "";
  if (isKey(token)) return recognise(c, token, false);
  if (!isLocal(c.env) && isFromElsewhere(c)) return undefined;
  checkAttempts(c);
  const { ADMIN_SECRET } = c.env;
  if (ADMIN_SECRET && (await isSame(token, ADMIN_SECRET)))
    return { kind: "admin", product: null, by: "admin secret" };
  noteWrongSecret(c);
  return undefined;
}

/** Whether a page of another site sends it: with wrong secrets it would shut out those of its visitor's network. */
function isFromElsewhere(c: Context): boolean {
  const origin = c.req.header("origin");
  return origin !== undefined && origin !== new URL(c.req.url).origin;
}

/** The person who opens a page; undefined if they have to sign in. A page takes no key: a key is for programs. */
export async function identifyVisitor(c: Context<AccessEnv>): Promise<Caller | undefined> {
  if (c.env.LOCAL === "1") return { kind: "admin", product: null, by: "this machine" };
  const through = throughAccess(c);
  if (through) {
    const identity = await through.getIdentity();
    return { kind: "admin", product: null, by: identity?.email ?? "Cloudflare Access" };
  }
  const found = await signedIn(c);
  return found && { kind: "admin", product: null, by: nameOf(found), signIn: found };
}

/** A page that is being closed sends by sendBeacon, which can set no header, so ingest takes `?key=` too. */
export function keyInAddress(c: Context): string | undefined {
  return c.req.path === "/api/ingest" ? c.req.query("key") : undefined;
}

/** Cloudflare Access, if it has admitted the request to this application. */
function throughAccess(c: Context): CloudflareAccessContext | undefined {
  const { ACCESS_AUDIENCE } = c.env as Env;
  const { access } = contextOf(c);
  if (!access || (ACCESS_AUDIENCE && access.aud !== ACCESS_AUDIENCE)) return undefined;
  return access;
}

function contextOf(c: Context): Partial<ExecutionContext> {
  try {
    return c.executionCtx as Partial<ExecutionContext>; // Hono's own type is of every platform, and leaves this out
  } catch {
    return {}; // a test without one
  }
}
