/** The tests of a run that is over, as rows of the catalog. */
import type { TestRows } from "../../catalog/publication/test-rows.ts";
import { ciOf } from "../../core/ci/ci-state.ts";
import { hash } from "../../core/hash.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import { partsOf } from "../../core/tests/packed.ts";
import { listTests, packedOf, type TestTable } from "../../core/tests/table.ts";
import { testRunOf } from "../../core/tests/verdict.ts";
import type { TestShown } from "../../core/tests/vocabulary.ts";
import type { JsonObject } from "../../core/wire.ts";

export type TestPublication = TestRows & { parts: number; mark: string };

/** Of a run that goes on, and of a session without tests. */
export const NO_TESTS: TestPublication = { parts: 0, mark: "", test_parts: [], failed_tests: [] };

/** A test that is listed by name when it is bad, or when its result is one of these. */
const LISTED: TestShown[] = ["failed", "error", "flaky", "running", "unexpected_pass"];
const ALWAYS_LISTED: TestShown[] = ["flaky", "running"];

/** `room`: how many rows it may have. */
export function testPublication(
  index: SessionIndex,
  state: JsonObject,
  tests: () => TestTable,
  { isOver, room }: { isOver: boolean; room: number },
): TestPublication {
  const tally = index.observations.tests;
  if (!tally || !isOver) return NO_TESTS;
  const table = tests();
  if (table.size === 0) return NO_TESTS;
  const parts = partsOf(table.size);
  const { branch = "", commit: commit_id = "" } = ciOf(state) ?? {};
  const { items } = listTests(table, { results: LISTED, limit: table.size }, tally.runner);
  const listed = items
    .filter(({ is_bad, result }) => is_bad || ALWAYS_LISTED.includes(result))
    .slice(0, Math.max(0, room - parts));
  const run = {
    ...testRunOf(tally),
    flaky_keys: listed.filter(({ result }) => result === "flaky").map(({ key }) => key),
  };
  const test_parts = packedOf(table, parts).map((packed, part) => ({
    part,
    branch,
    commit_id,
    run: part === 0 ? JSON.stringify(run) : "",
    failed: part === 0 ? JSON.stringify(listed.map(({ key }) => key)) : "[]",
    packed,
  }));
  const failed_tests = listed.map((item) => ({
    test: item.key,
    branch,
    commit_id,
    id: JSON.stringify(item.id),
    file: item.file,
    result: item.result,
    attempts: item.attempts,
    duration_ms: item.duration_ms,
    text: item.text,
    at: Math.round(item.at),
    seq: item.seq,
  }));
  const { product, version, createdAt } = index;
  const mark = hash(JSON.stringify([product, version, createdAt, test_parts, failed_tests]));
  return { parts, mark, test_parts, failed_tests };
}
