/**
 * Redaction of secrets by the name and by the format of a value (clients/README.md, "Secrets"): in the client, in the daemon and in the
 * session object. Redacting again changes nothing.
 */
import { FIRST_READ, MIN_READ } from "./limits.ts";
import { withAwsSecrets } from "./aws.ts";
import { Candidates } from "./candidates.ts";
import {
  isHeader,
  isHidden,
  NAME,
  type NameClass,
  nameClass,
  numberOf,
  optionClass,
} from "./names.ts";
import { NO_RULES, type OwnRules } from "./own.ts";
import { type Finding, MARK, REDACTED } from "./text.ts";
import type { Json } from "../wire.ts";

/** Fields of an op that are its kind, its numbers and what identifies it: they are compared, not read. */
const IDENTIFYING = /* @__PURE__ */ new Set(
  "op at seq type name category group product version unit tags recorded_at values counts bounds buckets".split(
    " ",
  ),
);

/** The name of an attachment is what its program chose, and its checksum has no secret. */
const OF_ATTACHMENT = /* @__PURE__ */ new Set(["op", "id", "sha256", "group"]);

export class Redactor {
  readonly #candidates: Candidates;
  readonly #names: ReadonlySet<string>;
  readonly #keep: ReadonlySet<string>;

  constructor(own: OwnRules = NO_RULES) {
    this.#candidates = new Candidates(own);
    this.#names = new Set(own.names.map((name) => name.toLowerCase()));
    this.#keep = new Set(own.keep);
  }

  /**
   * The text with each secret in it replaced by a mark; the text itself if it contains none. `most` is the limit of bytes over which the
   * op that has the text is cut or refused: of a longer text, only what may be stored is read.
   */
  text(text: string, most = Infinity): string {
    for (let read = FIRST_READ; text.length > most && read < text.length; read *= 2) {
      const clean = this.text(text.slice(0, read));
      if (clean.length >= MIN_READ && clean.length + text.length - read > most)
        return clean + text.slice(read);
    }

    let clean = text;
    for (let pass = 0; pass < MAX_PASSES && this.#candidates.isIn(clean); pass++) {
      let copy = "";
      let at = 0;
      for (const { start, end, mark } of this.findings(clean)) {
        copy += clean.slice(at, start) + mark;
        at = end;
      }
      if (at === 0) break;
      clean = copy + clean.slice(at);
    }
    return clean;
  }

  /** The secrets in a text, in order. */
  findings(text: string): Finding[] {
    return withAwsSecrets(
      text,
      this.#candidates.findings(text, (name) => this.#isOwn(name)),
    );
  }

  /**
   * The value with each secret in it replaced; the same object if it contains none. `path` is compared with the exceptions; `most` is as
   * for a text.
   */
  value<Value extends Json>(value: Value, path = "", most = Infinity): Value {
    // Safe cast: lists stay lists, objects keep their keys, and only secrets become strings.
    return this.#walk(value, path, most) as Value;
  }

  /** Whether a value of this key may be a secret. */
  isSecretName(key: string): boolean {
    return nameClass(key) !== NAME.ordinary || this.#isOwn(key);
  }

