/** Text to value to type, at the edge: what comes out is trusted from then on. Throws Refusals that name the place. */
import * as v from "valibot";
import { Refusal } from "./refusal.ts";

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal("invalid_json", `${what} is not JSON: ${why}`);
  }
}

/** `what` begins the message: "The batch". */
export function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const where = path ? ` at ${path}` : "";
  throw new Refusal(
    isNotFinite(issue) ? "not_finite" : "invalid_body",
    `${what} does not fit${where}: ${issue.message}`,
  );
}

/** A number that JSON cannot carry: overflowed to infinity, or written as text or null by an encoder that met it. */
function isNotFinite(issue: v.BaseIssue<unknown>): boolean {
  if (issue.type === "finite") return true;
  return (
    issue.type === "number" &&
    typeof issue.input === "string" &&
    /^[-+]?(nan|inf(inity)?)$/i.test(issue.input)
  );
}
