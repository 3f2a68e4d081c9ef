/** Options for building the one file for pages: for publishing (build.mjs), and for its tests in a browser. */

/**
 * Properties that have a short name in the built file, which keeps it within its limit of bytes. A short name never changes, because copies of
 * queues in the browser's IndexedDB have it. No property that travels to the server, and none of the language or the browser that the client
 * uses, is in this list: esbuild renames by name alone.
 */
const NAMES = {
  retryAfterMs: "a",
  isMissing: "b",
  above: "c",
  losses: "d",
  finalBody: "e",
  release: "f",
  keep: "g",
  measure: "h",
  append: "i",
  finish: "j",
  resumeAt: "k",
  dueAt: "l",
  reported: "m",
  failures: "n",
  isClosed: "o",
  sequence: "p",
  batch: "q",
  bytes: "r",
  lost: "s",
  record: "t",
  log: "u",
  clock: "v",
  gatherUntil: "w",
  write: "y",
  close: "z",
};

/** What the file for pages leaves to the server, which redacts again: card numbers, passwords in commands' short options, and the texts of tests. */
const LEFT_TO_SERVER = {
  cards: "export const cardEnd = () => undefined",
  programs: "export const isPasswordOption = () => false",
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
          { filter: /(?:core\/secrets\/(?:cards|programs)|encode\/test-fact)\.ts$/ },
          ({ path }) => ({
            contents: LEFT_TO_SERVER[/([a-z-]+)\.ts$/.exec(path)[1]],
          }),
        );
      },
    },
  ],
};
