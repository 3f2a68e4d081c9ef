/** The columns of the list of sessions: which there are, which are chosen, and what is in their cells. */
import type { Child } from "hono/jsx";
import type { ColumnValue } from "../../catalog/columns.ts";
import type { SessionRow } from "../../core/answers/session-row.ts";
import { readSort, type Sort } from "../../core/query/sort.ts";
import { isOngoing } from "../../core/session/duration.ts";
import { writePath } from "../../core/state/path.ts";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatQuantity,
} from "../../core/text/format.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { MAX_COLUMNS, TYPING_MS } from "../limits.ts";
import { Elapsed, Time } from "../ui/time.tsx";

export type Column = {
  /** In the address, where it is also what the list is sorted by. */
  name: string;
  label: string;
  sort: Sort;
  /** The order of the first click on its heading. */
  first: "asc" | "desc";
  isNumber: boolean;
};

type Plain = Omit<Column, "name" | "sort"> & {
  cell: (row: SessionRow, value: ColumnValue) => Child;
};

const number = (label: string, of: (row: SessionRow) => number | null): Plain => ({
  label,
  first: "desc",
  isNumber: true,
  cell: (row) => {
    const value = of(row);
    return value === null ? NONE : formatNumber(value);
  },
});
const time = (label: string, of: (row: SessionRow) => number | null): Plain => ({
  label,
  first: "desc",
  isNumber: false,
  cell: (row) => {
    const at = of(row);
    return at === null ? NONE : <Time at={at} show="age" />;
  },
});
const text = (label: string, of: (row: SessionRow, value: ColumnValue) => string): Plain => ({
  label,
  first: "asc",
  isNumber: false,
  cell: (row, value) => of(row, value) || NONE,
});

/** Not in a session. */
const NONE = "–";
/** Not known: the catalog has only a part of what the session recorded. */
const UNKNOWN = "?";

const PLAIN: { [name: string]: Plain } = {
  product: {
    ...text("Product", ({ product }) => product),
    cell: ({ product, version }) => (
      <>
        {nameLabel(product, "unnamed")} <small>{plainText(version)}</small>
      </>
    ),
  },
  version: text("Version", ({ version }) => plainText(version)),
  created_at: time("Started", ({ created_at }) => created_at),
  ran_ms: {
    label: "Ran for",
    first: "desc",
    isNumber: true,
    cell: ({ status, ran_ms }) =>
      isOngoing(status) ? <Elapsed ms={ran_ms} /> : formatDuration(ran_ms),
  },
  hostname: text("Machine", ({ hostname, browser, machine_id }) =>
    nameLabel(hostname || browser || machine_id.slice(0, 8), ""),
  ),
  events: number("Events", ({ events }) => events),
  exceptions: number("Exceptions", ({ exceptions }) => exceptions || null),
  points: number("Points", ({ points }) => points),
  updated_at: time("Last op", ({ updated_at }) => updated_at),
  received_at: time("Last contact", ({ received_at }) => received_at),
  ended_at: time("Ended", ({ ended_at }) => ended_at),
  exit_code: number("Exit code", ({ exit_code }) => exit_code),
  signal: text("Signal", ({ signal }) => plainText(signal ?? "")),
  uncaught: number("Uncaught exceptions", ({ uncaught }) => uncaught),
  states: number("Changes of the state", ({ states }) => states),
  series: number("Series", ({ series }) => series),
  attachments: number("Attachments", ({ attachments }) => attachments),
  tests: number("Tests", ({ tests }) => tests),
  failed_tests: number("Tests that did not pass", ({ failed_tests }) => failed_tests),
  bytes: {
    ...number("Stored", ({ bytes }) => bytes),
    cell: ({ bytes }) => formatBytes(bytes),
  },
  machine_id: text("Machine id", ({ machine_id }) => plainText(machine_id)),
  browser: text("Browser", ({ browser }) => plainText(browser)),
  os: text("System", (_, { of }) => (typeof of === "string" ? plainText(of) : "")),
  language: text("Language", (_, { of }) => (typeof of === "string" ? plainText(of) : "")),
};

export const DEFAULT_COLUMNS = [
  "product",
  "created_at",
  "ran_ms",
  "hostname",
  "events",
  "exceptions",
  "points",
];

/** Those that can be ticked, with their labels. */
export const PLAIN_COLUMNS = Object.entries(PLAIN).map(([name, { label }]) => ({ name, label }));

