/** Filters with a query as text. */
import { absorb, type FieldsOfFilter } from "../../core/query/absorb.ts";
import { parseQuery } from "../../core/query/parse.ts";
import { type SessionFilter, STATUS_KINDS, type StatusKind } from "./filter.ts";

/**
 * The filter with the conditions of a query added: as its own fields where they fit, so that its indexes serve them and objects can be
 * asked, the others as `query`. Throws a Refusal (invalid_query).
 */
export function withQuery<Filter extends SessionFilter>(
  filter: Filter,
  text: string,
  now: number,
): Filter {
  const query = parseQuery(text, { now, kinds: STATUS_KINDS });
  const { fields, rest } = absorb(query, filter as FieldsOfFilter);
  const set = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as { status?: StatusKind[] }; // as: the parser checked them against STATUS_KINDS
  return { ...filter, ...set, query: rest };
}
