/** A session in a comparison: its name there, and the moment that is zero on the axis. */
import { plainText } from "../../core/text/recorded-text.ts";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { Summary } from "../../core/answers/summary.ts";
import { refusalOf } from "../../core/refusal.ts";
import type { AccessEnv } from "../../access/access.ts";
import { type SessionClient, sessionOf } from "../../session/client.ts";
import { sessionId } from "../session/view.ts";
import { Time } from "../ui/time.tsx";

export type Member = {
  session: SessionClient;
  summary: Summary;
  /** Identifies it in captions and legends. */
  letter: string;
  name: string;
  index: number;
  /** The moment that is zero on the axis: undefined if it lacks the event. */
  zero: number | undefined;
};

export const ALIGNMENTS = { start: "At their start", end: "At their end", event: "At an event" };
export type Alignment = keyof typeof ALIGNMENTS;

export function alignmentOf(name: string | undefined): Alignment | undefined {
  return name !== undefined && Object.hasOwn(ALIGNMENTS, name) ? (name as Alignment) : undefined; // as: just looked up
}

/** Returns undefined for a session that does not exist, so that the others are still compared. */
export async function readMember(
  c: Context<AccessEnv>,
  id: string,
  index: number,
  align: Alignment,
  event: string | undefined,
): Promise<Member | undefined> {
  try {
    const session = sessionOf(c.env, c.var.access, sessionId(id));
    const summary = await session.ask("summary");
    const letter = "ABCDE"[index] ?? "";
    const zero = await zeroOf(session, summary, align, event);
    return { session, summary, letter, name: `${letter} · ${nameOf(summary)}`, index, zero };
  } catch (thrown) {
    const code = refusalOf(thrown)?.code;
    if (code === "not_found" || code === "gone") return undefined;
    throw thrown;
  }
}

function nameOf({ id, product, version }: Summary): string {
  return plainText([product, version].filter(Boolean).join(" ")).trim() || id.slice(0, 8);
}

/** For the page's title. */
export function productOf({ summary }: Member): string {
  return nameOf(summary);
}

/** The name of a session on the page, with its start if another has the same name. */
export function named({ name, summary }: Member, members: Member[]): Child {
  const isAmbiguous = members.some(
    (other) => other.summary.id !== summary.id && nameOf(other.summary) === nameOf(summary),
  );
  return isAmbiguous ? (
    <>
      {name} <Time at={summary.created_at} show="minute" />
    </>
  ) : (
    name
  );
}

async function zeroOf(
  session: SessionClient,
  summary: Summary,
  align: Alignment,
  event: string | undefined,
): Promise<number | undefined> {
  if (align === "end") return endOf(summary);
  if (align === "start" || event === undefined) return summary.created_at;
  const { items } = await session.ask("events", { name: event, order: "asc", limit: 1 });
  return items[0]?.at;
}

export function endOf(summary: Summary): number {
  return summary.last_at;
}
