/** What tools write in front of each line of a program: a time, the name of a container or a package. */

/** Prefixes in front of one line: a time, a name and another time. */
const MAX_PREFIXES = 4;

/** Each matches one prefix with its separator. None can match the indentation of a frame. */
const PREFIXES = [
  /^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?\]?(?: |$)/, // ISO 8601
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?: |$)/, // the time alone
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,80} [^\s:[]{1,80}(?:\[\d{1,12}\])?:(?: |$)/, // syslog
  /^(?:\d{1,4}\|)?[A-Za-z_][\w.@/-]{0,80} {0,40}\|(?: |$)/, // docker compose, pm2
  /^\[[\w.@/:-]{1,80}\](?: |$)/, // concurrently, kubectl, mpirun
  /^[\w.@/-]{1,80}:[A-Za-z][\w.:-]{0,80}: (?=\S| {2})/, // turbo
  /^(?:stderr|stdout) [FP] /, // container runtimes
];

export function withoutPrefix(line: string): string {
  let rest = line;
  for (let i = 0; i < MAX_PREFIXES; i++) {
    const found = PREFIXES.map((prefix) => prefix.exec(rest)?.[0]).find(
      (text) => text !== undefined,
    );
    if (found === undefined) return rest;
    rest = rest.slice(found.length);
  }
  return rest;
}
