/** What a session records of the job and the commit that it ran for: the state `ci` (ci.ts). Everything in it is recorded text. */
import { MAX_CI_TEXT, MAX_CI_URL, MAX_TIME } from "../limits.ts";
import type { Json, JsonObject } from "../wire.ts";

export type CiState = {
  provider: string;
  commit: string;
  branch: string;
  tag: string;
  pullRequest: string;
  job: string;
  /** Only an http or https address; else "". */
  jobUrl: string;
  run: string;
  subject: string;
  repository: string;
  authorAt: number | null;
  isDirty: boolean;
};

/** Undefined if the state has none. */
export function ciOf(state: JsonObject): CiState | undefined {
  const ci = Object.hasOwn(state, "ci") ? state["ci"] : undefined;
  if (typeof ci !== "object" || ci === null || Array.isArray(ci)) return undefined;
  const text = (key: string, longest = MAX_CI_TEXT) => textOf(valueOf(ci, key), longest);
  const authorAt = valueOf(ci, "author_time");
  const [number, attempt] = [text("run_number"), text("run_attempt")];
  const context = {
    provider: text("provider"),
    commit: text("commit"),
    branch: text("branch"),
    tag: text("tag"),
    pullRequest: text("pull_request"),
    job: text("job"),
    jobUrl: webAddress(text("job_url", MAX_CI_URL)),
    run: attempt === "" || attempt === "1" ? number : `${number}, attempt ${attempt}`,
    subject: text("subject"),
    repository: text("repository"),
    authorAt: typeof authorAt === "number" && isTime(authorAt) ? authorAt : null,
    isDirty: valueOf(ci, "dirty") === true,
  };
  const isKnown = [context.provider, context.commit, context.branch, context.job].some(Boolean);
  return isKnown ? context : undefined;
}

function valueOf(ci: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(ci, key) ? ci[key] : undefined;
}

function textOf(value: Json | undefined, longest: number): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function isTime(at: number): boolean {
  return at > 0 && at < MAX_TIME;
}

/** The text if it is an address that a link may have. Any other scheme could run code. */
export function webAddress(text: string): string {
  return /^https?:\/\/[^\s/?#]/i.test(text) ? text : "";
}
