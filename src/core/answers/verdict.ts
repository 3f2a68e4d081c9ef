import type { Confidence, Status } from "../vocabulary.ts";

/** One reason for a verdict, as a sentence, and how certain the conclusion from it is. */
export type Evidence = { kind: string; text: string; at?: number; confidence: Confidence };

export type Verdict = {
  status: Status;
  /** When the status began. */
  since: number;
  /** One line for a title: "Crashed: SIGKILL", "Ended with exit code 0". */
  headline: string;
  confidence: Confidence;
  evidence: Evidence[];
};

export type Transition = { at: number; status: Status; headline: string };
