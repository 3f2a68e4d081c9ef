/** The search box, and the fields of product and version, whose conditions may stand in it, too. */
import type { Child } from "hono/jsx";
import type { SessionFilter } from "../catalog/search/filter.ts";
import type { VersionCounts } from "../catalog/products.ts";
import { inVersionOrder } from "../core/query/order.ts";
import { formatNumber } from "../core/text/format.ts";
import { asking } from "../core/text/names.ts";
import { nameLabel } from "../core/text/recorded-text.ts";
import { counted, written } from "./filters.tsx";
import { LISTED_OPTIONS, TYPING_MS } from "./limits.ts";
import type { SessionSearch, SharedName } from "./search.ts";
import { SearchField } from "./ui/search-form.tsx";

/** The query, in an element that an answer may replace. */
export function SearchBox({ query, placeholder }: { query: string; placeholder: string }) {
  return (
    <span id="search-box" class="search-box">
      <SearchField
        value={query}
        label="Search sessions"
        placeholder={placeholder}
        suggestions="/suggest/query"
      />
    </span>
  );
}

type PartsProps = {
  search: SessionSearch;
  /** What shows something else than before (search.ts readTyped). */
  changed: Set<SharedName | "query">;
  known: VersionCounts[];
  placeholder: string;
  /** The element `#status`. */
  status: Child;
};

/** Beside an answer: what of the form it changes. */
export function SharedParts({ search, changed, known, placeholder, status }: PartsProps) {
  const { filter, query } = search;
  return (
    <>
      {changed.has("query") ? (
        <hx-partial hx-target="#search-box" hx-swap="outerHTML">
          <SearchBox query={query} placeholder={placeholder} />
        </hx-partial>
      ) : null}
      {changed.has("product") ? (
        <hx-partial hx-target="#products" hx-swap="outerHTML">
          <ProductSelect filter={filter} known={known} />
        </hx-partial>
      ) : null}
      {changed.has("status") ? (
        <hx-partial hx-target="#status" hx-swap="outerHTML">
          {status}
        </hx-partial>
      ) : null}
      <hx-partial hx-target="#versions" hx-swap="outerHTML">
        <VersionSelect filter={filter} known={known} />
      </hx-partial>
    </>
  );
}

export function ProductSelects(props: NamesProps) {
  return (
    <>
      <ProductSelect {...props} />
      <VersionSelect {...props} />
    </>
  );
}

function ProductSelect({ filter, known }: NamesProps) {
  const products = [...new Set(known.map(({ product }) => product))];
  if (products.length > LISTED_OPTIONS)
    return (
      <span id="products">
        <Searchable label="Product" name="product" value={filter.product} count={products.length} />
      </span>
    );
  // As of the versions, that of the filter is listed in any case.
  const { product: asked } = filter;
  const listed = asked === undefined || products.includes(asked) ? products : [...products, asked];
  return (
    <label id="products" class="select">
      <span class="hidden">Product</span>
      <select id="product" name="product">
        <option value="">Any product</option>
        {listed.map((product) => (
          <option value={asking(product)} selected={product === filter.product}>
            {`${nameLabel(product, "unnamed")} (${formatNumber(counted(known, { product }))})`}
          </option>
        ))}
      </select>
    </label>
  );
}

type NamesProps = { filter: SessionFilter; known: VersionCounts[] };

/** The versions of the selected product, the newest first. It is sent again with each answer; its id keeps the focus. */
function VersionSelect({ filter, known }: NamesProps) {
  const all = versionsOf(known, filter.product);
  if (all.length > LISTED_OPTIONS)
    return (
      <span id="versions">
        <Searchable label="Version" name="version" value={filter.version} count={all.length} />
      </span>
    );
  const ofProduct = (version: string) => counted(known, { product: filter.product, version });
  // The version of the filter is listed in any case: every active filter must be visible.
  const listed =
    filter.version === undefined || all.includes(filter.version) ? all : [...all, filter.version];
  return (
    <label id="versions" class="select">
      <span class="hidden">Version</span>
      <select id="version" name="version">
        <option value="">Any version</option>
        {listed.map((version) => (
          <option value={asking(version)} selected={version === filter.version}>
            {`${nameLabel(version, "no version")} (${formatNumber(ofProduct(version))})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The different versions of a product, or of all, in the order of versions, the newest first. */
export function versionsOf(known: VersionCounts[], product: string | undefined): string[] {
  const first = new Map<string, number>();
  for (const row of known) {
    if (product !== undefined && row.product !== product) continue;
    const before = first.get(row.version) ?? Infinity;
    first.set(row.version, Math.min(before, row.first_at));
  }
  const seen = [...first].map(([version, first_at]) => ({ version, first_at }));
  return inVersionOrder(seen)
    .map(({ version }) => version)
    .toReversed();
}

type SearchableProps = {
  label: string;
  name: "product" | "version";
  value: string | undefined;
  count: number;
};

/** A field with suggestions, instead of a list that is too long to look through. */
function Searchable({ label, name, value, count }: SearchableProps) {
  const list = `${name}s-list`;
  return (
    <label class="select">
      <span class="hidden">{label}</span>
      <input
        id={name}
        name={name}
        value={written(value) ?? ""}
        placeholder={`Any of ${formatNumber(count)} ${label.toLowerCase()}s`}
        list={list}
        autocomplete="off"
        hx-get={`/suggest/${name}s`}
        hx-include="closest form"
        hx-trigger={`focus once, input changed delay:${TYPING_MS}ms`}
        hx-target={`#${list}`}
        hx-swap="innerHTML"
      />
      <datalist id={list}></datalist>
    </label>
  );
}
