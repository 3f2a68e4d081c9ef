/** What narrows sessions down: the fields of a search, which the list, the metrics and the comparison share, and its filters as chips. */
import { formatCount, formatNumber } from "../core/format.ts";
import type { Child } from "hono/jsx";
import {
  asking,
  type SessionFilter,
  type STATUS_KINDS,
  type StatusKind,
} from "../catalog/filter.ts";
import type { VersionCounts } from "../catalog/products.ts";
import { SUGGESTIONS } from "./limits.ts";
import { type SessionSearch, searchQuery, WITHIN } from "./search.ts";
import { address } from "./ui/address.ts";
import { Time } from "./ui/time.tsx";

export const KIND_WORDS: Record<(typeof STATUS_KINDS)[number], string> = {
  active: "Running",
  suspended: "Lost contact",
  hung: "Hung now",
  crashed: "Crashed",
  ended: "Ended",
  ever_hung: "Ever hung",
  hung_recovered: "Hung, recovered",
  hung_ended: "Hung, then ended",
  hung_crashed: "Hung, then crashed",
};

export function ProductSelects({ filter, known }: NamesProps) {
  const products = [...new Set(known.map(({ product }) => product))];
  return (
    <>
      <label class="select">
        <span class="hidden">Product</span>
        <select name="product">
          <option value="">Any product</option>
          {products.map((product) => (
            <option value={asking(product)} selected={product === filter.product}>
              {`${product || "unnamed"} (${formatNumber(counted(known, { product }))})`}
            </option>
          ))}
        </select>
      </label>
      <VersionSelect filter={filter} known={known} />
    </>
  );
}

type NamesProps = { filter: SessionFilter; known: VersionCounts[] };