/** The column of a name; undefined if there is none. */
export function columnNamed(name: string): Column | undefined {
  const sort = readSort(name);
  if (!sort) return undefined;
  switch (sort.kind) {
    case "column": {
      const plain = PLAIN[sort.name];
      return (
        plain && { name, label: plain.label, sort, first: plain.first, isNumber: plain.isNumber }
      );
    }
    case "metric":
      return numbers(name, sort, `${nameLabel(sort.metric)}, ${sort.statistic}`);
    case "event":
      return numbers(name, sort, `Event ${nameLabel(sort.name)}`);
    case "state":
      return { name, sort, label: nameLabel(writePath(sort.path)), first: "asc", isNumber: false };
    case "tag":
      return { name, sort, label: `Tag ${nameLabel(sort.key)}`, first: "asc", isNumber: false };
  }
}

function numbers(name: string, sort: Sort, label: string): Column {
  return { name, sort, label, first: "desc", isNumber: true };
}

/** What is in a column of a session. */
export function cellOf({ sort }: Column, row: SessionRow, value: ColumnValue): Child {
  if (sort.kind === "column") return PLAIN[sort.name]?.cell(row, value) ?? NONE;
  const { of, unit = "" } = value;
  if (of === undefined) return UNKNOWN;
  if (of === null) return NONE;
  if (typeof of === "number") return formatQuantity(of, nameLabel(unit, ""));
  const texts = typeof of === "string" ? [of] : of;
  return texts.map((each) => shown(sort, each)).join(", ") || "yes";
}

/** A value of the state is stored after its kind (core/state/values.ts); a tag without a value is there. */
function shown(sort: Sort, text: string): string {
  if (sort.kind !== "state") return plainText(text);
  return text.startsWith('"') ? nameLabel(text.slice(1)) : text.slice(1);
}

/**
 * The chosen columns of the parameter `columns`, which may be there several times: names divided by commas, where `\,` is a comma
 * in a name. Empty: the default ones. Unknown names are left out, and what is more than MAX_COLUMNS.
 */
export function readColumns(values: string[]): string[] {
  const known = namesIn(values).filter((name) => columnNamed(name));
  const chosen = [...new Set(known)].slice(0, MAX_COLUMNS);
  return isDefault(chosen) ? [] : chosen;
}

/** What the parameter names beside columns. */
export function unknownColumns(values: string[]): string[] {
  return namesIn(values).filter((name) => name !== "" && !columnNamed(name));
}

function namesIn(values: string[]): string[] {
  return values
    .flatMap((value) => value.split(/(?<!\\),/))
    .map((name) => name.trim().replaceAll("\\,", ","));
}

function isDefault(names: string[]): boolean {
  return (
    names.length === DEFAULT_COLUMNS.length && DEFAULT_COLUMNS.every((name) => names.includes(name))
  );
}

/** The parameter; undefined for the default columns. */
export function writeColumns(names: string[]): string | undefined {
  return names.length === 0 ? undefined : names.map((name) => name.replaceAll(",", "\\,")).join();
}

/** Boxes to tick, and a field for everything that sessions recorded under a name. */
export function ColumnFields({ chosen }: { chosen: string[] }) {
  const names = chosen.length === 0 ? DEFAULT_COLUMNS : chosen;
  const named = names.filter((name) => !Object.hasOwn(PLAIN, name));
  return (
    <details class="more-filters" open={named.length > 0}>
      <summary>Columns</summary>
      <fieldset class="kinds">
        <legend class="hidden">Columns of every session</legend>
        {PLAIN_COLUMNS.map(({ name, label }) => (
          <label class="kind">
            <input type="checkbox" name="columns" value={name} checked={names.includes(name)} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <div class="fields">
        <label class="wide">
          Metrics, events, state, tags
          <input
            name="columns"
            value={writeColumns(named) ?? ""}
            placeholder="metric.fps.p95, state.level, tag.branch"
            list="columns-list"
            autocomplete="off"
            hx-get="/suggest/columns"
            hx-include="this"
            hx-trigger={`focus once, input changed delay:${TYPING_MS}ms`}
            hx-target="#columns-list"
            hx-swap="innerHTML"
          />
          <datalist id="columns-list"></datalist>
        </label>
      </div>
    </details>
  );
}
