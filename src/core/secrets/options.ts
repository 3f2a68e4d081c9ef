/** Passwords as arguments of options in a command line: `--password x`, `-u user:x`. */
import { MAX_COMMAND_DISTANCE, MAX_NAME_DISTANCE } from "./limits.ts";
import { isHeader, NAME, optionClass } from "./names.ts";
import { isPasswordOption } from "./programs.ts";
import {
  type Finding,
  header,
  isAlphanumeric,
  isNameCode,
  keyed,
  MARK,
  next,
  quotedAt,
  UNQUOTED_END,
  valueAt,
} from "./text.ts";

const USER_OPTION = /^(?:-u|-U|--user|--proxy-user)$/;

/** `--password x`, `-u user:x`, and `-p x` of a command for which it is the password. */
export function option(
  text: string,
  at: number,
  ownName: (name: string) => boolean,
): Finding | undefined {
  const preceding = text[at - 1];
  if (isAlphanumeric(preceding) || preceding === "_" || preceding === "-") return undefined;
  if (!/^-?[A-Za-z]/.test(text.slice(at + 1, at + 3))) return undefined;
  let end = at;
  while (end < at + MAX_NAME_DISTANCE && isNameCode(text.charCodeAt(end))) end++;
  const name = text.slice(at, end);
  let value = end;
  while (value < end + 4 && (text[value] === " " || text[value] === "\t")) value++;
  const before = text.slice(Math.max(0, at - MAX_COMMAND_DISTANCE), at);
  const attached = name.length > 2 && isPasswordOption(before, name.slice(0, 2), true);
  if (attached)
    return valueAt(text, at + 2, { kind: NAME.any, rule: `option ${name.slice(0, 2)}` });
  if (value === end || text[value] === "-" || value === text.length) return undefined;
  const rule = `option ${name}`;
  if (USER_OPTION.test(name)) {
    const quoted = quotedAt(text, value);
    const from = quoted?.start ?? value;
    const whole = text.slice(from, quoted?.end ?? next(UNQUOTED_END, text, value));
    const user = userPassword(name, whole);
    return user === undefined
      ? undefined
      : keyed(text, from + user.length, from + whole.length, rule);
  }
  if (isPasswordOption(before, name, false)) return valueAt(text, value, { kind: NAME.any, rule });
  const kind = ownName(name.replace(/^-+/, "")) ? NAME.any : optionClass(name);
  if (kind === NAME.ordinary) return undefined;
  return isHeader(name) ? header(text, value, "", rule) : valueAt(text, value, { kind, rule });
}

/** `user:` of the argument `user:password` of `-u`; undefined for the group of `-u 1000:1000`. */
export function userPassword(option: string, value: string): string | undefined {
  if (!USER_OPTION.test(option)) return undefined;
  const user = value.slice(0, value.indexOf(":") + 1);
  const password = value.slice(user.length);
  return user === "" || /^[0-9]*$/.test(password) || password.startsWith(MARK) ? undefined : user;
}
