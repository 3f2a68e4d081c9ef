/** Passwords in addresses: `scheme://user:password@host`, `user:password@host`. */
import { MAX_NAME_DISTANCE, MAX_USERINFO, MIN_URL_TOKEN } from "./limits.ts";
import { type Finding, isNameCode, keyed, UNQUOTED_END, upTo } from "./text.ts";

const SPACE_OR_QUOTE = /[ \t\r\n"'`<>]/g;
const AUTHORITY_END = /[/?# \t\r\n"'`<>\\]/g;
const ENCODED_END = /%2F|%3F|&/gi;

/** Names in front of an address that is no login: mailto:a@b.c. */
const NO_USER = new Set(
  "mailto sip sips xmpp acct to from cc bcc mail email e-mail contact npm git ssh author by".split(
    " ",
  ),
);

/** A host after `user:password@`: with a domain, a port or a path; localhost, an IPv4 address, or `tcp(`. */
const HOST =
  /(?:tcp\(|unix\(|localhost\b|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|(?!sha[0-9])[A-Za-z][\w-]{0,62}(?:\.[A-Za-z]|:[0-9]|\/))/y;

/** The password in `scheme://user:password@host`; of an address for HTTP, also a long user without one. */
export function urlLogin(
  text: string,
  start: number,
  colon: string,
  sign: string,
): Finding | undefined {
  const whole = upTo(SPACE_OR_QUOTE, text.slice(start, start + MAX_USERINFO));
  let authority = colon === ":" ? upTo(AUTHORITY_END, whole) : upTo(ENCODED_END, whole);
  let separator = authority.indexOf(colon);
  // A password with a slash, unencoded: what follows the colon is no port.
  const hasNoPort = separator >= 0 && !/^[0-9]*$/.test(authority.slice(separator + colon.length));
  if (!authority.includes(sign) && hasNoPort) authority = whole;
  const userEnd = authority.lastIndexOf(sign);
  if (userEnd < 0) return undefined;
  separator = authority.indexOf(colon);
  if (separator >= 0 && separator < userEnd)
    return keyed(text, start + separator + colon.length, start + userEnd, "url");
  const isHttp = /https?:\/\/$/.test(text.slice(Math.max(0, start - 8), start));
  return isHttp && userEnd >= MIN_URL_TOKEN
    ? keyed(text, start, start + userEnd, "url")
    : undefined;
}

/** `user:password@host` without a scheme, and Oracle's `thin:user/password@host`. `at` is the colon. */
export function login(text: string, at: number): Finding | undefined {
  if (!text.slice(at, at + MAX_USERINFO).includes("@")) return undefined;
  const user = text.slice(nameBefore(text, at), at);
  if (user === "" || NO_USER.has(user.toLowerCase())) return undefined;
  const value = upTo(UNQUOTED_END, text.slice(at + 1, at + 1 + MAX_USERINFO));
  const sign = value.lastIndexOf("@");
  if (sign < 1 || value.slice(0, sign).includes(":")) return undefined;
  const slash = value.indexOf("/");
  const isOracle = /^(?:thin|oci8?)$/.test(user);
  if (isOracle)
    return slash > 0 && slash < sign
      ? keyed(text, at + slash + 2, at + 1 + sign, "url")
      : undefined;
  if (/^[0-9]*$/.test(value.slice(0, sign)) || (slash >= 0 && slash < sign)) return undefined;
  HOST.lastIndex = at + sign + 2;
  return HOST.test(text) ? keyed(text, at + 1, at + 1 + sign, "url") : undefined;
}

/** The name that ends before `at`. */
function nameBefore(text: string, at: number): number {
  let start = at;
  while (start > Math.max(0, at - MAX_NAME_DISTANCE) && isNameCode(text.charCodeAt(start - 1)))
    start--;
  return start;
}
