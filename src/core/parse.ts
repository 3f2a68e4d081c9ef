/** Parses input into a type. Throws a Refusal that names the invalid place. */
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

/** `what` names the value in the message: "The batch". */
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

/** Whether the value is a number that JSON cannot represent: an overflow to infinity, or NaN or infinity encoded as a string. */
function isNotFinite(issue: v.BaseIssue<unknown>): boolean {
  if (issue.type === "finite") return true;
  return (
    issue.type === "number" &&
    typeof issue.input === "string" &&
    /^[-+]?(nan|inf(inity)?)$/i.test(issue.input)
  );
}