/** Those of the product that is chosen, so it comes again with each answer; by its id it keeps the focus. */
export function VersionSelect({ filter, known }: NamesProps) {
  const ofProduct = known.filter(
    ({ product }) => filter.product === undefined || product === filter.product,
  );
  const versionsOf = [...new Set(ofProduct.map(({ version }) => version))].slice(0, SUGGESTIONS);
  // What is asked for stands there whatever else is chosen: nothing may narrow the list unseen.
  if (filter.version !== undefined && !versionsOf.includes(filter.version))
    versionsOf.push(filter.version);
  return (
    <label id="versions" class="select">
      <span class="hidden">Version</span>
      <select id="version" name="version">
        <option value="">Any version</option>
        {versionsOf.map((version) => (
          <option value={asking(version)} selected={version === filter.version}>
            {`${version || "no version"} (${formatNumber(counted(ofProduct, { version }))})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The newest sessions, whenever the address is opened. */
export function Within({ search }: { search: SessionSearch }) {
  return (
    <label class="select">
      <span class="hidden">Started</span>
      <select name="within">
        <option value="">Any time</option>
        {Object.entries(WITHIN).map(([name, { word }]) => (
          <option value={name} selected={name === search.within}>
            {capital(word)}
          </option>
        ))}
      </select>
    </label>
  );
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** The statuses that the catalog counts; of what sessions turned into after a hang it does not. */
export const COUNTED = ["active", "suspended", "hung", "crashed", "ended", "ever_hung"] as const;
type Counted = (typeof COUNTED)[number];

export function isCounted(kind: StatusKind): kind is Counted {
  return COUNTED.some((each) => each === kind);
}

/** How many sessions there are of the product and version that are asked for, whatever else is: in all, or of a status. */
export function counted(
  known: VersionCounts[],
  { product, version }: SessionFilter,
  of: Counted | "sessions" = "sessions",
): number {
  const rows = known.filter(
    (row) => (product ?? row.product) === row.product && (version ?? row.version) === row.version,
  );
  return rows.reduce((sum, row) => sum + row[of], 0);
}

/** Narrows down by everything that is not a product, version or status. `column`: the metric is a column of the list. */
export function MoreFilters({ search, column }: { search: SessionSearch; column?: boolean }) {
  const { filter } = search;
  const isUsed =
    [
      filter.machine,
      filter.hostname,
      search.within === undefined ? filter.from : undefined,
      filter.to,
      filter.state,
      filter.event,
      filter.tag,
    ].some((each) => each !== undefined) ||
    (column === true && search.metric !== undefined);
  return (
    <details class="more-filters" open={isUsed}>
      <summary>Time, machine, state, events{column ? ", metric column" : ""}</summary>
      <div class="fields">
        <Moment
          word="Started after"
          name="from"
          at={search.within === undefined ? filter.from : undefined}
        />
        <Moment word="Started before" name="to" at={filter.to} />
        <Field word="Host" name="hostname" value={filter.hostname} />
        <Field word="Machine id" name="machine" value={filter.machine} />
        <Field word="Tag" name="tag" value={filter.tag} />
        <Suggested
          word="Ever in state: path"
          name="path"
          value={filter.state?.path}
          what="state-paths"
        />
        <Suggested word="with value" name="value" value={filter.state?.value} what="state-values" />
        <Suggested word="Had event" name="event" value={filter.event} what="events" />
        {column ? (
          <Suggested word="Show metric" name="metric" value={search.metric} what="metrics" />
        ) : null}
      </div>
    </details>
  );
}

type FieldProps = { word: string; name: string; value?: string | undefined };

function Field({ word, name, value }: FieldProps) {
  return (
    <label>
      {word}
      <input type="text" name={name} value={value ?? ""} autocomplete="off" />
    </label>
  );
}

/** A moment to type: in UTC, or with script in the zone that all times on the page are in. */
function Moment({ word, name, at }: { word: string; name: string; at: number | undefined }) {
  return (
    <label>
      <span>
        {word} <span data-zone-label>(UTC)</span>
      </span>
      <input
        type="datetime-local"
        name={name}
        value={at === undefined ? "" : new Date(at).toISOString().slice(0, 19)}
        step="1"
        autocomplete="off"
      />
    </label>
  );
}

/** A field that offers what there is. The list comes when the field is entered, and follows what is typed. */
export function Suggested(props: FieldProps & { what: string }) {
  const { word, name, value, what } = props;
  return (
    <label>
      {word}
      <input
        name={name}
        value={value ?? ""}
        list={`${what}-list`}
        autocomplete="off"
        hx-get={`/suggest/${what}`}
        hx-include="closest form"
        hx-trigger="focus once, input changed delay:200ms"
        hx-target={`#${what}-list`}
        hx-swap="innerHTML"
      />
      <datalist id={`${what}-list`}></datalist>
    </label>
  );
}

type Chip = { word: Child; without: SessionSearch };

/** What narrows the list down, each a link to the list without it. */
export function Chips({ search, count }: { search: SessionSearch; count: number | undefined }) {
  const chips = chipsOf(search);
  const to = (other: SessionSearch) => address("/sessions", searchQuery(other));
  return (
    <header class="chips">
      <strong>{count === undefined ? "Sessions" : formatCount(count, "session")}</strong>
      {chips.map(({ word, without }) => (
        <a class="chip" href={to(without)}>
          <span class="hidden">Remove: </span>
          <span>{word}</span>
          <span aria-hidden="true">×</span>
        </a>
      ))}
      {chips.length > 1 ? (
        <a href={to({ ...search, filter: {}, within: undefined })}>Clear all</a>
      ) : null}
    </header>
  );
}

function chipsOf(search: SessionSearch): Chip[] {
  const { filter, within } = search;
  const { product, version, status = [], from, to, state } = filter;
  const chips: Chip[] = [];
  const add = (word: Child, name: keyof SessionFilter) => {
    const { [name]: _, ...without } = filter;
    chips.push({ word, without: { ...search, filter: without } });
  };
  if (product !== undefined) add(product || "unnamed", "product");
  if (version !== undefined) add(version || "no version", "version");
  for (const kind of status) {
    const others = { ...filter, status: status.filter((each) => each !== kind) };
    chips.push({ word: KIND_WORDS[kind], without: { ...search, filter: others } });
  }
  for (const name of Object.keys(CHIP_WORDS) as (keyof typeof CHIP_WORDS)[]) {
    if (filter[name] !== undefined) add(`${CHIP_WORDS[name]} ${filter[name]}`, name);
  }
  if (state) {
    const value = state.value === undefined ? "" : ` = ${state.value}`;
    add(`ever ${state.path}${value}`, "state");
  }
  if (within !== undefined)
    chips.push({ word: WITHIN[within].word, without: { ...search, within: undefined } });
  else if (from !== undefined)
    add(
      <>
        after <Time at={from} show="minute" />
      </>,
      "from",
    );
  if (to !== undefined)
    add(
      <>
        before <Time at={to} show="minute" />
      </>,
      "to",
    );
  return chips;
}

const CHIP_WORDS = {
  text: "words",
  hostname: "host",
  machine: "machine",
  tag: "tag",
  event: "event",
  exception: "exception",
} as const;
