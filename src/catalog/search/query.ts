/** Compiles filters and queries (core/query) to conditions on sessions. */
import { type SQL, sql } from "drizzle-orm";
import { searchable } from "../../core/session/searched.ts";
import type { Match, Query, Term } from "../../core/query/tree.ts";
import { fold } from "../../core/text/fold.ts";
import {
  type Candidates,
  EVERY_SESSION,
  having,
  all,
  any as anyOfThese,
  withPart,
  withTerm,
} from "./candidates.ts";
import {
  attachmentNamed,
  both,
  certain,
  type Condition,
  containing,
  containingText,
  either,
  eventNamed,
  EVERY,
  exceptionIs,
  figureIs,
  hadFingerprint,
  metricNamed,
  not,
  tagged,
  tagIs,
  testNamed,
} from "./conditions.ts";
import { everHad, stateIs } from "./state-conditions.ts";
import { KIND, RAN_MS, type SessionFilter, type StatusKind, termsOf, textsOf } from "./filter.ts";
import { anyOf, hasInOrder, numberIs, textIs } from "./matching.ts";
import { TOKEN } from "../tables/posting.ts";

/** The filter without its query. */
export function conditionOf(filter: SessionFilter): Condition {
  const { event, exception, merged = [], metric, tag, state, test, phrases = [] } = filter;
  const parts: Condition[] = [...ownConditions(filter)];
  for (const term of termsOf(filter.text)) parts.push(containing(term));
  for (const phrase of phrases) parts.push(containing(searchable(phrase)));
  if (event !== undefined) parts.push(eventNamed(exactly(event)));
  if (exception !== undefined) parts.push(hadFingerprint(exception, merged));
  if (metric !== undefined) parts.push(metricNamed(exactly(metric)));
  if (test !== undefined) parts.push(testNamed(exactly(test)));
  if (tag !== undefined) parts.push(tagged(exactly(tag)));
  if (state !== undefined) {
    const texts = textsOf(state);
    parts.push(texts ? everHad(state.path, texts) : stateIs("ever", state.path, [{ kind: "any" }]));
  }
  return both(parts);
}

function exactly(text: string): Match[] {
  return [{ kind: "is", text, isQuoted: true }];
}

/** Those on columns of the session's row. */
function ownConditions({
  product,
  version,
  status,
  machine,
  hostname,
  from,
  to,
}: SessionFilter): Condition[] {
  const parts: Condition[] = [];
  const add = (condition: SQL, among?: Candidates) => parts.push(certain(condition, among));
  if (product !== undefined && version !== undefined)
    add(
      sql`s.product = ${product} AND s.version = ${version}`,
      having(TOKEN.versionOf(product, version)),
    );
  else if (product !== undefined) add(sql`s.product = ${product}`, having(TOKEN.product(product)));
  else if (version !== undefined) add(sql`s.version = ${version}`, having(TOKEN.version(version)));
  if (status?.length) parts.push(either(status.map(statusIs)));
  if (machine !== undefined) add(sql`s.machine_id = ${machine}`, having(TOKEN.machine(machine)));
  if (hostname !== undefined) add(sql`s.hostname = ${hostname}`, having(TOKEN.hostname(hostname)));
  if (from !== undefined) add(sql`s.created_at >= ${from}`);
  if (to !== undefined) add(sql`s.created_at < ${to}`);
  return parts;
}

function statusIs(kind: StatusKind): Condition {
  const tokens = STATUS_TOKENS[kind].map((each) => having(TOKEN.status(each)));
  return certain(KIND[kind], all(tokens));
}

/** The tokens that sessions of this kind have, among others. */
const STATUS_TOKENS: { [kind in StatusKind]: string[] } = {
  active: ["active"],
  suspended: ["suspended"],
  hung: ["hung"],
  crashed: ["crashed"],
  ended: ["ended"],
  failed: ["failed"],
  succeeded: ["succeeded"],
  ever_hung: ["ever_hung"],
  hung_recovered: ["ever_hung"],
  hung_ended: ["ever_hung", "ended"],
  hung_crashed: ["ever_hung", "crashed"],
};

/** Its ranges of versions are lists (version-ranges.ts). */
export function compile(query: Query | undefined): Condition {
  if (query === undefined) return EVERY;
  switch (query.kind) {
    case "and":
      return both(query.of.map(compile));
    case "or":
      return either(query.of.map(compile));
    case "not":
      return not(compile(query.of));
    case "phrase":
      return containingText(query.text);
    case "term":
      return query.isNot ? others(query) : compileTerm(query);
  }
}

/** Something is there, and none of it is what the term names. */
function others(term: Term): Condition {
  const same = { ...term, isNot: false };
  return both([compileTerm({ ...same, any: [{ kind: "any" }] }), not(compileTerm(same))]);
}

function compileTerm({ field, any }: Term): Condition {
  switch (field.kind) {
    case "plain":
      return plain(field.name, any);
    case "tag":
      return tagIs(field.key, any);
    case "metric":
      return figureIs(field.metric, field.statistic, any);
    case "state":
      return stateIs(field.when, field.path, any);
  }
}

