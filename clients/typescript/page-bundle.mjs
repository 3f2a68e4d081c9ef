/** Options for building the one file for pages: for publishing (build.mjs), and for its tests in a browser. */

/**
 * Properties that have a short name in the built file, which keeps it within its limit of bytes. A short name never changes, because copies of
 * queues in the browser's IndexedDB have it. esbuild renames by name alone, so no property that travels to the server, that a program passes,
 * or that the language or a browser has, is in this list: test/page-names.test.ts compares.
 */
const NAMES = {
  retryAfterMs: "a",
  isMissing: "b",
  losses: "d",
  finalBody: "e",
  resumeAt: "k",
  dueAt: "l",
  reported: "m",
  failures: "n",
  isClosed: "o",
  sequence: "p",
  batch: "q",
  keep: "g",
  least: "M",
  prefixes: "N",
  room: "P",
  isIn: "Q",
  most: "R",
  clock: "v",
  gatherUntil: "w",
  isSentence: "A",
  isProse: "B",
  ordinary: "C",
  findings: "I",
  folder: "J",
  keeps: "K",
  leftOut: "L",
  isQuoted: "D",
  isSecretName: "E",
  isSecretMember: "F",
  namePairs: "G",
  optionClass: "H",
};

/**
 * What the file for pages is built without. Left to the server, which redacts again: rules for what hardly occurs in a page, and the texts of
 * tests. esbuild leaves out calls of functions without content, with their arguments.
 */
const LEFT_OUT = {
  aws: "export function withAwsSecrets(text, found) { return found }",
  cards:
    "export function card() {} export function isNumber() {} export function numberEnd(text, at) { return at + 1 } export const NUMBER = '(?!)'",
  elements:
    "export function element() {} export function variable() {} export const IS_VARIABLE = /(?!)/",
  options: "export function option() {}",
  // Messages about a wrong setting, which a page ignores.
  expected:
    "export const SettingError = Error; export function within() {} export function wrong() {} export function unknown() {} export function problemOf() {}",
  // Source lines: a page has no files.
  source: "export function sourcesOf() { return [] }",
  "test-fact": "export function testFact(test) { return test }",
};

export const PAGE_BUNDLE = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  mangleProps: new RegExp(`^(?:${Object.keys(NAMES).join("|")})$`),
  mangleCache: NAMES,
  plugins: [
    {
      name: "what is left out",
      setup({ onLoad }) {
        onLoad(
          {
            filter:
              /(?:core\/secrets\/(?:aws|cards|elements|expected|options)|encode\/(?:source|test-fact))\.ts$/,
          },
          ({ path }) => ({
            contents: LEFT_OUT[/([a-z-]+)\.ts$/.exec(path)[1]],
          }),
        );
      },
    },
  ],
};
