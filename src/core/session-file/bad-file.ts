/** What is wrong with a session file. */
import { Refusal } from "../refusal.ts";

/** Its message continues "The file is damaged or no session file: …". */
export class BadFile extends Error {
  /** A sentence: what to do. */
  readonly advice: string;

  constructor(message: string, advice = "Export the session again, or copy the file again.") {
    super(message);
    this.advice = advice;
  }
}

/** As a server answers. */
export function refusedFile({ message, advice }: BadFile): Refusal {
  return new Refusal(
    "bad_file",
    `The file is damaged or no session file, so nothing is imported: ${message}. ${advice}`,
  );
}

/** Whether what was thrown is about a file in which something does not fit. */
export function isOfFile(thrown: unknown): boolean {
  return thrown instanceof BadFile || thrown instanceof RangeError || thrown instanceof Refusal;
}
