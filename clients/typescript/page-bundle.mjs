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

/** What the file for pages leaves to the server, which redacts again: rules for what hardly occurs in a page, and the texts of tests. */
const LEFT_TO_SERVER = {
  aws: "export const withAwsSecrets = (text, found) => found",
  cards: "export const cardEnd = () => undefined",
  elements: "export const element = () => undefined, variable = element, IS_VARIABLE = /(?!)/",
  options: "export const option = () => undefined",
  expected: "export const EXPECTED = {}", // of messages about a wrong setting, which a page ignores
  "test-fact": "export const testFact = (test) => test",
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
      name: "rules left to the server",
      setup({ onLoad }) {
        onLoad(
          {
            filter:
              /(?:core\/secrets\/(?:aws|cards|elements|expected|options)|encode\/test-fact)\.ts$/,
          },
          ({ path }) => ({
            contents: LEFT_TO_SERVER[/([a-z-]+)\.ts$/.exec(path)[1]],
          }),
        );
      },
    },
  ],
};
