/**
 * The tokens of a session in the full-text index `postings`, by which sessions are looked up. They are a superset: a session whose lists are complete
 * has the token of everything that is looked up here, and what a token found is verified on its rows.
 *
 * An exact token is a letter for its kind and a hash of the text. The grams of a text are every two and three characters that
 * follow each other, and each character that is not ASCII: a text that contains a term has all grams of the term. All tokens
 * consist of ASCII letters and digits.
 */
import { hash } from "../../core/hash.ts";
import { readPath, writePath } from "../../core/state/path.ts";
import { readTag } from "../../core/text/tag.ts";
import type { Publication } from "./publication.ts";

/** The letter, and 53 bits in base 36. */
function exact(kind: string, ...parts: string[]): string {
  const digits = hash(parts.length === 1 ? (parts[0] ?? "") : JSON.stringify(parts));
  const high = Number.parseInt(digits.slice(0, 8), 16);
  const low = Number.parseInt(digits.slice(8), 16);
  return kind + (high * 2 ** 21 + (low >>> 11)).toString(36);
}

/** Tokens of what is looked up as a whole. */
export const TOKEN = {
  id: (id: string) => exact("i", id),
  product: (product: string) => exact("p", product),
  version: (version: string) => exact("v", version),
  versionOf: (product: string, version: string) => exact("w", product, version),
  machine: (machineId: string) => exact("m", machineId),
  hostname: (hostname: string) => exact("n", hostname),
  os: (os: string) => exact("o", os),
  language: (language: string) => exact("l", language),
  browser: (browser: string) => exact("b", browser),
  /** A status; or `open`, `failed`, `succeeded`, `ever_hung`. */
  status: (kind: string) => exact("s", kind),
  /** As core/query/fields.ts has them. */
  has: (what: string) => exact("c", what),
  tag: (tag: string) => exact("t", tag),
  /** As core/text/tag.ts divides a tag. */
  tagKey: (key: string) => exact("u", key),
  event: (name: string) => exact("e", name),
  fingerprint: (fingerprint: string) => exact("f", fingerprint),
  exceptionType: (type: string) => exact("x", type),
  metric: (name: string) => exact("q", name),
  /** As core/state/path.ts writes it; a path has the tokens of all paths above it. */
  path: (path: string) => exact("k", path),
  /** A value that the path ever had (core/state/values.ts). */
  value: (path: string, value: string) => exact("y", path, value),
  /** Its whole name (core/tests/id.ts testName), and the last part of it. */
  test: (text: string) => exact("d", text),
  attachment: (name: string) => exact("a", name),
} as const;

/** The tokens of what stands in the session's own row. */
export function rowTokens(session: Publication["session"]): Set<string> {
  const { product, version, status, failed } = session;
  const tags = JSON.parse(session.tags) as string[]; // of its publication
  const has: { [what: string]: unknown } = {
    event: session.events > 0,
    exception: session.exceptions > 0,
    metric: session.points > 0,
    state: session.states > 0,
    tag: tags.length > 0,
    hang: session.ever_hung,
    heartbeat: session.last_heartbeat_at !== null,
    exit_code: session.exit_code !== null,
    signal: session.signal !== null,
    test: session.tests > 0,
    attachment: session.attachments > 0,
  };
  const statuses: { [kind: string]: boolean } = {
    [status]: true,
    open: session.is_open,
    failed,
    succeeded: status === "ended" && !failed,
    ever_hung: session.ever_hung,
  };
  return new Set([
    TOKEN.id(session.id),
    TOKEN.product(product),
    TOKEN.version(version),
    TOKEN.versionOf(product, version),
    TOKEN.machine(session.machine_id),
    TOKEN.hostname(session.hostname),
    TOKEN.os(session.os),
    TOKEN.language(session.language),
    TOKEN.browser(session.browser),
    ...namesOf(statuses).map(TOKEN.status),
    ...namesOf(has).map(TOKEN.has),
    ...tags.flatMap((tag) => [TOKEN.tag(tag), TOKEN.tagKey(readTag(tag).key)]),
    ...gramsOf(session.search),
  ]);
}

function namesOf(of: { [name: string]: unknown }): string[] {
  return Object.keys(of).filter((name) => of[name]);
}

/** The tokens of what stands in its lists. */
export function listTokens(of: Publication): Set<string> {
  const paths = new Set(of.state_values.flatMap(({ path }) => [path, ...pathsAbove(path)]));
  return new Set([
    ...of.event_counts.map(({ name }) => TOKEN.event(name)),
    ...of.exceptions.flatMap(({ fingerprint, type }) => [
      TOKEN.fingerprint(fingerprint),
      TOKEN.exceptionType(type),
    ]),
    ...of.metrics.map(({ name }) => TOKEN.metric(name)),
    ...[...paths].map(TOKEN.path),
    ...of.state_values.map(({ path, value }) => TOKEN.value(path, value)),
    ...of.attachments.map(({ name }) => TOKEN.attachment(name)),
    ...of.tests.flatMap(({ text, last }) => [TOKEN.test(text), TOKEN.test(last)]),
    ...gramsOf(of.searched),
  ]);
}

function pathsAbove(path: string): string[] {
  const keys = readPath(path) ?? [];
  return keys.slice(1).map((_, index) => writePath(keys.slice(0, index + 1)));
}

/** The grams of a folded text: those of each of its lines. */
function gramsOf(text: string): Set<string> {
  const grams = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    const first = text.charCodeAt(at);
    if (first === LINE_BREAK) continue;
    if (first > LAST_ASCII) grams.add(gramOf(first));
    const second = text.charCodeAt(at + 1); // NaN after the end
    if (!(second >= 0) || second === LINE_BREAK) continue;
    grams.add(gramOf(first, second));
    const third = text.charCodeAt(at + 2);
    if (third >= 0 && third !== LINE_BREAK) grams.add(gramOf(first, second, third));
  }
  return grams;
}

const LINE_BREAK = 10;
const LAST_ASCII = 127;

/** The code units as one number, of seven bits each if all are ASCII. */
function gramOf(first: number, second = 0, third = 0): string {
  const isAscii = (first | second | third) <= LAST_ASCII;
  const base = isAscii ? 2 ** 7 : 2 ** 16;
  return (isAscii ? "g" : "h") + ((first * base + second) * base + third).toString(36);
}

/** The grams that a text with this folded term has, without those that follow from the others; none if it may be in any text. */
export function gramsOfTerm(term: string): string[] {
  const grams = new Set<string>();
  for (const line of term.split("\n")) {
    if (line.length === 1 && line.charCodeAt(0) > LAST_ASCII) grams.add(gramOf(line.charCodeAt(0)));
    if (line.length === 2) grams.add(gramOf(line.charCodeAt(0), line.charCodeAt(1)));
    for (let at = 0; at + 2 < line.length; at++)
      grams.add(gramOf(line.charCodeAt(at), line.charCodeAt(at + 1), line.charCodeAt(at + 2)));
  }
  return [...grams];
}
