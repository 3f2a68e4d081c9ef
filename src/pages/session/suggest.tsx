/** Completes the queries of a session's page, with what the session recorded. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { EventRow } from "../../core/answers/events.ts";
import { EVENT_LIST } from "../../core/events/fields.ts";
import { SERIES_LIST } from "../../core/metrics/fields.ts";
import { TEST_LIST } from "../../core/tests/fields.ts";
import { quotedPath } from "../../core/query/complete.ts";
import { isObject } from "../../core/state/merge.ts";
import { escaped, writePath } from "../../core/state/path.ts";
import { readTag } from "../../core/text/tag.ts";
import type { Json } from "../../core/wire.ts";
import type { SessionClient } from "../../session/client.ts";
import { completions, Options, type Recorded, sorted } from "../completion.tsx";
import { LIST_ROWS } from "../limits.ts";
import { sessionIn } from "./view.ts";

export const suggestRoutes = new Hono<AccessEnv>();

suggestRoutes.get("/sessions/:id/suggest/events", async (c) => {
  const recorded = eventsOf(sessionIn(c));
  return c.html(
    <Options offers={await completions(EVENT_LIST, c.req.query("text") ?? "", recorded)} />,
  );
});

suggestRoutes.get("/sessions/:id/suggest/metrics", async (c) => {
  const recorded = seriesOf(sessionIn(c));
  return c.html(
    <Options offers={await completions(SERIES_LIST, c.req.query("metric") ?? "", recorded)} />,
  );
});

suggestRoutes.get("/sessions/:id/suggest/tests", async (c) => {
  const recorded = testsOf(sessionIn(c));
  return c.html(
    <Options offers={await completions(TEST_LIST, c.req.query("text") ?? "", recorded)} />,
  );
});

/** Names and categories are complete as far as they are counted; data, tags and groups are those of the newest events. */
function eventsOf(session: SessionClient): Recorded {
  const counted = () => session.ask("eventCounts");
  const newest = async () =>
    (await session.ask("events", { order: "desc", limit: LIST_ROWS })).items;
  return {
    below: async (prefix) => {
      if (prefix === "tag") return keysOf((await newest()).flatMap(({ labels = [] }) => labels));
      const paths = (await newest()).flatMap((event) => pathsOf(event, prefix));
      return sorted([...new Set(paths)]).map((path) => `${path}:`);
    },
    values: async (field) => {
      if (field.kind !== "plain" || field.path) return [];
      switch (field.name) {
        case "name":
        case "event":
          return (await counted()).map(({ name }) => name);
        case "category":
          return (await counted()).map(({ category }) => category);
        case "exception":
          return (await session.ask("exceptions")).map(({ type }) => type);
        case "group":
          return (await newest()).flatMap(({ group = [] }) => group);
        case "tag":
        case "label":
          return (await newest()).flatMap(({ labels = [] }) => labels);
        default:
          return [];
      }
    },
  };
}

function seriesOf(session: SessionClient): Recorded {
  const tags = async () => (await session.ask("series")).flatMap((series) => series.tags);
  return {
    below: async () => keysOf(await tags()),
    values: async (field) => {
      if (field.kind !== "plain") return [];
      if (field.name === "tag") return tags();
      const series = await session.ask("series");
      if (field.name === "unit") return series.map(({ unit }) => unit);
      const isName = field.name === "name" || field.name === "metric";
      return isName ? series.map(({ name }) => name) : [];
    },
  };
}

/** Files, as far as they are the first parts of ids. */
function testsOf(session: SessionClient): Recorded {
  return {
    below: async () => [],
    values: async (field) => {
      if (field.kind !== "plain" || field.name !== "file") return [];
      return (await session.ask("testSuites")).items.map(({ part }) => part);
    },
  };
}

/** The keys of tags, as a query has them before their values. */
function keysOf(tags: string[]): string[] {
  const keys = new Set(tags.map((tag) => quotedPath(escaped(readTag(tag).key))));
  return sorted([...keys]).map((key) => `${key}:`);
}

/** The paths of an event, as a query has them. */
function pathsOf({ data, attributes }: EventRow, prefix: string): string[] {
  return pathsIn((prefix === "data" ? data : attributes) ?? {}, []).map((path) =>
    quotedPath(writePath(path)),
  );
}

/** Of everything that is no object. */
function pathsIn(value: Json, path: string[]): string[][] {
  if (!isObject(value)) return [path];
  return Object.entries(value).flatMap(([key, below]) => pathsIn(below, [...path, key]));
}
