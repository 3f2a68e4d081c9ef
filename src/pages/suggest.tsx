/** Suggestions for the fields of a form, as options of a datalist. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { eventNames } from "../catalog/events.ts";
import { STATUS_KINDS } from "../catalog/filter.ts";
import { metricNames } from "../catalog/metrics.ts";
import { statePaths, stateValues } from "../catalog/paths.ts";
import { versions } from "../catalog/products.ts";
import { asking, nameAsked } from "../core/text/names.ts";
import { readPath, writePath } from "../core/state/path.ts";
import { openTermOf, quoted, quotedPath } from "../core/query/complete.ts";
import { type FieldInfo, fieldsOf, FIGURES, PREFIXES } from "../core/query/fields.ts";
import { fieldNamed } from "../core/query/names.ts";
import { SUGGESTIONS } from "./limits.ts";
import { BY_NAME } from "./ui/order.ts";

export const suggest = new Hono<AccessEnv>();

type Offer = { value: string; about?: string };

suggest.get("/suggest/:what", async (c) => {
  const db = c.env.CATALOG;
  const typed = (name: string) => c.req.query(name) ?? "";
  const product = typed("product") === "" ? undefined : nameAsked(typed("product"));
  const names = async (found: Promise<string[]>) =>
    sorted(await found)
      .map(asking)
      .map(offer);
  const sources: Record<string, () => Promise<Offer[]>> = {
    "state-paths": async () => {
      const { items } = await statePaths(db, { prefix: typed("path") });
      return sorted(items.map((path) => path || '[""]')).map(offer);
    },
    "state-values": async () => {
      const path = writePath(readPath(typed("path")) ?? []);
      return sorted(await stateValues(db, path, typed("value"))).map(offer);
    },
    events: () => names(namesOfEvents(db, nameAsked(typed("event")), product)),
    metrics: () => names(namesOfMetrics(db, nameAsked(typed("metric")), product)),
    query: () => completions(db, typed("text")),
  };
  const offered = (await sources[c.req.param("what")]?.()) ?? [];
  return c.html(
    <>
      {offered.slice(0, SUGGESTIONS).map(({ value, about }) => (
        <option value={value}>{about}</option>
      ))}
    </>,
  );
});

const offer = (value: string): Offer => ({ value });

function sorted(texts: string[]): string[] {
  return texts.toSorted(BY_NAME.compare);
}

async function namesOfEvents(db: D1Database, prefix: string, product?: string): Promise<string[]> {
  return (await eventNames(db, { prefix, product })).items;
}

async function namesOfMetrics(db: D1Database, prefix: string, product?: string): Promise<string[]> {
  return (await metricNames(db, { prefix, product })).items.map(({ name }) => name);
}

/** The whole query with its last name or value completed, since an option replaces all that a field has. */
async function completions(db: D1Database, text: string): Promise<Offer[]> {
  const { before, field, typed } = openTermOf(text);
  const found =
    field === undefined ? await fieldsFor(db, typed) : await valuesFor(db, field, typed);
  return found.map(({ value, about }) => ({ value: before + value, about }));
}

async function fieldsFor(db: D1Database, typed: string): Promise<Offer[]> {
  if (typed === "") return [];
  const dot = typed.indexOf(".");
  const [prefix, rest] = dot < 0 ? ["", ""] : [typed.slice(0, dot), typed.slice(dot + 1)];
  if (prefix === "state" || prefix === "ever" || prefix === "at_end") {
    const { items } = await statePaths(db, { prefix: rest });
    return items.map((path) => ({ value: `${prefix}.${quotedPath(path)}:` }));
  }
  if (prefix === "metric") {
    const names = await namesOfMetrics(db, rest);
    return names.flatMap((name) =>
      /[\s():",]/.test(name)
        ? []
        : FIGURES.map((figure) => ({ value: `metric.${name}.${figure}:` })),
    );
  }
  return [
    ...fieldsOf(STATUS_KINDS).map(({ name, about }) => ({ value: `${name}:`, about })),
    ...PREFIXES.map(({ name, about }) => ({ value: `${name}.`, about })),
  ].filter(({ value }) => value.startsWith(typed.toLowerCase()));
}

const FIELDS = new Map(
  fieldsOf(STATUS_KINDS).map((field): [string, FieldInfo] => [field.name, field]),
);

async function valuesFor(db: D1Database, name: string, typed: string): Promise<Offer[]> {
  const found = fieldNamed(name, FIELDS);
  if (!found) return [];
  const { field, info } = found;
  const beginning = (values: readonly string[]) =>
    sorted([...new Set(values)].filter((value) => value !== "" && value.startsWith(typed)))
      .map(quoted)
      .map(offer);
  if (field.kind === "state") return beginning(await stateValues(db, writePath(field.path), typed));
  if (info.choices) return beginning(info.choices);
  if (field.kind !== "plain") return [];
  switch (field.name) {
    case "product":
      return beginning((await versions(db)).map(({ product }) => product));
    case "version":
      return beginning((await versions(db)).map(({ version }) => version));
    case "event":
      return beginning(await namesOfEvents(db, typed));
    case "metric":
      return beginning(await namesOfMetrics(db, typed));
    default:
      return [];
  }
}
