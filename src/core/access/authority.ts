/** What a caller may do with a session. Routes check the kind of key; the session object checks the product that it stores. */
import { Refusal } from "../refusal.ts";
import type { KeyKind } from "../vocabulary.ts";

/** The properties of a caller that decide what they may do. */
export type Access = {
  kind: KeyKind;
  /** The only product whose sessions they may read and write; null: all. */
  product: string | null;
  /** The id of their API key; undefined: the admin secret, a person, or this machine. */
  key?: string;
  /** The key may continue sessions and lanes that other keys opened. */
  continuesOthers?: boolean;
  /** Why they may open no session now: a budget of their key is used up. */
  noNewSession?: { message: string; details: Refusal["details"] };
};

/** The opener of what was opened without an API key. */
const NO_KEY = "";

/** The caller as a session stores who opened it. */
export function openerOf({ key }: Access): string {
  return key ?? NO_KEY;
}

/** The server's own jobs. */
export const SERVER: Access = { kind: "admin", product: null };

/** Throws `forbidden` unless the caller's key is of the kind that the action needs. An admin may do everything. */
export function checkKind({ kind }: Access, needed: KeyKind): void {
  if (kind !== "admin" && kind !== needed)
    throw new Refusal("forbidden", `This key may only ${kind}, and this needs ${needed}.`);
}

/** Whether sessions of `owner` are open to the caller. A session without a product is open only to keys for all products. */
export function isOpenTo({ product }: Access, owner: string): boolean {
  return product === null || (owner !== "" && owner === product);
}

/** Throws `forbidden` unless sessions of `owner` are open to the caller. */
export function checkOwner(access: Access, owner: string): void {
  if (isOpenTo(access, owner)) return;
  throw new Refusal(
    "forbidden",
    `This key is for the product "${access.product}", and the session is not of that product.`,
  );
}

/**
 * Throws `forbidden` unless the caller may continue what `opener` opened: an ingest key continues only its own sessions and lanes, or a
 * key that leaked could overwrite what others record. An opener that is not known, because its record was damaged, binds no key.
 */
export function checkOpener(access: Access, opener: string | undefined, what: string): void {
  if (access.kind === "admin" || access.continuesOthers) return;
  if (opener === undefined || opener === openerOf(access)) return;
  throw new Refusal(
    "forbidden",
    `${what} was opened with another key. Under Settings, API keys, allow this key to continue what other keys opened.`,
  );
}

/** Throws `too_many_requests` if a budget of the caller's key allows no further session. */
export function checkMayOpen({ noNewSession }: Access): void {
  if (!noNewSession) return;
  throw new Refusal("too_many_requests", noNewSession.message, noNewSession.details);
}
