/** The exceptions of an event as a tree: its own one, and below each the causes, contexts and members that the list `causes` holds. */
import type { EventRow } from "../answers/events.ts";
import { MAX_SHOWN_CAUSES } from "../limits.ts";
import type { Cause } from "../wire.ts";

export type ThrownException = Omit<Cause, "kind" | "parent"> & {
  /** Undefined for the event's own. */
  kind?: Cause["kind"];
  /** The exceptions that led to it. */
  causes: ThrownException[];
  /** The exceptions that it groups. */
  members: ThrownException[];
};

type ExceptionTree = {
  root: ThrownException;
  /** Exceptions that are not in the tree: those that the client left out, and those over MAX_SHOWN_CAUSES. */
  leftOut: number;
};

export function exceptionTree(
  event: Omit<EventRow, "seq" | "at" | "category" | "name">,
): ExceptionTree {
  const { exception_type, exception_msg, stacktrace, attributes, notes } = event;
  const root = nodeOf({ exception_type, exception_msg, stacktrace, attributes, notes });
  const list = event.causes ?? [];
  const nodes = [root];
  list.slice(0, MAX_SHOWN_CAUSES).forEach(({ kind = "cause", parent, ...cause }, index) => {
    const node = { ...nodeOf(cause), kind };
    // Only an exception before it can be its parent, so there is no cycle.
    const above = nodes[parent ?? index] ?? nodes[index] ?? root;
    (kind === "member" ? above.members : above.causes).push(node);
    nodes.push(node);
  });
  const cut = Math.max(0, list.length - MAX_SHOWN_CAUSES);
  return { root, leftOut: (event.causes_left_out ?? 0) + cut };
}

function nodeOf(cause: Cause): ThrownException {
  return { ...cause, causes: [], members: [] };
}

/** "Caused by", "While handling", or "Member 2 of 3". */
export function relationLabel({ kind }: ThrownException, index: number, siblings: number): string {
  if (kind === "member") return `Member ${index + 1} of ${siblings}`;
  return kind === "context" ? "While handling" : "Caused by";
}

type Headline = Pick<ThrownException, "exception_type" | "exception_msg">;

/** Whether an exception's headline has a text: its message, with or without the type, or the first line of these. */
export function isInHeadline(text: string, { exception_type = "", exception_msg = "" }: Headline) {
  const headlines = [exception_msg, `${exception_type}: ${exception_msg}`];
  return headlines.some((each) => each === text || each.startsWith(`${text}\n`));
}
