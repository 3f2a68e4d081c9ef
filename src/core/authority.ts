/** What a caller may do with a session. Routes check the kind of key; the session object checks the product that it stores. */
import { Refusal } from "./refusal.ts";
import type { KeyKind } from "./vocabulary.ts";

/** The properties of a caller that decide what they may do. */
export type Access = {
  kind: KeyKind;
  /** The only product whose sessions they may read and write; null: all. */
  product: string | null;
};

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
