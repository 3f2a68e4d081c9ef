/** Every number that bounds `datacat import`, each with its reason. */

/** A report of 100,000 tests with their output has 100 MB. */
export const MAX_REPORT_BYTES = 1024 * 1024 * 1024;
/** Read at once. */
export const CHUNK_BYTES = 64 * 1024;
/** Of one import: more than the largest monorepos run at once. */
export const MAX_TESTS = 500_000;
/** Elements within each other: suites of suites have ten. */
export const MAX_XML_DEPTH = 100;
/** Characters of one attribute or one piece of text in a row: some generators write the whole failure into an attribute. */
export const MAX_XML_TOKEN = 16 * 1024 * 1024;
/** Characters of a line of TAP; the rest is left out. */
export const MAX_TAP_LINE = 64 * 1024;
/** Lines of one YAML block: a diff of a large object. */
export const MAX_YAML_LINES = 5_000;
/** And their characters: several times those of a failure. */
export const MAX_YAML_LENGTH = 512 * 1024;
/** Characters of a failure's text: as of an error that `run` finds. */
export const FAILURE_LENGTH = 120_000;
/** Lines of a stack trace that are recorded. */
export const FAILURE_LINES = 1_000;
/** clients/README.md, "Tests": characters of a test's output, and of each side of a comparison. */
export const OUTPUT_LENGTH = 16 * 1024;
export const DIFF_LENGTH = 8 * 1024;
/** Characters of a reason, a message, a property. */
export const TEXT_LENGTH = 1_000;
/** Properties of all suites together: Surefire writes those of the JVM, some 60. */
export const MAX_PROPERTIES = 300;
/** Attempts of one test that are recorded. */
export const MAX_ATTEMPTS = 100;
/** Files and folders that a folder is searched for. */
export const MAX_FILES = 20_000;
export const MAX_FOLDER_DEPTH = 32;
/** Ops written at once. */
export const OPS_PER_WRITE = 200;
/** Lines of a failure that may begin with its place: the first messages of a test. */
export const PLACE_LINES = 50;
