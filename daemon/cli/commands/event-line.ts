/** An event as one line, for `why` and `tail`. */
import { nameLabel, plainText } from "../../../src/core/text/recorded-text.ts";
import { testName } from "../../../src/core/tests/id.ts";
import type { EventRow } from "../../../src/core/answers/events.ts";
import { bold, category, dim } from "../terminal.ts";

export function eventLine(event: EventRow): string {
  const { name, group, message, data, exception_type, exception_msg } = event;
  if (name === "output") return `${dim(group ?? "")}  ${message ?? ""}`;
  const what = exception_type ? `${exception_type}: ${exception_msg ?? ""}` : message;
  const of = event.test ? plainText(testName(event.test)) : group;
  const rest = data && Object.keys(data).length > 0 ? dim(JSON.stringify(data)) : "";
  return [category(event.category), bold(nameLabel(name)), of, what, rest]
    .filter(Boolean)
    .join("  ");
}
