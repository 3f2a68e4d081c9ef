/**
 * Whether a session passes a query (core/query), by all that it has recorded. The meaning is that of the catalog's query, which has
 * only what the catalog lists.
 */
import { ranMs } from "../session/duration.ts";
import { all, any, type Known, not } from "../query/known.ts";
import { isOneOf } from "../query/evaluate.ts";
import type { Match, Query, Term } from "../query/tree.ts";
import { oneLine, searchable } from "../session/searched.ts";
import { timesOf } from "../session/session-index.ts";
import { type OwnRow, ownRow } from "../session/own-row.ts";
import { scalarOf } from "../state/values.ts";
import { readTag } from "../text/tag.ts";
import {
  hadAttachment,
  hadEvent,
  hadException,
  hadFigure,
  hadMetric,
  hadTag,
  hadTerms,
  hadTest,
  hadValue,
  hasValue,
  type Recorded,
} from "./recorded.ts";

type Asked = Recorded & { row: OwnRow };

/** Null: not known. */
export function passes(of: Recorded, query: Query): Known {
  return known({ ...of, row: ownRow(of.index, of.now) }, query);
}

function known(of: Asked, query: Query): Known {
  switch (query.kind) {
    case "and":
      return all(query.of.map((part) => () => known(of, part)));
    case "or":
      return any(query.of.map((part) => () => known(of, part)));
    case "not":
      return not(known(of, query.of));
    case "phrase":
      return hadTerms(of, [searchable(query.text)]);
    case "term":
      return query.isNot ? others(of, query) : meets(of, query);
  }
}

/** Something is there, and none of it is what the term names. */
function others(of: Asked, term: Term): Known {
  const same = { ...term, isNot: false };
  return all([() => meets(of, { ...same, any: [{ kind: "any" }] }), () => not(meets(of, same))]);
}

function meets(of: Asked, { field, any: matches }: Term): Known {
  switch (field.kind) {
    case "plain":
      return plain(of, field.name, matches);
    case "tag":
      return hadTag(of, isTag(field.key, matches));
    case "metric":
      return hadFigure(of, field.metric, field.statistic, areNumbers(matches));
    case "state": {
      const isOne = isOneOf(matches, "value");
      const isAny = matches.some(({ kind }) => kind === "any");
      const is = isAny ? undefined : (text: string) => isOne(scalarOf(text));
      if (field.when === "ever") return hadValue(of, field.path, is);
      return (field.when === "state" || !of.row.is_open) && hasValue(of, field.path, is);
    }
  }
}

function isTag(asked: string, matches: Match[]): (tag: string) => boolean {
  const isOne = isOneOf(matches, "text");
  const isAny = matches.some(({ kind }) => kind === "any");
  return (tag) => {
    const { key, value } = readTag(tag);
    return key === asked && (isAny || isOne(value));
  };
}

function areNumbers(matches: Match[]): (number: number | null) => boolean {
  const isOne = isOneOf(matches, "number");
  return (number) => number !== null && isOne(number);
}

function plain(of: Asked, name: string, matches: Match[]): Known {
  const is = isOneOf(matches, "text");
  const { row } = of;
  const texts = TEXTS[name];
  if (texts) return texts(row).some(name === "version" ? isOneOf(matches, "version") : is);
  const number = NUMBERS[name];
  if (number) return areNumbers(matches)(number(of));
  switch (name) {
    case "event":
      return hadEvent(of, is);
    case "metric":
      return hadMetric(of, is);
    case "tag":
      return hadTag(of, is);
    case "exception":
      return hadException(of, ({ type, fingerprint }) => is(type) || is(fingerprint));
    case "attachment":
      return hadAttachment(of, is);
    case "test":
      return hadTest(of, ({ text, last }) => is(text) || is(last));
    case "verdict":
      return isOneOf(matches, "contained")(oneLine(row.headline));
    case "status":
    case "is":
      return matches.some((match) => match.kind === "any" || isStatus(row, match));
    case "has":
      return matches.some((match) => match.kind === "any" || hasRecorded(row, match));
    default:
      throw new Error(`The field ${name} is not asked of a session.`);
  }
}

const TEXTS: { [field: string]: (row: OwnRow) => string[] } = {
  id: ({ id }) => [id],
  product: ({ product }) => [product],
  version: ({ version }) => [version],
  machine: ({ hostname, machine_id }) => [hostname, machine_id],
  os: ({ os }) => [os],
  language: ({ language }) => [language],
  browser: ({ browser }) => [browser],
  signal: ({ signal }) => [signal ?? ""],
};

const NUMBERS: { [field: string]: (of: Asked) => number | null } = {
  exit_code: ({ row }) => row.exit_code ?? null,
  started: ({ row }) => row.created_at,
  ended: ({ row }) => row.ended_at ?? null,
  seen: ({ row }) => row.received_at,
  ran: ({ index, now }) => ranMs(timesOf(index, now), now),
  stored: ({ store }) => store.bytes,
  events: ({ row }) => row.events,
  exceptions: ({ row }) => row.exceptions,
  states: ({ row }) => row.states,
  tests: ({ row }) => row.tests,
  failed_tests: ({ row }) => row.failed_tests,
  points: ({ row }) => row.points,
  series: ({ row }) => row.series,
  attachments: ({ row }) => row.attachments,
};

function isStatus(row: OwnRow, match: Match): boolean {
  const { status, failed, ever_hung, recovered } = row;
  switch (match.kind === "is" ? match.text : "") {
    case "failed":
      return failed;
    case "succeeded":
      return status === "ended" && !failed;
    case "ever_hung":
      return ever_hung;
    case "hung_recovered":
      return ever_hung && recovered && status !== "hung";
    case "hung_ended":
      return ever_hung && status === "ended";
    case "hung_crashed":
      return ever_hung && status === "crashed";
    default:
      return match.kind === "is" && status === match.text;
  }
}

const HAS: { [what: string]: (row: OwnRow) => boolean } = {
  event: (row) => row.events > 0,
  exception: (row) => row.exceptions > 0,
  metric: (row) => row.points > 0,
  state: (row) => row.states > 0,
  tag: (row) => row.tags !== "[]",
  hang: (row) => row.ever_hung,
  heartbeat: (row) => typeof row.last_heartbeat_at === "number",
  exit_code: (row) => typeof row.exit_code === "number",
  signal: (row) => typeof row.signal === "string",
  test: (row) => row.tests > 0,
  attachment: (row) => row.attachments > 0,
};

function hasRecorded(row: OwnRow, match: Match): boolean {
  return match.kind === "is" && HAS[match.text]?.(row) === true;
}
