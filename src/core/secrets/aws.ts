/** Secret access keys of AWS, which have no prefix. */
import { type Finding, markOf } from "./text.ts";

const AWS_SECRET = /[A-Za-z0-9/+]+/g;
const AWS_SECRET_LENGTH = 40;

/** The findings, and with an access key id among them also those of 40 characters. */
export function withAwsSecrets(text: string, found: Finding[]): Finding[] {
  if (!found.some(({ rule }) => rule === "aws")) return found;
  const added: Finding[] = [];
  let next = 0;
  AWS_SECRET.lastIndex = 0;
  for (let match = AWS_SECRET.exec(text); match; match = AWS_SECRET.exec(text)) {
    const [run] = match;
    if (
      run.length !== AWS_SECRET_LENGTH ||
      !/[a-z]/.test(run) ||
      !/[A-Z]/.test(run) ||
      !/[0-9]/.test(run)
    )
      continue;
    const start = match.index;
    const end = start + run.length;
    while ((found[next]?.end ?? Infinity) <= start) next++;
    if ((found[next]?.start ?? Infinity) >= end)
      added.push({ start, end, mark: markOf("aws"), rule: "aws" });
  }
  return [...found, ...added].sort((a, b) => a.start - b.start);
}
