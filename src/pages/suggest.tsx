/** Suggestions for the fields of a form, as options of a datalist. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { eventNames } from "../catalog/events.ts";
import { STATUS_KINDS } from "../catalog/search/filter.ts";
import { exceptionTypes } from "../catalog/exceptions.ts";
import { metricNames } from "../catalog/metrics.ts";
import { names as namesOf } from "../catalog/names.ts";
import { statePaths, stateValues } from "../catalog/paths.ts";
import { versions } from "../catalog/products.ts";
import { recentTagValues, recentValues } from "../catalog/recent-values.ts";
import { GROUP_FIELDS } from "../core/comparison/grouping.ts";
import { fold } from "../core/text/fold.ts";
import { versionsOf } from "./search-fields.tsx";
import { asking, nameAsked } from "../core/text/names.ts";
import { readPath, writePath } from "../core/state/path.ts";
import { GROUP_LIST } from "../core/events/group-fields.ts";
import { quotedKey, quotedPath, withoutQuotes } from "../core/query/complete.ts";
import { FIGURES, sessionList } from "../core/query/fields.ts";
import { PRODUCT_TEST_LIST } from "../core/tests/fields.ts";
import { SUGGESTIONS } from "./limits.ts";
import { completions, type Offer, Options, type Recorded, sorted } from "./completion.tsx";

export const suggest = new Hono<AccessEnv>();

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
      return sorted((await stateValues(db, path, typed("value"))).items).map(offer);
    },
    events: () => names(namesOfEvents(db, nameAsked(typed("event")), product)),
    metrics: () => names(namesOfMetrics(db, nameAsked(typed("metric")), product)),
    // The last field of this name is the one that is empty at first.
    "further-metrics": () =>
      names(namesOfMetrics(db, nameAsked(c.req.queries("also")?.at(-1) ?? ""), product)),
    "x-metrics": () => names(namesOfMetrics(db, nameAsked(typed("x")), product)),
    groupings: () => groupings(db, typed("by")),
    // Those that contain what is typed: people remember the end of a version as well.
    products: async () => {
      const all = (await versions(db)).map((row) => row.product);
      return containing([...new Set(all)], nameAsked(typed("product")));
    },
    versions: async () =>
      containing(versionsOf(await versions(db), product), nameAsked(typed("version"))),
    columns: () => columnsFor(db, typed("columns")),
    query: () => completions(SESSION_LIST, typed("text"), recordedIn(db)),
    tests: () => completions(PRODUCT_TEST_LIST, typed("text"), productsIn(db)),
    exceptions: () => completions(GROUP_LIST, typed("text"), groupsIn(db)),
  };
  const offered = (await sources[c.req.param("what")]?.()) ?? [];
  return c.html(<Options offers={offered} />);
});

const offer = (value: string): Offer => ({ value });

function containing(names: string[], part: string): Offer[] {
  return names
    .filter((name) => fold(name).includes(fold(part)))
    .map(asking)
    .map(offer);
}

/** The whole list with its last name completed, since an option replaces all that a field has. */
async function columnsFor(db: D1Database, text: string): Promise<Offer[]> {
  const start = text.lastIndexOf(",") + 1;
  const [before, name] = [text.slice(0, start), text.slice(start).trimStart()];
  const [prefix, rest] = [name.slice(0, name.indexOf(".") + 1), name.slice(name.indexOf(".") + 1)];
  const found = async (): Promise<string[]> => {
    switch (prefix) {
      case "metric.": {
        const names = await namesOfMetrics(db, rest);
        return names.flatMap((metric) => FIGURES.map((figure) => `${metric}.${figure}`));
      }
      case "event.":
        return namesOfEvents(db, rest);
      case "state.":
        return (await statePaths(db, { prefix: rest })).items;
      case "tag.":
        return (await namesOf(db, "tag", { prefix: rest })).items;
      default:
        return ["metric.", "event.", "state.", "tag."].filter((each) => each.startsWith(name));
    }
  };
  return (await found()).map((each) => offer(`${before}${prefix}${each.replaceAll(",", "\\,")}`));
}

