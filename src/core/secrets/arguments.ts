/** Redaction of a command line. */
import { Redactor } from "./redact.ts";
import { isHidden, numberOf } from "./names.ts";
import { isPasswordOption } from "./programs.ts";
import { userPassword } from "./options.ts";
import { MARK, REDACTED } from "./text.ts";

/** How many arguments before one its command may be. */
const MAX_ARGUMENTS_BEFORE = 6;

const BUILT_IN = new Redactor();

/** A command line with its secrets replaced: `--token=x`, `--password x`, `-u user:x`, `TOKEN=x`. */
export function redactArguments(args: readonly string[], redactor = BUILT_IN): string[] {
  return args.map((arg, index) => {
    const before = args.slice(Math.max(0, index - MAX_ARGUMENTS_BEFORE), index);
    return arg.startsWith(MARK) ? arg : redactArgument(arg, before, redactor);
  });
}

function redactArgument(arg: string, before: string[], redactor: Redactor): string {
  const option = before.at(-1) ?? "";
  const command = `${before.slice(0, -1).join(" ")} `;
  if (option.startsWith("-") && !option.includes("=") && !arg.startsWith("-")) {
    if (isHidden(redactor.optionClass(option), numberOf(arg))) return REDACTED;
    if (arg !== "" && isPasswordOption(command, option, false)) return REDACTED;
    const user = userPassword(option, arg);
    if (user !== undefined) return user + REDACTED;
  }
  if (arg.length > 2 && isPasswordOption(`${before.join(" ")} `, arg.slice(0, 2), true))
    return arg.startsWith(MARK, 2) ? arg : arg.slice(0, 2) + REDACTED;
  const [, name = "", value] = /^([\w.-]+)=(.+)$/s.exec(arg) ?? [];
  if (value !== undefined && isHidden(redactor.optionClass(name), numberOf(value)))
    return `${name}=${value.startsWith(MARK) ? value : REDACTED}`;
  return redactor.text(arg);
}
