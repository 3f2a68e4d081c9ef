/** The numbers of the reporters of test runners, each with its reason. */

/** Characters of a failed test's output that are kept, the last ones: the lines before the failure. */
export const OUTPUT_LENGTH = 16_384;
/** Tests whose output is kept while they run: more run at once in no runner, so older ones have ended without being reported. */
export const OUTPUTS_KEPT = 1_000;
/** Characters of each side of a difference: some hundred lines, more than a person compares. */
export const DIFF_LENGTH = 8_192;
/** Characters of a message in the line of a failed test. */
export const LINE_LENGTH = 300;
/** Failed tests in a job summary on GitHub, which takes 1 MiB. */
export const SUMMARY_FAILURES = 50;
/** Errors of one test that are recorded: the first ones, as a hook can add one for each of many checks. */
export const ERRORS_KEPT = 32;
/** Failed tests that are kept for it: a run in which more fail has one cause. */
export const FAILURES_KEPT = 10_000;
