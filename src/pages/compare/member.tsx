/** A session on the comparison: what it is called there, and which of its moments is zero. */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { Summary } from "../../core/answers.ts";
import { refusalOf } from "../../core/refusal.ts";
import type { AccessEnv } from "../../access/access.ts";
import { type SessionClient, sessionOf } from "../../session/client.ts";
import { sessionId } from "../session/view.ts";
import { Time } from "../ui/time.tsx";

/** A session on the comparison, and the moment that is its zero: none if it never had the event. */
export type Member = {
  session: SessionClient;
  summary: Summary;
  /** Its letter, by which everything of it is found. */
  letter: string;
  name: string;
  index: number;
  zero: number | undefined;
};

export const ALIGNMENTS = { start: "At their start", end: "At their end", event: "At an event" };
export type Alignment = keyof typeof ALIGNMENTS;

export function alignmentOf(word: string | undefined): Alignment | undefined {
  return word !== undefined && Object.hasOwn(ALIGNMENTS, word) ? (word as Alignment) : undefined; // as: just looked up
}

/** A session that is gone does not hinder the others. */
export async function member(
  c: Context<AccessEnv>,
  id: string,
  index: number,
  align: Alignment,
  event: string,
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
  return [product, version].filter(Boolean).join(" ") || id.slice(0, 8);
}

/** For the page's title. */
export function productOf({ summary }: Member): string {
  return nameOf(summary);
}

/** What a session is called on the page: with its start where another is called the same. */
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
  event: string,
): Promise<number | undefined> {
  if (align === "end") return endOf(summary);
  if (align === "start" || event === "") return summary.created_at;
  const { items } = await session.ask("events", { name: event, order: "asc", limit: 1 });
  return items[0]?.at;
}

export function endOf(summary: Summary): number {
  return summary.ended_at ?? summary.updated_at;
}
