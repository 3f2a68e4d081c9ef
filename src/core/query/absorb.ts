/**
 * Moves conditions at the top of a query into those fields of the filter that mean the same. So the search box and the fields below it edit
 * one filter, its indexes serve both, and the objects of sessions can be asked about them.
 */
import { writePath } from "../state/path.ts";
import type { Query, Term } from "./tree.ts";

/** The fields of the filter, as far as a query can set them. */
export type FieldsOfFilter = {
  product?: string | undefined;
  version?: string | undefined;
  status?: string[] | undefined;
  from?: number | undefined;
  to?: number | undefined;
  text?: string | undefined;
  phrases?: string[] | undefined;
  tag?: string | undefined;
  event?: string | undefined;
  metric?: string | undefined;
  test?: string | undefined;
  state?: { path: string[]; value?: string | undefined; type?: "string" | undefined } | undefined;
};

/** `rest` is what remains of the query; undefined if nothing does. */
type Absorbed = { fields: FieldsOfFilter; rest: Query | undefined };

/** The top-level conditions that fit into fields which `taken` does not have. */
export function absorb(query: Query, taken: FieldsOfFilter): Absorbed {
  const fields: FieldsOfFilter = {};
  const parts = query.kind === "and" ? query.of : [query];
  const terms: string[] = [];
  const phrases: string[] = [];
  const rest = parts.filter((part) => {
    if (part.kind === "phrase") {
      (/\s/.test(part.text) ? phrases : terms).push(part.text);
      return false;
    }
    return !(part.kind === "term" && !part.isNot && absorbTerm(part, fields, taken));
  });
  if (terms.length > 0) fields.text = [taken.text, ...terms].filter(Boolean).join(" ");
  if (phrases.length > 0) fields.phrases = [...(taken.phrases ?? []), ...phrases];
  const [only] = rest;
  return { fields, rest: rest.length > 1 ? { kind: "and", of: rest } : only };
}

/** Whether a field of the filter takes the term. */
function absorbTerm({ field, any }: Term, fields: FieldsOfFilter, taken: FieldsOfFilter): boolean {
  const [match] = any;
  if (field.kind === "state") {
    if (field.when !== "ever" || any.length !== 1 || fields.state || taken.state) return false;
    if (writePath(field.path) === "") return false;
    if (match?.kind === "any") fields.state = { path: field.path };
    else if (match?.kind === "is" && match.text !== "")
      fields.state = {
        path: field.path,
        value: match.text,
        type: match.isQuoted ? "string" : undefined,
      };
    else return false;
    return true;
  }
  if (field.kind !== "plain") return false;
  const { name } = field;
  if (name === "started") return absorbTime(any, fields, taken);
  if (name === "status" || name === "is") {
    if (fields.status || taken.status || !any.every((each) => each.kind === "is")) return false;
    fields.status = [...new Set(any.flatMap((each) => (each.kind === "is" ? [each.text] : [])))];
    return true;
  }
  if (!isName(name) || any.length !== 1 || match?.kind !== "is") return false;
  if (fields[name] !== undefined || taken[name] !== undefined) return false;
  fields[name] = match.text;
  return true;
}

const NAMES = ["product", "version", "tag", "event", "metric", "test"] as const;

function isName(name: string): name is (typeof NAMES)[number] {
  return (NAMES as readonly string[]).includes(name);
}

/** The filter's range is [from, to), in whole milliseconds. */
function absorbTime(any: Term["any"], fields: FieldsOfFilter, taken: FieldsOfFilter): boolean {
  const [match] = any;
  if (any.length !== 1 || match?.kind !== "range") return false;
  const isTaken = [fields.from, fields.to, taken.from, taken.to].some((at) => at !== undefined);
  if (isTaken) return false;
  const { from, to } = match;
  if (typeof from?.value === "number")
    fields.from = Math.ceil(from.value) + (from.isIncluded ? 0 : 1);
  if (typeof to?.value === "number") fields.to = Math.ceil(to.value) + (to.isIncluded ? 1 : 0);
  return true;
}
