/** The redaction of this program: the built-in rules, and those of DATACAT_REDACT. */
import { Redactor } from "../../../src/core/secrets/redact.ts";
import { parseOwnRules } from "../../../src/core/secrets/own.ts";

export let redactor = new Redactor();

/**
 * Uses the rules of a setting's text from now on. A setting that is wrong is ignored: the built-in rules remain, and the daemon's
 * log has the reason.
 */
export function useRules(text: string | undefined): void {
  if (text) redactor = new Redactor(parseOwnRules(text).rules);
}
