import type { Summary } from "./summary.ts";

/** The answer of `POST /api/sessions/import`. */
export type ImportAnswer = {
  session: string;
  /** False: it was here already, and nothing changed. */
  imported: boolean;
  counts?: Omit<Summary["counts"], "series">;
  /** When the server deletes it, if nothing is added; null: it does not. It may be over, if the session is old. */
  kept_until?: number | null;
};
