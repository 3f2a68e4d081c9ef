/**
 * Which names are those of secrets. The same rules are in clients/python/datacat.py and in clients/go/internal/secrets, held by
 * test/fixtures/redaction.json.
 */
import { MAX_CACHED_NAMES, MAX_SECRET_NAME } from "./limits.ts";

/**
 * What a name states of its value: nothing; a secret unless it is a number or digits; unless it is a number or boolean; a secret; a secret
 * unless it is a path, which the variable PWD holds.
 */
export const NAME = { ordinary: 0, count: 1, text: 2, any: 3, folder: 4 } as const;
export type NameClass = (typeof NAME)[keyof typeof NAME];

/** Parts of a name in lower case without separators. Terms of `text` are also used for counts and flags. */
const PARTS: [part: string, kind: NameClass][] = [
  ...[
    ["password", "passwd", "passphrase", "passcode", "secret", "authorization", "cookie"],
    ["apikey", "privatekey", "sessionkey", "credential", "pincode", "cardnumber"],
    ["creditcard", "securitycode", "socialsecurity", "phpsessid", "jsessionid", "aspsessionid"],
    ["aspnetsessionid", "connectsid", "laravelsession"],
  ].flatMap((parts) => parts.map((part): [string, NameClass] => [part, NAME.any])),
  ...[
    ["token", "accesskey", "accountkey", "authkey", "encryptionkey", "masterkey"],
    ["sharedkey", "signingkey", "databaseurl", "databaseuri", "dburl", "dburi"],
    ["connectionstring", "connectionuri", "connstr", "connstring", "licensekey", "licencekey"],
    ["activationkey"],
  ].flatMap((parts) => parts.map((part): [string, NameClass] => [part, NAME.text])),
];

/** After a part, these make it another term: keyboard, passwordless, tokenizer, secretary, secretive, cookiecutter, key name. */
const CONTINUATIONS = ["board", "stroke", "less", "iz", "ary", "aries", "ive", "cutter", "name"];

/** Terms that are too short to be looked for inside other terms (pin in spin, auth in author). */
const TERMS = new Map<string, NameClass>([
  ...["pwd", "otp", "totp", "pin", "cvv", "cvc", "ssn"].map((w): [string, NameClass] => [w, 3]),
  ...["auth", "oauth", "bearer", "dsn", "pem", "jwt", "pw"].map((w): [string, NameClass] => [w, 2]),
]);

/** `pass` alone may be a test that passes or a pass of a renderer. After one of these terms it is a password. */
const PASS_OWNERS = new Set(
  "admin api auth basic db email ftp http imap key keystore ldap login mail mongo my mysql pg postgres proxy redis root smtp ssh sudo user usr vault vpn wifi".split(
    " ",
  ),
);

/** First or last terms of names of numbers: max_tokens, pin_count, tokens_used. */
const COUNTING = new Set(
  "age attempts bits budget count counts expiry index input left length limit limits len max maximum min minimum output remaining retries size total ttl usage used".split(
    " ",
  ),
);

/** Last terms of names of settings: password_policy, cookie_consent. */
const ABOUT = new Set("banner consent policies policy strength".split(" "));

/** Values of settings: `credentials: include`, `cookies: enabled`. */
const SETTINGS = new Set("disabled enabled include omit optional same-origin".split(" "));

const DIGITS = /^[0-9]+(?:\.[0-9]+)?$/;
const PATH = /^(?:[/~]|[A-Za-z]:[\\/])/;

/** Names that hold a secret as an option of a command only. */
const OPTIONS = new Set(["pass", "passin", "passout", "requirepass", "masterauth"]);

/** Each name of a secret contains one of these, unless a separator divides it in an unusual way (`p_assword`). */
export const STEMS =
  "auth bearer card conn cookie credential cvc cvv database db dsn jwt key laravel onid otp pass pem pin pw secret security sig ssid ssn token".split(
    " ",
  );
const HAS_STEM = new RegExp(STEMS.join("|"));

const known = new Map<string, NameClass>();

/** The class of a key, option, variable or field. */
export function nameClass(name: string): NameClass {
  let kind = known.get(name);
  // Cached, because a program uses the same few names again and again.
  if (kind === undefined) {
    kind = classify(name.slice(0, MAX_SECRET_NAME));
    if (known.size < MAX_CACHED_NAMES && name.length <= MAX_SECRET_NAME) known.set(name, kind);
  }
  return kind;
}

/** The class of an option such as `--pass`. */
export function optionClass(option: string): NameClass {
  return OPTIONS.has(option.replace(/^--?/, "")) ? NAME.any : nameClass(option);
}

/** Whether a value whose name has this class is replaced. */
export function isHidden(kind: NameClass, value: unknown): boolean {
  if (kind === NAME.ordinary || value === undefined || value === null) return false;
  if (typeof value === "object") return Object.keys(value).length > 0;
  if (typeof value !== "string") return kind >= NAME.any;
  if (value === "" || SETTINGS.has(value.toLowerCase())) return false;
  return !(
    (kind === NAME.count && DIGITS.test(value)) ||
    (kind === NAME.folder && PATH.test(value))
  );
}

/** Digits in a command line are a number. */
export function numberOf(text: string): string | number {
  return DIGITS.test(text) ? Number(text) : text;
}

/** Whether the value of this name is a header whose value reaches to the end of the line. */
export function isHeader(name: string): boolean {
  return /(?:cookie|authorization)$/.test(squash(name));
}

function classify(name: string): NameClass {
  const squashed = squash(name);
  if (!HAS_STEM.test(squashed)) return NAME.ordinary;
  const terms = termsOf(name);
  const kind = Math.max(partClass(squashed), ...terms.map(termClass)) as NameClass; // as: of NameClasses
  if (kind === NAME.ordinary || ABOUT.has(terms.at(-1) ?? "")) return NAME.ordinary;
  if (/^(?:old)?pwd$/.test(squashed)) return NAME.folder;
  const isCount = COUNTING.has(terms[0] ?? "") || COUNTING.has(terms.at(-1) ?? "");
  return isCount ? NAME.count : kind;
}

function partClass(name: string): NameClass {
  let kind: NameClass = NAME.ordinary;
  for (const [part, own] of PARTS) {
    for (let at = name.indexOf(part); at >= 0 && own > kind; at = name.indexOf(part, at + 1)) {
      const rest = name.slice(at + part.length);
      if (!CONTINUATIONS.some((end) => rest.startsWith(end))) kind = own;
    }
  }
  return kind;
}

function termClass(term: string, index: number, terms: string[]): NameClass {
  const name = term.replace(/[0-9]+$/, "");
  const own = TERMS.get(name);
  if (own !== undefined) return own;
  // A plural with a number is a count.
  if (name.endsWith("s") && TERMS.has(name.slice(0, -1))) return NAME.text;
  if (!name.endsWith("pass")) return NAME.ordinary;
  const owner = name === "pass" ? (terms[index - 1] ?? "") : name.slice(0, -4);
  return PASS_OWNERS.has(owner) ? NAME.text : NAME.ordinary;
}

/** In lower case, letters and digits of ASCII only. */
function squash(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

/** The terms of db_password, dbPassword, DBPassword, db-password. Letters outside ASCII belong to a term. */
function termsOf(name: string): string[] {
  const parted = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  return parted
    .toLowerCase()
    .split(/[^a-z0-9\u0080-\uffff]+/)
    .filter((term) => term !== "");
}
