/** The colours of series by the value of one of their tags: the same value has the same colour in every chart of the page. */
import type { SeriesSummary } from "../../core/answers/metrics.ts";
import { formatCount } from "../../core/text/format.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { readTag } from "../../core/text/tag.ts";
import { LIST_ROWS, TAG_COLOURS } from "../limits.ts";
import { BY_NAME } from "../ui/order.ts";

type Tagged = Pick<SeriesSummary, "name" | "tags">;

export type TagColours = {
  /** The key whose values have colours; undefined if none has. */
  key: string | undefined;
  /** The keys in which series of one name differ; those that distinguish the most series first. */
  keys: string[];
  /** How many values the key has, of which the first TAG_COLOURS have a colour of their own. */
  values: number;
  /** The colour of a series: 1 to TAG_COLOURS, and 0 for the values after these; undefined without the key. */
  colourOf: (series: Tagged) => number | undefined;
};

/** `asked` is a key, or "" for no colours. Without it the first of the keys is taken. */
export function tagColours(all: readonly Tagged[], asked: string | undefined): TagColours {
  const keys = keysOf(all);
  const key = asked === undefined ? keys[0] : asked === "" ? undefined : asked;
  const values = [...new Set(all.flatMap((series) => valueOf(series, key) ?? []))];
  const colours = new Map(
    values
      .toSorted(BY_NAME.compare)
      .map((value, index) => [value, index < TAG_COLOURS ? index + 1 : 0]),
  );
  return {
    key,
    keys,
    values: values.length,
    colourOf: (series) => colours.get(valueOf(series, key) ?? ""),
  };
}

/** The key in the address; `(none)` stands for no colours. */
export function colourAsked(written: string | undefined): string | undefined {
  return written ? nameAsked(written) : undefined;
}

/** The keys that have several values in series of one name. */
function keysOf(all: readonly Tagged[]): string[] {
  const byName = new Map<string, Map<string, string[]>>();
  for (const { name, tags } of all) {
    let keys = byName.get(name);
    if (!keys) byName.set(name, (keys = new Map()));
    for (const tag of tags) {
      const { key, value } = readTag(tag);
      if (value === "") continue;
      const values = keys.get(key);
      if (values) values.push(value);
      else keys.set(key, [value]);
    }
  }
  const distinguished = new Map<string, number>();
  for (const keys of byName.values())
    for (const [key, values] of keys)
      if (new Set(values).size > 1)
        distinguished.set(key, (distinguished.get(key) ?? 0) + values.length);
  return [...distinguished]
    .toSorted(([a, most], [b, more]) => more - most || BY_NAME.compare(a, b))
    .map(([key]) => key);
}

function valueOf({ tags }: Tagged, key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  for (const tag of tags) {
    const read = readTag(tag);
    if (read.key === key && read.value !== "") return read.value;
  }
  return undefined;
}

type ColourByProps = { id: string; search: string; colours: TagColours };

/** Chooses the tag by which series have colours, where series of one name differ in one. */
export function ColourBy({ id, search, colours: { key, keys, values } }: ColourByProps) {
  if (keys.length === 0) return null;
  const offered = new Set([...(key === undefined ? [] : [key]), ...keys.slice(0, LIST_ROWS)]);
  return (
    <form
      id="colour-by"
      class="colour-by"
      method="get"
      action={`/sessions/${id}#metrics`}
      hx-get={`/sessions/${id}/metrics`}
      hx-include="#view, .charts-header [name=metric]"
      hx-trigger="submit, change"
      hx-target="#chart-list"
      hx-swap="outerMorph"
    >
      {search === "" ? null : <input type="hidden" name="metric" value={search} />}
      <label>
        Colour by tag{" "}
        <span class="select">
          <select name="colour">
            <option value={asking("")}>No colours</option>
            {[...offered].map((each) => (
              <option value={asking(each)} selected={each === key}>
                {nameLabel(each)}
              </option>
            ))}
          </select>
        </span>
      </label>
      {values > TAG_COLOURS ? (
        <span class="quiet">
          {TAG_COLOURS} of {formatCount(values, "value")} have a colour of their own
        </span>
      ) : null}
      <button class="button without-script">Show</button>
    </form>
  );
}
