/** Where marks of redaction stand in an op. */
import { MARK } from "./text.ts";

/** The paths of the values of an op that have a mark, in the op's order: `message`, `data.login.password`, `state.token`. */
export function redactedFields(op: { op: string }): string[] {
  const fields: string[] = [];
  for (const [field, value] of Object.entries(op))
    collect(field === "patch" ? "state" : field, value, fields);
  return fields;
}

function collect(path: string, value: unknown, fields: string[]): void {
  if (typeof value === "string") {
    if (value.includes(MARK)) fields.push(path);
  } else if (Array.isArray(value)) {
    // The items of a list have one name.
    for (const item of value) collect(path, item, fields);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(`${path}.${key}`, item, fields);
  }
}