async function namesOfEvents(db: D1Database, prefix: string, product?: string): Promise<string[]> {
  return (await eventNames(db, { prefix, product })).items;
}

async function namesOfMetrics(db: D1Database, prefix: string, product?: string): Promise<string[]> {
  return (await metricNames(db, { prefix, product })).items.map(({ name }) => name);
}

const SESSION_LIST = sessionList(STATUS_KINDS);

/** What sessions can be grouped by: a field that is typed whole is one, so the others are offered beside it. */
async function groupings(db: D1Database, text: string): Promise<Offer[]> {
  const isChosen = GROUP_FIELDS.some((field) => field === text);
  const typed = isChosen ? "" : text;
  const path = typed.startsWith("state.") ? typed.slice("state.".length) : undefined;
  if (path !== undefined) {
    const { items } = await statePaths(db, { prefix: path });
    return sorted(items).map((each) => offer(`state.${each}`));
  }
  if (typed.startsWith("tag.")) {
    const { items } = await namesOf(db, "tag", { prefix: typed.slice("tag.".length) });
    return sorted(items).map((each) => offer(`tag.${each}`));
  }
  return [...GROUP_FIELDS, "tag.", "state."].filter((each) => each.startsWith(typed)).map(offer);
}

/** What the catalog has for a query for sessions. */
function recordedIn(db: D1Database): Recorded {
  return {
    below: async (prefix, typed) => {
      if (prefix === "metric") {
        const names = await namesOfMetrics(db, typed);
        return names
          .filter((name) => !/[\s():",]/.test(name))
          .flatMap((name) => FIGURES.map((figure) => `${name}.${figure}:`));
      }
      if (prefix === "tag") {
        const { items } = await namesOf(db, "tag", {
          prefix: withoutQuotes(typed).replaceAll("\\", ""),
        });
        return items.map((key) => `${quotedKey(key)}:`);
      }
      const { items } = await statePaths(db, { prefix: withoutQuotes(typed) });
      return items.map((path) => `${quotedPath(path)}:`);
    },
    values: async (field, typed) => {
      if (field.kind === "state")
        return (await stateValues(db, writePath(field.path), typed)).items;
      if (field.kind === "tag") return recentTagValues(db, field.key);
      if (field.kind !== "plain") return [];
      switch (field.name) {
        case "started":
        case "ended":
        case "seen":
          return RECENT_TIMES;
        case "exception":
          return exceptionTypes(db, typed, SUGGESTIONS);
        case "product":
        case "version":
          return namesOfVersions(db, field.name);
        case "event":
          return namesOfEvents(db, typed);
        case "metric":
          return namesOfMetrics(db, typed);
        default:
          return recentValues(db, field.name, typed);
      }
    },
  };
}

const RECENT_TIMES = ["today", "yesterday"];

/** For a query for tests, the products that have some: other values are those of a product. */
function productsIn(db: D1Database): Recorded {
  return {
    below: async () => [],
    values: async (field) => {
      if (field.kind !== "plain" || field.name !== "product") return [];
      const known = await versions(db);
      return known.filter((row) => row.test_runs > 0).map((row) => row.product);
    },
  };
}

/** What the catalog has for a query for exception groups. */
function groupsIn(db: D1Database): Recorded {
  return {
    below: async () => [],
    values: async (field, typed) => {
      if (field.kind !== "plain") return [];
      switch (field.name) {
        case "type":
        case "exception":
          return exceptionTypes(db, typed, SUGGESTIONS);
        case "product":
        case "version":
          return namesOfVersions(db, field.name);
        default:
          return [];
      }
    },
  };
}

async function namesOfVersions(db: D1Database, name: "product" | "version"): Promise<string[]> {
  return (await versions(db)).map((row) => row[name]);
}
