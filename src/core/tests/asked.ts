/** Which product's tests a query is for. */
import { refusedAt } from "../query/refusal.ts";
import { termsAtTop } from "../query/edit.ts";
import { EVERY, leavesOf, type Query, type Term } from "../query/tree.ts";

/** The product that a term names; undefined if it names none, or several. */
export function productOf({ field, any, isNot }: Term): string | undefined {
  const [match] = any;
  const isNamed = isProduct(field) && !isNot && any.length === 1;
  return isNamed && match?.kind === "is" ? match.text : undefined;
}

export function isProduct(field: Term["field"]): boolean {
  return field.kind === "plain" && field.name === "product";
}

/**
 * The product that a query names, and the query without it. Throws a Refusal (invalid_query) if it names one in any other way:
 * tests are those of one.
 */
export function ofOneProduct(query: Query): { product: string | undefined; query: Query } {
  const [term] = termsAtTop(query).filter((each) => productOf(each) !== undefined);
  const product = term && productOf(term);
  for (const leaf of leavesOf(query))
    if (leaf.kind === "term" && leaf !== term && isProduct(leaf.field))
      throw refusedAt(leaf.span.from, "Tests are those of one product, as product:shop");
  if (!term) return { product, query };
  return {
    product,
    query:
      query.kind === "and" ? { ...query, of: query.of.filter((part) => part !== term) } : EVERY,
  };
}
