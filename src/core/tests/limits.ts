/** Limits of tests, each with its reason. */

/** Parts of a test's id: project, file, suites within suites, name and parameters. */
export const MAX_TEST_ID_PARTS = 32;
/** Characters of one part: a path, or a sentence as the name. Parameters are longer only if data was passed. */
export const MAX_TEST_PART_LENGTH = 500;
/** Attempts of one test: runners repeat a few times; a stress run up to some thousands. */
export const MAX_ATTEMPT = 1_000_000;
/** Characters of a test's name in a headline, in evidence and in lists. Its whole id is in its own account. */
export const MAX_TEST_NAME_LENGTH = 300;
/** Characters of a failure's first line in the index and in lists. */
export const MAX_TEST_TEXT_LENGTH = 300;
/** Tests of a session whose last results the index has: ten characters each, so 300 KB. Of further ones only the totals are counted. */
export const MAX_REMEMBERED_TESTS = 30_000;
/** Records in the index before those that are replaced are removed, besides one for each test. */
export const MAX_REPLACED_RECORDS = 1_000;
/** Failed tests that the index names, for the evidence and for lists. */
export const MAX_NAMED_FAILURES = 50;
/** Failed tests that the evidence of a verdict names. */
export const MAX_EVIDENT_FAILURES = 10;
/** Tests that run at the same time and are named: more than runners have workers. */
export const MAX_RUNNING_TESTS = 200;
/** Characters of the runner's name and version. */
export const MAX_RUNNER_LENGTH = 100;
/** Tests of a session in lists: some 40 MB in memory. Rows of further tests are counted. */
export const MAX_TABLE_TESTS = 100_000;
/** Files or suites of one level of the tree: more cannot be read. */
export const MAX_LISTED_SUITES = 500;
/** Lines of each text of an assertion that are compared: some 8 KiB. */
export const MAX_DIFF_LINES = 1_000;
/** Differing lines that are matched: a hundred thousand steps. With more, the texts have little in common. */
export const MAX_DIFF_EDITS = 400;
/** Tests in a part of a packed run, at least: so many rows of the catalog does a run take. */
export const MIN_PART_TESTS = 500;
/** Parts of a packed run: a power of two. */
export const MAX_TEST_PARTS = 256;
/** A test that takes less is in no list of the slowest, ms: pytest's own limit. */
export const MIN_SLOW_MS = 5;
/** Tests of a session that the catalog lists by name: some 20 KB. The session's object has every test, and is asked. */
export const MAX_LISTED_TESTS = 300;
