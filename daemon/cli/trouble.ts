/** Errors of a command, each with its exit code for scripts. */
import { redactText } from "../../src/core/secrets/redact.ts";
import { plainText } from "../../src/core/text/recorded-text.ts";

export const EXIT_CODES = {
  failed: 1, // failure, or `doctor` or `queue verify` found a problem
  usage: 2, // invalid command line
  unreachable: 3, // the server or the daemon does not answer
  not_found: 4, // no such session, or more than one id with that beginning
  not_allowed: 5, // the API key is missing, wrong, or of the wrong kind
} as const;

/** An error for the user: what happened, why, and what to do. */
export class Trouble extends Error {
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT_CODES, message: string) {
    // It may have the server's address, with a password, and recorded text, with control sequences.
    super(plainText(redactText(message)));
    this.name = "Trouble";
    this.exitCode = EXIT_CODES[kind];
  }
}
