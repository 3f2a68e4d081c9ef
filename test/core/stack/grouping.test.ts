/** Failures of one place are one group, and those of different places are not, in all languages. */
import { expect, test } from "vitest";
import { fingerprint, groupingOf, type Thrown } from "../../../src/core/events/fingerprint.ts";
import { CORPUS } from "./corpus.ts";
import type { Sample } from "./sample.ts";

const thrownOf = ({ type, message, stack }: Sample): Thrown => ({
  exception_type: type,
  exception_msg: message,
  stacktrace: [stack],
});

const groups = Map.groupBy(CORPUS, ({ group }) => group);

test.each([...groups].map(([name, samples]) => ({ name, samples })))(
  "one group: $name",
  ({ samples }) => {
    const parts = samples.map((sample) => groupingOf(thrownOf(sample)));
    for (const other of parts) expect(other).toEqual(parts[0]);
    expect(parts[0]?.by, "its frames are read").toBe("frames");
  },
);

test("no two groups have the same fingerprint", () => {
  const seen = new Map<string, string>();
  for (const sample of CORPUS) {
    const mark = fingerprint(thrownOf(sample));
    expect(seen.get(mark) ?? sample.group, mark).toBe(sample.group);
    seen.set(mark, sample.group);
  }
});

test("the list items into which a stack is divided do not count", () => {
  for (const sample of CORPUS) {
    const thrown = thrownOf(sample);
    const divided = { ...thrown, stacktrace: sample.stack.split("\n") };
    expect(fingerprint(divided), sample.group).toBe(fingerprint(thrown));
  }
});