function plain(name: string, any: Match[]): Condition {
  const text = TEXTS[name];
  if (text) return certain(textIs(text.column, any), text.among(any));
  const number = NUMBERS[name];
  if (number)
    return certain(
      anyOf(any, (match) => numberIs(sql.raw(number.column), match)),
      number.has === undefined ? EVERY_SESSION : having(TOKEN.has(number.has)),
    );
  const listed = LISTED[name];
  if (listed) return listed(any);
  switch (name) {
    case "status":
    case "is":
      return either(
        any.map((match) => (match.kind === "is" ? statusIs(match.text as StatusKind) : EVERY)),
      ); // as: the parser checked it
    case "has":
      return either(any.map((match) => (match.kind === "is" ? recordedAny(match.text) : EVERY)));
    case "machine":
      return either([
        certain(textIs(sql`s.hostname`, any), inRow(any, TOKEN.hostname)),
        certain(textIs(sql`s.machine_id`, any), inRow(any, TOKEN.machine)),
      ]);
    case "verdict":
      return either(any.map(inVerdict));
    default:
      throw new Error(`The field ${name} is not compiled.`);
  }
}

const LISTED: { [field: string]: (any: Match[]) => Condition } = {
  tag: tagged,
  event: eventNamed,
  metric: metricNamed,
  exception: exceptionIs,
  attachment: attachmentNamed,
  test: testNamed,
};

type TextField = { column: SQL; among: (any: Match[]) => Candidates };

/** Candidates by a text that stands in sessions.search. */
function inRow(any: Match[], token: (text: string) => string): Candidates {
  return anyOfThese(
    any.map((match) => {
      if (match.kind === "is") return having(token(match.text));
      if (match.kind !== "like") return EVERY_SESSION;
      return all([match.start, match.middle, match.end].map((part) => withPart(part, 0)));
    }),
  );
}

/** Candidates by a text that does not. */
function byToken(any: Match[], token: (text: string) => string): Candidates {
  return anyOfThese(
    any.map((match) => (match.kind === "is" ? having(token(match.text)) : EVERY_SESSION)),
  );
}

const TEXTS: { [field: string]: TextField } = {
  id: { column: sql`s.id`, among: (any) => inRow(any, TOKEN.id) },
  product: { column: sql`s.product`, among: (any) => inRow(any, TOKEN.product) },
  version: { column: sql`s.version`, among: (any) => inRow(any, TOKEN.version) },
  os: { column: sql`s.os`, among: (any) => byToken(any, TOKEN.os) },
  language: { column: sql`s.language`, among: (any) => byToken(any, TOKEN.language) },
  browser: { column: sql`s.browser`, among: (any) => byToken(any, TOKEN.browser) },
  signal: {
    column: sql`coalesce(s.signal, '')`,
    among: (any) =>
      any.some((match) => match.kind === "is" && match.text === "")
        ? EVERY_SESSION
        : having(TOKEN.has("signal")),
  },
};

const NUMBERS: { [field: string]: { column: string; has?: string } } = {
  exit_code: { column: "s.exit_code", has: "exit_code" },
  started: { column: "s.created_at" },
  ended: { column: "s.ended_at" },
  seen: { column: "s.received_at" },
  ran: { column: RAN_MS },
  stored: { column: "s.bytes" },
  events: { column: "s.events" },
  exceptions: { column: "s.exceptions" },
  states: { column: "s.states" },
  tests: { column: "s.tests" },
  failed_tests: { column: "s.failed_tests" },
  points: { column: "s.points" },
  series: { column: "s.series" },
  attachments: { column: "s.attachments" },
};

const HAS: { [what: string]: SQL } = {
  event: sql`s.events > 0`,
  exception: sql`s.exceptions > 0`,
  metric: sql`s.points > 0`,
  state: sql`s.states > 0`,
  tag: sql`s.tags <> '[]'`,
  hang: sql`s.ever_hung = 1`,
  heartbeat: sql`s.last_heartbeat_at IS NOT NULL`,
  exit_code: sql`s.exit_code IS NOT NULL`,
  signal: sql`s.signal IS NOT NULL`,
  test: sql`s.tests > 0`,
  attachment: sql`s.attachments > 0`,
};

function recordedAny(what: string): Condition {
  return certain(HAS[what] ?? sql`0`, having(TOKEN.has(what)));
}

/** The verdict contains the parts of the text in their order. */
function inVerdict(match: Match): Condition {
  if (match.kind === "any") return certain(sql`s.headline <> ''`);
  const folded = partsOf(match)
    .filter((part) => part !== "")
    .map(fold);
  return certain(hasInOrder(VERDICT, folded), all(folded.map((part) => withTerm(part, 0))));
}

/** A text, or what is between the stars of a pattern. */
function partsOf(match: Match): string[] {
  if (match.kind === "is") return [match.text];
  return match.kind === "like" ? [match.start, match.middle, match.end] : [];
}

/** The first line of what ownTexts (core/session/searched.ts) gives. */
const VERDICT = sql.raw("substr(s.search, 1, instr(s.search, char(10)) - 1)");
