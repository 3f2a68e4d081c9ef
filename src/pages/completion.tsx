/** Completes the last name or value of a query, as options of a datalist. */
import { openTermOf, quoted } from "../core/query/complete.ts";
import type { PrefixName, QueryList } from "../core/query/list.ts";
import { fieldNamed } from "../core/query/names.ts";
import type { Field } from "../core/query/tree.ts";
import { SUGGESTIONS } from "./limits.ts";
import { BY_NAME } from "./ui/order.ts";

export type Offer = { value: string; about?: string };

/** What was recorded, as far as it completes a query. */
export type Recorded = {
  /**
   * What may follow a prefix, as a query has it, with its colon: `level:` after `state.`. Those that do not begin with what is
   * typed are left out here.
   */
  below: (prefix: PrefixName, typed: string) => Promise<string[]>;
  /** Values of a field that begin with what is typed; others are left out here. */
  values: (field: Field, typed: string) => Promise<readonly string[]>;
};

/** Each offer is the whole text, since an option replaces all that a field has. */
export async function completions(
  list: QueryList,
  text: string,
  recorded: Recorded,
): Promise<Offer[]> {
  const { before, field, typed } = openTermOf(text);
  const found =
    field === undefined
      ? await namesFor(list, typed, recorded)
      : (await valuesFor(list, field, typed, recorded)).map((value): Offer => ({ value }));
  return found.map(({ value, about }) => ({ value: before + value, about }));
}

async function namesFor(list: QueryList, typed: string, { below }: Recorded): Promise<Offer[]> {
  if (typed === "") return [];
  const dot = typed.indexOf(".");
  const prefix = list.prefixes.find(({ name }) => dot > 0 && name === typed.slice(0, dot))?.name;
  if (prefix) {
    const rest = typed.slice(dot + 1);
    const found = await below(prefix, rest);
    return found
      .filter((each) => unquoted(each).startsWith(unquoted(rest)))
      .map((each) => ({ value: `${prefix}.${each}` }));
  }
  return [
    ...[...list.fields.values()].map(({ name, about }) => ({ value: `${name}:`, about })),
    ...list.prefixes.map(({ name, about }) => ({ value: `${name}.`, about })),
  ].filter(({ value }) => value.startsWith(typed.toLowerCase()));
}

function unquoted(path: string): string {
  return path.replaceAll('"', "");
}

async function valuesFor(
  list: QueryList,
  name: string,
  typed: string,
  { values }: Recorded,
): Promise<string[]> {
  const found = fieldNamed(name, list);
  if (!found) return [];
  const all = found.info.choices ?? (await values(found.field, typed));
  return sorted([...new Set(all)].filter((value) => value !== "" && value.startsWith(typed))).map(
    quoted,
  );
}

export function sorted(texts: string[]): string[] {
  return texts.toSorted(BY_NAME.compare);
}

export function Options({ offers }: { offers: Offer[] }) {
  return (
    <>
      {offers.slice(0, SUGGESTIONS).map(({ value, about }) => (
        <option value={value}>{about}</option>
      ))}
    </>
  );
}
