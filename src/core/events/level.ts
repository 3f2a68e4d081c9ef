/** Severities of events: the category of most of them. */

/** In their order, the least severe first. */
export const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;

/** Names of other loggers (syslog, log4j, zap) for the same. */
const SYNONYMS: { [name: string]: (typeof LEVELS)[number] } = {
  trace: "debug",
  verbose: "debug",
  notice: "info",
  warn: "warning",
  err: "error",
  severe: "error",
  fatal: "critical",
  alert: "critical",
  emergency: "critical",
  panic: "critical",
};

/** The place of a category among LEVELS; undefined for one that is no severity. */
export function rankOfLevel(category: string): number | undefined {
  const name = category.toLowerCase();
  const level = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : name;
  const rank = LEVELS.findIndex((each) => each === level);
  return rank < 0 ? undefined : rank;
}
