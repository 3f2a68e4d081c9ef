/** How the one file for pages is built: for publishing (build.mjs), and for the tests of it in a browser. */

/**
 * Names within this client that its file has short, so that it stays within its limit of bytes. The short ones never change: copies of queues in
 * the browser's IndexedDB have them. No name that travels to the server is among them.
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
  entries: "t",
  log: "u",
  clock: "v",
  gatherUntil: "w",
  kind: "x",
  write: "y",
  close: "z",
};

export const PAGE_BUNDLE = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  mangleProps: new RegExp(`^(?:${Object.keys(NAMES).join("|")})$`),
  mangleCache: NAMES,
};
