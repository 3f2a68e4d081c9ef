/** Limits of tests, each with its reason. */

/** Parts of a test's id: project, file, suites within suites, name and parameters. */
export const MAX_TEST_ID_PARTS = 32;
/** Characters of one part: a path, or a sentence as the name. Parameters are longer only if data was passed. */
export const MAX_TEST_PART_LENGTH = 500;
/** Attempts of one test: runners repeat a few times; a stress run up to some thousands. */
export const MAX_ATTEMPT = 1_000_000;
