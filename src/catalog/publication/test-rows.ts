/**
 * The rows of a test run's tests in the catalog. They are written when the run is over, and again only if they differ: `test_mark` of its session
 * changes with them. Old rows are found by what the session's row and the first part hold, since an index would be a second row for each.
 */
import type { InferInsertModel } from "drizzle-orm";
import { PART_COUNTS } from "../../core/tests/packed.ts";
import type { failed_tests, test_parts } from "../tables/schema.ts";

type OfSession = "session_id" | "product" | "version" | "parts" | "created_at";

/** The rows of one session; both lists are empty while its run goes on. */
export type TestRows = {
  test_parts: Omit<InferInsertModel<typeof test_parts>, OfSession>[];
  failed_tests: Omit<InferInsertModel<typeof failed_tests>, OfSession>[];
};

/** A JSON list of the numbers of all parts that a run may have. */
export const ALL_PARTS = JSON.stringify(
  Array.from({ length: PART_COUNTS.at(-1) ?? 1 }, (_, part) => part),
);

/** ?1: a JSON list of sessions, as the catalog had them when it wrote the rows. */
const SESSIONS = `(SELECT value ->> 'id' AS id, value ->> 'product' AS product, value ->> 'created_at' AS created_at, value ->> 'test_parts' AS test_parts
  FROM json_each(?1)) AS s`;

export const REMOVE_TESTS = [
  `DELETE FROM failed_tests WHERE (product, test, created_at, session_id) IN (
     SELECT s.product, failure.value, s.created_at, s.id FROM ${SESSIONS}
     CROSS JOIN test_parts AS p ON p.product = s.product AND p.parts = s.test_parts AND p.part = 0
       AND p.created_at = s.created_at AND p.session_id = s.id
     CROSS JOIN json_each(p.failed) AS failure)`,
  `DELETE FROM test_parts WHERE (product, parts, part, created_at, session_id) IN (
     SELECT s.product, s.test_parts, number.value, s.created_at, s.id FROM ${SESSIONS}
     CROSS JOIN json_each('${ALL_PARTS}') AS number ON number.value < s.test_parts)`,
];
