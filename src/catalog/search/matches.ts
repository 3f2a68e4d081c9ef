/** What of the listed sessions a search found, and where: as far as the catalog lists it. */
import { beginningOf, type Excerpt, excerptOf } from "../../core/text/excerpt.ts";
import { exceptionText, oneLine, ownTexts, searchable } from "../../core/session/searched.ts";
import { isOneOf } from "../../core/query/evaluate.ts";
import type { Found, FoundKind, Matches } from "../../core/answers/found.ts";
import type { Query, Term } from "../../core/query/tree.ts";
import { writePath } from "../../core/state/path.ts";
import { isMarker, scalarOf } from "../../core/state/values.ts";
import type { SessionRow } from "../../core/answers/session-row.ts";
import { type Row, rowsOfList, type SearchedText, unpackedAll } from "../tables/details.ts";
import { type SessionFilter, termsOf, textsOf } from "./filter.ts";
import type { KeyedList } from "./sessions.ts";
import { MAX_SHOWN_MATCHES } from "../limits.ts";

/** What was found in each session of a list, by its id. What stands in its own row is not repeated. */
export async function matchesOf(
  db: D1Database,
  { items, keys }: KeyedList,
  filter: SessionFilter,
): Promise<Map<string, Matches>> {
  const asked = askedIn(filter);
  if (Object.values(asked).every((some) => some.length === 0)) return new Map();
  const { results } = await db
    .prepare(
      `SELECT d.key, json(d.events) AS events, json(d.exceptions) AS exceptions, json(d.state) AS state, json(d.attachments) AS attachments,
         json(d.tests) AS tests, json(d.texts) AS texts
       FROM json_each(?1) AS k CROSS JOIN details AS d ON d.key = CAST(k.value AS INTEGER)`,
    )
    .bind(JSON.stringify(keys))
    .all<StoredLists>();
  const lists = new Map(results.map((row) => [row.key, row]));
  return new Map(
    items.map((row, index) => {
      const stored = lists.get(keys[index] ?? 0);
      return [row.id, matchesIn(row, stored ? listedTexts(stored) : [], asked)];
    }),
  );
}

type StoredLists = { key: number } & {
  [list in "events" | "exceptions" | "state" | "attachments" | "tests" | "texts"]: string | null;
};

/** A text of a session, and what conditions on it compare: names for an exact comparison, the value of a state path. */
type Listed = {
  kind: FoundKind;
  text: string;
  at: number;
  names: string[];
  name?: string;
  value?: string;
  isCurrent?: boolean;
};

/** The texts of the lists, with what names a failure first. */
function listedTexts(lists: Omit<StoredLists, "key">): Listed[] {
  const newest = <Item>(items: Item[]) => items.toReversed();
  const texts = rowsOfList("texts", lists.texts);
  const of = (kind: SearchedText["kind"]) =>
    newest(texts.filter((text) => text.kind === kind)).map(({ text, at, name }): Listed => ({
      kind,
      text,
      at,
      names: [],
      ...(name !== null && { name }),
    }));
  return [
    ...newest(unpackedAll("exceptions", lists.exceptions)).map((one): Listed => ({
      kind: "exception",
      text: exceptionText(one),
      at: one.first_at,
      names: [one.type, one.fingerprint],
    })),
    ...rowsOfList("tests", lists.tests).map(({ text, last, at }): Listed => ({
      kind: "test",
      text,
      at,
      names: [text, last],
    })),
    ...of("output"),
    ...rowsOfList("attachments", lists.attachments).map(({ name, at }): Listed => ({
      kind: "attachment",
      text: name,
      at,
      names: [name],
    })),
    ...unpackedAll("events", lists.events).map(({ name, first_at }): Listed => ({
      kind: "event",
      text: name,
      at: first_at,
      names: [name],
    })),
    ...of("message"),
    ...of("data"),
    ...unpackedAll("state", lists.state)
      .filter(({ value }) => !isMarker(value))
      .map(valueText),
  ];
}

function valueText({ path, value, first_at, last_at }: Row<"state">): Listed {
  return {
    kind: "state",
    text: value.slice(1),
    at: first_at,
    names: [],
    name: path,
    value,
    isCurrent: last_at === null,
  };
}

