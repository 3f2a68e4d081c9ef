/** Where a request came from, as far as the audit list stores it: the network, not the address of one person. */
import type { Context } from "hono";
import { type Env, isLocal } from "../env.ts";

/** The network of the caller. Only Cloudflare's edge sets the header; on a local server anyone could. */
export function networkOf(c: Pick<Context, "env" | "req">): string {
  if (isLocal(c.env as Env)) return "this machine"; // Hono's default Context knows no bindings
  return network(c.req.header("cf-connecting-ip") ?? "");
}

/** The first 24 bits of an IPv4 address and 48 of an IPv6 address: what a provider gives to one site, or a street. */
export function network(address: string): string {
  const v4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i.exec(address);
  if (v4) return `${v4[1]}.0/24`;
  if (!/^[\da-f:]{2,39}$/i.test(address)) return "unknown";
  const [front = "", back] = address.toLowerCase().split("::", 2);
  const groups = front === "" ? [] : front.split(":");
  const omitted =
    back === undefined ? 0 : 8 - groups.length - back.split(":").filter(Boolean).length;
  const all = [
    ...groups,
    ...Array<string>(Math.max(0, omitted)).fill("0"),
    ...(back ?? "").split(":"),
  ];
  const [a = "0", b = "0", c = "0"] = all
    .filter(Boolean)
    .map((group) => group.replace(/^0+(?=.)/, ""));
  return `${a}:${b}:${c}::/48`;
}
