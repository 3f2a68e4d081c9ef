import { expect, test } from "vitest";
import {
  type Access,
  checkKind,
  checkOpener,
  checkOwner,
  isOpenTo,
  openerOf,
  SERVER,
} from "../../../src/core/access/authority.ts";
import { KEY_KINDS } from "../../../src/core/vocabulary.ts";

const key = (product: string | null, kind: Access["kind"] = "read"): Access => ({ kind, product });

test("a key for all products opens every session, also one without a product", () => {
  expect(["game", "shop", ""].map((owner) => isOpenTo(key(null), owner))).toEqual([
    true,
    true,
    true,
  ]);
});

test("a key for one product opens sessions of that product, and none whose owner is not known", () => {
  const owners = ["game", "shop", "Game", ""];
  expect(owners.filter((owner) => isOpenTo(key("game"), owner))).toEqual(["game"]);
  expect(owners.filter((owner) => isOpenTo(key(""), owner))).toEqual([]);
  expect(() => checkOwner(key("game"), "shop")).toThrow('for the product "game"');
});

test("a kind of key does its own kind of action, and an admin's does everything", () => {
  for (const kind of KEY_KINDS)
    for (const action of KEY_KINDS) {
      const check = () => checkKind(key(null, kind), action);
      if (kind === "admin" || kind === action) expect(check).not.toThrow();
      else expect(check).toThrow(`may only ${kind}, and this needs ${action}`);
    }
  for (const action of KEY_KINDS) expect(() => checkKind(SERVER, action)).not.toThrow();
});

test("what a key opened is its own, an admin's, and that of keys which continue others'", () => {
  const a: Access = { ...key("game", "ingest"), key: "a" };
  const b: Access = { ...a, key: "b" };
  const continues = (access: Access, opener: string | undefined) => {
    try {
      checkOpener(access, opener, "Session s");
      return true;
    } catch {
      return false;
    }
  };
  const openers = [openerOf(a), openerOf(b), openerOf(SERVER), undefined];
  expect(openers.map((opener) => continues(a, opener))).toEqual([true, false, false, true]);
  for (const access of [SERVER, { ...b, continuesOthers: true }, { ...b, kind: "admin" as const }])
    expect(openers.map((opener) => continues(access, opener))).toEqual([true, true, true, true]);
});
