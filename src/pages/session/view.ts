/** The view of a session page in its address: the cursor (`t`), the range of the axis, a path of the state, a search in it. */
import type { Context } from "hono";
import * as v from "valibot";
import type { AccessEnv } from "../../access/access.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { Id } from "../../core/wire-fields.ts";
import { Refusal } from "../../core/refusal.ts";
import { type SessionClient, sessionOf } from "../../session/client.ts";
import { address } from "../ui/address.ts";

export type View = {
  at?: number | undefined;
  from?: number | undefined;
  to?: number | undefined;
  path?: string[] | undefined;
  search?: string | undefined;
};

const Path = v.pipe(v.string(), v.parseJson(), v.array(v.string()));

export function viewOf(query: Record<string, string>): View {
  const from = time(query.from);
  const to = time(query.to);
  return {
    at: time(query.t),
    // A range that ends before it starts is ignored.
    ...(from !== undefined && to !== undefined && to <= from ? {} : { from, to }),
    path: path(query.path),
    search: query.q?.trim() || undefined,
  };
}

/** The cursor where none is set. */
export function lastMoment({ last_at }: Summary): number {
  return last_at;
}

/** The session id of an address. A text that cannot be an id is refused without a request to a session object. */
export function sessionId(text: string): string {
  const id = v.safeParse(Id, text);
  if (!id.success) throw new Refusal("not_found", "There is no session with this id.");
  return id.output;
}

/** The session that the address names, for the person who is signed in. */
export function sessionIn(c: Context<AccessEnv, "/:id">): SessionClient {
  return sessionOf(c.env, c.var.access, sessionId(c.req.param("id")));
}

/** The query string of this view. */
export function viewQuery({ at, from, to, path, search }: View): string {
  return address("", { t: at, from, to, path: path && JSON.stringify(path), q: search });
}

/** Epoch milliseconds, or a date that Date.parse reads. */
function time(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const at = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(at) && at >= 0 ? at : undefined;
}

function path(text: string | undefined): string[] | undefined {
  const parsed = v.safeParse(Path, text ?? "");
  return parsed.success && parsed.output.length > 0 ? parsed.output : undefined;
}
