/** Names of secrets whose value follows without a separator: in XML elements, in the variables of a Dockerfile, in netrc files. */
import { MAX_ATTRIBUTES, MAX_NETRC } from "./limits.ts";
import { type Finding, isNameCode, keyed, kindOf, lineValue, type Name, secretIn } from "./text.ts";

/** Whether a text may have a variable or a netrc file: these have no sign. */
export const IS_VARIABLE = /ENV[ \t]|[Ss]et[Ee]nv[ \t]|machine[ \t\r\n]/;

const ATTRIBUTES = new RegExp(`(?:[ \\t\\r\\n][^<>]{0,${MAX_ATTRIBUTES}})?>`, "y");
const CDATA = "<![CDATA[";
const CDATA_END = "]]>";

/** `<password>x</password>`, also with a namespace, attributes or CDATA. */
export function element(
  text: string,
  name: Name,
  isOwn: (name: string) => boolean,
): Finding | undefined {
  if (!isTag(text, name.start)) return undefined;
  ATTRIBUTES.lastIndex = name.end;
  const close = ATTRIBUTES.exec(text)?.[0];
  if (close === undefined || close.endsWith("/>")) return undefined;
  let start = name.end + close.length;
  let end = text.indexOf("<", start);
  if (text.startsWith(CDATA, start)) {
    start += CDATA.length;
    end = text.indexOf(CDATA_END, start);
    if (end < 0) end = text.length; // it was cut
  } else if (end < 0 || text[end + 1] !== "/") return undefined;
  return secretIn(text, start, end, kindOf(text, name, isOwn));
}

/** Whether `<`, or `<` and a namespace, is before `at`. */
function isTag(text: string, at: number): boolean {
  if (text[at - 1] !== ":") return text[at - 1] === "<";
  let start = at - 1;
  while (start > at - MAX_NAMESPACE && isNameCode(text.charCodeAt(start - 1))) start--;
  return text[start - 1] === "<";
}

const MAX_NAMESPACE = 32;

const SET = /(?:ENV|[Ss]et[Ee]nv)[ \t]{1,4}$/;
const BEFORE_SET = 12;
const BLANKS = /[ \t]{1,8}/y;

/** `ENV PASSWORD x` of a Dockerfile, `setenv PASSWORD x` of a shell or of Apache, `machine h login u password p` of a netrc file. */
export function variable(
  text: string,
  name: Name,
  isOwn: (name: string) => boolean,
): Finding | undefined {
  const { start, end } = name;
  BLANKS.lastIndex = end;
  const blanks = BLANKS.exec(text)?.[0].length ?? 0;
  const set = SET.exec(text.slice(Math.max(0, start - BEFORE_SET), start))?.[0].length;
  if (set !== undefined && blanks > 0 && isFirst(text, start - set))
    return lineValue(text, end + blanks, kindOf(text, name, isOwn));
  return text.slice(start, end) === "password" ? netrc(text, start, end) : undefined;
}

/** Whether a line begins here, or a step of a build: `Step 2/7 : ENV …`, `[2/7] ENV …`. */
function isFirst(text: string, at: number): boolean {
  let start = at;
  while (start > at - 8 && /[ \t]/.test(text[start - 1] ?? "")) start--;
  const before = text[start - 1] ?? "\n";
  return /[\r\n:\]]/.test(before) || /\\[nr]/.test(text.slice(Math.max(0, start - 2), start));
}

const BLANK_VALUE = /[ \t\r\n]{1,8}([^ \t\r\n]+)/y;

function netrc(text: string, start: number, end: number): Finding | undefined {
  BLANK_VALUE.lastIndex = end;
  const value = BLANK_VALUE.exec(text)?.[1];
  if (value === undefined) return undefined;
  const terms = text.slice(Math.max(0, start - MAX_NETRC), start).split(/[ \t\r\n]+/);
  const isMachine =
    terms.at(-3) === "machine" || (terms.at(-5) === "machine" && terms.at(-3) === "login");
  if (terms.at(-1) !== "" || !isMachine) return undefined;
  return keyed(text, BLANK_VALUE.lastIndex - value.length, BLANK_VALUE.lastIndex, "name password");
}
