/** What can go wrong with a command, and the exit code that says so to scripts. */

export const EXIT_CODES = {
  failed: 1, // it did not work, or `doctor` or `queue verify` found something
  usage: 2, // the command line does not make sense
  unreachable: 3, // the server or the daemon does not answer
  not_found: 4, // no such session, or more than one of that abbreviation
  not_allowed: 5, // the API key is missing, wrong, or of the wrong kind
} as const;

/** Something to tell the person at the keyboard: what happened, why, and what to do. */
export class Trouble extends Error {
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT_CODES, message: string) {
    super(message);
    this.name = "Trouble";
    this.exitCode = EXIT_CODES[kind];
  }
}
