/** The first lines about a session, for several commands. */
import { damageText, leftOutTexts } from "../../../src/core/session/incomplete.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import { isOngoing } from "../../../src/core/session/duration.ts";
import { clockText } from "../../../src/core/status/evidence.ts";
import { formatCount, formatDuration } from "../../../src/core/text/format.ts";
import { redactText } from "../../../src/core/secrets/redact.ts";
import { CLOCK_TOLERANCE_MS } from "../../../src/core/limits.ts";
import { DAMAGED_PARTS } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { bold, dim, moment, print, outcomeLine } from "../terminal.ts";

/** Product, version, status, times and place of a session. */
export function printSummary({ place, now, problems }: Session, summary: Summary): void {
  const { product, version, verdict, created_at, ran_ms, status_ms } = summary;
  const { status, headline } = verdict;
  const where = summary.hostname || summary.browser;
  const isCounting = status === "hung" || status === "suspended";
  print(
    `${bold(nameLabel([product, version].filter(Boolean).join(" "), "session"))}  ${dim(summary.id)}`,
  );
  print(
    outcomeLine(
      { ...summary, status },
      isCounting ? `${headline} for ${formatDuration(status_ms)}` : headline,
    ),
  );
  print(
    `${moment(created_at)} to ${isOngoing(status) ? now : moment(created_at + ran_ms)}, ${formatDuration(ran_ms)}${where ? `, on ${nameLabel(where)}` : ""}`,
  );
  if (summary.tags.length > 0)
    print(`Tags: ${summary.tags.map((tag) => `[${nameLabel(tag)}]`).join(" ")}`);
  if (Math.abs(summary.clock_skew_ms) >= CLOCK_TOLERANCE_MS || summary.clock_offset_ms !== 0)
    print(`Its clock: ${clockText(summary)}`);
  for (const { at, by_ms } of summary.clock_steps)
    print(
      `Its clock was set ${by_ms > 0 ? "forward" : "back"} by ${formatDuration(Math.abs(by_ms))} at ${moment(at)}`,
    );
  print(dim(redactText(place)));
  for (const problem of problems) print(bold(problem));
}

/** The counts of a test run, and its first failed tests. */
export function printTests({ tests, verdict }: Summary): void {
  if (!tests) return;
  print(`\n${bold("Tests")}`);
  for (const { kind, text } of verdict.evidence)
    if (kind === "tests" || kind === "failed_test") print(`- ${text}`);
}

/** What of the session cannot be read, and which of its lists are incomplete. */
export function printGaps({ damaged = [], left_out }: Summary): void {
  const leftOut = leftOutTexts(left_out);
  if (damaged.length > 0) print(`\n${bold("Damaged storage")}`);
  for (const part of damaged.slice(0, DAMAGED_PARTS)) print(`- ${damageText(part)}`);
  if (damaged.length > DAMAGED_PARTS)
    print(dim(`  … and ${formatCount(damaged.length - DAMAGED_PARTS, "further part")}`));
  if (leftOut.length > 0) print(`\n${bold("Incomplete lists")} (what they leave out was stored)`);
  for (const text of leftOut) print(`- ${text}`);
}
