/**
 * The fields of a form whose conditions may stand in its query, too. Both edit the same: on a page, a condition stands in its
 * field; while one types, the field shows what the query has, and a field that is changed takes its condition out of the query.
 */
import { termsAtTop, withoutTerms } from "../core/query/edit.ts";
import type { Query, Term } from "../core/query/tree.ts";
import { Refusal } from "../core/refusal.ts";
import { readBox } from "./ui/search-form.tsx";

export type Sharing<Fields> = {
  parse: (text: string) => Query;
  /** The field for a condition. */
  fieldOf: (term: Term) => keyof Fields | undefined;
  /** What the field has for it; undefined: only a query can have it, such as a range. */
  valueOf: (term: Term) => Fields[keyof Fields] | undefined;
};

/** The fields, and the text of the box. */
export type Shared<Fields> = { fields: Fields; query: string };

/** With each condition in its field, as far as a field can have it. */
export function inFields<Fields extends object>(
  { fields, query }: Shared<Fields>,
  sharing: Sharing<Fields>,
): Shared<Fields> {
  const shown = { ...fields };
  const moved: Term[] = [];
  for (const [name, terms] of termsByField(query, sharing)) {
    const [term] = terms;
    const value = term && terms.length === 1 ? sharing.valueOf(term) : undefined;
    if (term && value !== undefined) moved.push(term);
    set(shown, name, value);
  }
  return { fields: shown, query: withoutTerms(query, moved) };
}

/** `changed`: the fields that show something else than before. */
export type Typed<Fields> = Shared<Fields> & { changed: Set<keyof Fields> };

/** `before`: what the form had before something in it was changed. */
export function whileTyping<Fields extends object>(
  { fields, query }: Shared<Fields>,
  before: Shared<Fields>,
  sharing: Sharing<Fields>,
): Typed<Fields> {
  const shown = { ...fields };
  const changed = new Set<keyof Fields>();
  if (readBox(() => sharing.parse(query)) instanceof Refusal)
    return { fields: shown, query, changed };
  const dropped: Term[] = [];
  const [now, earlier] = [termsByField(query, sharing), termsByField(before.query, sharing)];
  const shownBefore = inFields(before, sharing).fields;
  for (const name of new Set([...now.keys(), ...earlier.keys()])) {
    const terms = now.get(name) ?? [];
    const [term] = terms;
    if (!isSame(fields[name], shownBefore[name])) dropped.push(...terms);
    else {
      set(shown, name, term && terms.length === 1 ? sharing.valueOf(term) : undefined);
      if (!isSame(shown[name], fields[name])) changed.add(name);
    }
  }
  return { fields: shown, query: withoutTerms(query, dropped), changed };
}

/** None of a text that is no query. */
function termsByField<Fields>(
  text: string,
  { parse, fieldOf }: Sharing<Fields>,
): Map<keyof Fields, Term[]> {
  const query = readBox(() => parse(text));
  const terms = query instanceof Refusal ? [] : termsAtTop(query);
  const named = terms.map((term) => [fieldOf(term), term] as const);
  const names = new Set(named.flatMap(([name]) => (name === undefined ? [] : [name])));
  return new Map(
    Array.from(names, (name) => [name, named.flatMap(([of, term]) => (of === name ? [term] : []))]),
  );
}

function set<Fields extends object>(
  fields: Fields,
  name: keyof Fields,
  value: Fields[keyof Fields] | undefined,
): void {
  if (value === undefined) delete fields[name];
  else fields[name] = value;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