  /** Whether the value of this key is replaced as a whole. Empty values (null, "", [] and {}) hold no secret. */
  isSecretMember(key: string, value: unknown): boolean {
    return isHidden(this.#isOwn(key) ? NAME.any : nameClass(key), value);
  }

  /** Replaces, in a container whose members are redacted, the values that another member names. `keys` lead to it. */
  namePairs(container: object, keys: readonly string[]): void {
    if (Array.isArray(container)) {
      for (let i = 1; i < container.length; i++)
        if (this.#isValueOfItem(container as Json[], i) && !this.keeps(keys))
          container[i] = redacted(container[i] as Json);
      return;
    }
    const members = container as { [key: string]: Json }; // as: plain JSON
    const named = namedIn(members);
    if (named === undefined) return;
    for (const key of Object.keys(members))
      if (
        isValueOfPair(key) &&
        this.isSecretMember(named, members[key]) &&
        !this.keeps([...keys, key])
      )
        members[key] = REDACTED;
  }

  /** Whether the value at the end of these keys is excepted, or one that contains it. */
  keeps(keys: readonly string[]): boolean {
    return (
      this.#keep.size > 0 &&
      keys.some((_, last) => this.#keep.has(keys.slice(0, last + 1).join(".")))
    );
  }

  /** The class of an option such as `--pass`, or of a variable such as `DB_PASS`. */
  optionClass(option: string): NameClass {
    const name = option.replace(/^-+/, "");
    if (this.#isOwn(name)) return NAME.any;
    return name === option ? nameClass(option) : optionClass(option);
  }

  #isOwn(name: string): boolean {
    return this.#names.size > 0 && this.#names.has(name.toLowerCase());
  }

  #walk(value: Json, path: string, most: number): Json {
    if (typeof value === "string") return this.#keep.has(path) ? value : this.text(value, most);
    if (typeof value !== "object" || value === null || this.#keep.has(path)) return value;
    return Array.isArray(value) ? this.#items(value, path, most) : this.#members(value, path, most);
  }

  #items(list: Json[], path: string, most: number): Json[] {
    let copy: Json[] | undefined;
    for (const [index, item] of list.entries()) {
      const own = `${path}.${index}`;
      const clean =
        this.#isValueOfItem(list, index) && !this.#keep.has(own)
          ? redacted(item)
          : this.#walk(item, own, most);
      if (clean !== item) (copy ??= [...list])[index] = clean;
    }
    return copy ?? list;
  }

  /** Whether the item before names this one: `["--password", "x"]`, `["Authorization", "Bearer x"]`. */
  #isValueOfItem(list: Json[], index: number): boolean {
    const name = list[index - 1];
    if (typeof name !== "string" || name.length > MAX_ITEM_NAME) return false;
    const value = list[index];
    if (typeof value !== "string") return false;
    if (/^--?[A-Za-z][^=]*$/.test(name) && !value.startsWith("-"))
      return isHidden(this.optionClass(name), numberOf(value));
    const isPair =
      list.length === 2 || (index % 2 === 1 && list.length % 2 === 0 && isHeader(name));
    return isPair && /^[\w.-]+$/.test(name) && this.isSecretMember(name, value);
  }

  #members(value: { [key: string]: Json }, path: string, most: number): Json {
    let changed = false;
    const named = namedIn(value);
    const entries: [string, Json][] = [];
    for (const [key, item] of Object.entries(value)) {
      const own = path === "" ? key : `${path}.${key}`;
      const isSecret =
        this.isSecretMember(key, item) ||
        (named !== undefined && isValueOfPair(key) && this.isSecretMember(named, item));
      const clean = isSecret && !this.#keep.has(own) ? redacted(item) : this.#walk(item, own, most);
      if (clean !== item) changed = true;
      entries.push([key, clean]);
    }
    // fromEntries defines own properties, so that a key called __proto__ stays an ordinary one.
    return changed ? Object.fromEntries(entries) : value;
  }
}

/** Behind a mark another secret may begin that was part of a longer name. No text of the tests needs more than three passes. */
const MAX_PASSES = 8;

/** Longer texts in a list are no names. */
const MAX_ITEM_NAME = 64;

/** Keys of a pair as `{name: "password", value: "x"}`. */
const NAME_KEYS = ["name", "key", "header", "field", "Name", "Key"];

function isValueOfPair(key: string): boolean {
  return key === "value" || key === "Value" || key === "val";
}

function namedIn(value: { [key: string]: Json }): string | undefined {
  if (!("value" in value || "Value" in value || "val" in value)) return undefined;
  const key = NAME_KEYS.find((name) => typeof value[name] === "string");
  const name = key === undefined ? undefined : value[key];
  return typeof name === "string" && name.length <= MAX_ITEM_NAME ? name : undefined;
}

/** A mark that is there already stays, so that redacting again changes nothing. */
function redacted(value: Json): Json {
  return typeof value === "string" && value.startsWith(MARK) && value.endsWith("]")
    ? value
    : REDACTED;
}

const BUILT_IN = /* @__PURE__ */ new Redactor();

/** The text with each secret in it replaced, by the built-in rules. */
export function redactText(text: string): string {
  return BUILT_IN.text(text);
}

/** An op with the secrets in its free texts and values replaced, by the built-in rules or others; the same object if it has none. */
export function redactOp<Op extends { op: string }>(op: Op, redactor = BUILT_IN): Op {
  const changed: Record<string, unknown> = {};
  const identifying = op.op === "attachment" ? OF_ATTACHMENT : IDENTIFYING;
  for (const [field, value] of Object.entries(op)) {
    const isFree = typeof value === "string" || (typeof value === "object" && value !== null);
    if (!isFree || (identifying.has(field) && !isSessionTags(field, op))) continue;
    const clean = isTestId(field, value)
      ? ownTest(value, redactor)
      : redactor.value(value as Json, field === "patch" ? "state" : field); // as: the op is JSON
    if (clean !== value) changed[field] = clean;
  }
  return Object.keys(changed).length > 0 ? { ...op, ...changed } : op;
}

/** The tags of a series identify it; those of a session are read. */
function isSessionTags(field: string, { op }: { op: string }): boolean {
  return field === "tags" && (op === "start" || op === "tags");
}

type WithId = { [key: string]: Json; id: Json[] };

function isTestId(field: string, value: unknown): value is WithId {
  return field === "test" && Array.isArray((value as Partial<WithId>).id); // as: any object may be read by key
}

/** Parts of a test's id are texts, of which none names the next one: ["password.test.ts", "is long enough"]. */
function ownTest(test: WithId, redactor: Redactor): Json {
  const { id, ...others } = test;
  const parts = id.map((part) => redactor.value(part, "test.id"));
  const clean = redactor.value(others, "test");
  const isSame = clean === others && parts.every((part, index) => part === id[index]);
  return isSame ? test : { id: parts, ...clean };
}