/** What a filter asks for beside the session's own row. */
type Asked = {
  /** Folded: each of these was found in every session… */
  required: string[];
  /** …and of these some. */
  terms: string[];
  conditions: ((text: Listed) => boolean)[];
};

/** What is negated is in no session that is found. */
function askedIn(filter: SessionFilter): Asked {
  const { text, phrases = [], event, exception, merged = [], test, state, query } = filter;
  const asked: Asked = {
    required: [...termsOf(text), ...phrases.map(searchable)],
    terms: [],
    conditions: [],
  };
  const named = (kind: FoundKind, names: string[]) =>
    asked.conditions.push(
      (listed) => listed.kind === kind && listed.names.some((name) => names.includes(name)),
    );
  if (event !== undefined) named("event", [event]);
  if (test !== undefined) named("test", [test]);
  if (exception !== undefined)
    named("exception", [exception, ...merged.map(({ fingerprint }) => fingerprint)]);
  if (state !== undefined) {
    const [path, texts] = [writePath(state.path), textsOf(state)];
    asked.conditions.push(
      ({ name, value = "" }) =>
        isAtOrBelow(name, path, texts === undefined) && (texts?.includes(value) ?? true),
    );
  }
  if (query) addQuery(query, asked);
  return asked;
}

function addQuery(query: Query, asked: Asked): void {
  switch (query.kind) {
    case "and":
    case "or":
      for (const part of query.of) addQuery(part, asked);
      return;
    case "phrase":
      asked.terms.push(searchable(query.text));
      return;
    case "term": {
      const condition = query.isNot ? undefined : conditionOf(query);
      if (condition) asked.conditions.push(condition);
      return;
    }
    case "not":
  }
}

/** The kinds of texts that the fields of a query look for. */
const NAMED: { [field: string]: FoundKind } = {
  event: "event",
  exception: "exception",
  test: "test",
  attachment: "attachment",
};

function conditionOf({ field, any }: Term): ((text: Listed) => boolean) | undefined {
  if (field.kind === "plain") {
    const kind = NAMED[field.name];
    if (kind === undefined) return undefined;
    const is = isOneOf(any, "text");
    return (listed) => listed.kind === kind && listed.names.some(is);
  }
  if (field.kind !== "state") return undefined;
  const path = writePath(field.path);
  const isAny = any.some(({ kind }) => kind === "any");
  const is = isOneOf(any, "value");
  return ({ name, value, isCurrent }) =>
    value !== undefined &&
    (field.when === "ever" || isCurrent === true) &&
    isAtOrBelow(name, path, isAny) &&
    (isAny || is(scalarOf(value)));
}

/** `takesBelow`: also for a path below it. */
function isAtOrBelow(path: string | undefined, asked: string, takesBelow: boolean): boolean {
  return path === asked || (takesBelow && path?.startsWith(`${asked}.`) === true);
}

/** The first text of each term and of each condition, each text once. */
function matchesIn(
  row: SessionRow,
  texts: Listed[],
  { required, terms, conditions }: Asked,
): Matches {
  const found = new Map<Listed, Found>();
  const foundAt = ({ kind, name, at }: Listed, excerpt: Excerpt) => ({
    kind,
    ...(name !== undefined && { name }),
    at,
    ...excerpt,
  });
  const own = ownTexts(row);
  const folded = texts.map(({ text }) => searchable(text));
  const elsewhere: string[] = [];
  for (const term of [...required, ...terms]) {
    if (own.some((text) => text.includes(term))) continue;
    const listed = texts[folded.findIndex((text) => text.includes(term))];
    const excerpt = listed && excerptOf(oneLine(listed.text), term);
    if (!excerpt) {
      if (required.includes(term)) elsewhere.push(term);
    } else if (!found.has(listed)) found.set(listed, foundAt(listed, excerpt));
  }
  for (const condition of conditions) {
    const listed = texts.find(condition);
    if (listed && !found.has(listed)) found.set(listed, foundAt(listed, beginningOf(listed.text)));
  }
  return { found: [...found.values()].slice(0, MAX_SHOWN_MATCHES), elsewhere };
}
