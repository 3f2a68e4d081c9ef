/** Where a replaced word is right: names of other systems, wire fields, names of datacat 1.x. Each entry has its reason. */

export type Allowed = {
  words: string[];
  /** A file or folder. Default: everywhere. */
  path?: string;
  /** What the line holds around the word, in one match with it. Default: anything. */
  context?: RegExp;
  reason: string;
};

const FORM = ["form", "forms"];

export const ALLOWED: Allowed[] = [
  { words: ["strip"], context: /stripTypeScriptTypes/, reason: "Node's module module" },
  { words: ["flight"], context: /flight[- ]recorder/i, reason: "what Datacat is" },
  { words: FORM, context: /free-form/, reason: "without a schema" },
  { words: FORM, path: "src/pages", reason: "an HTML form" },
  { words: FORM, path: "public", reason: "an HTML form" },
  {
    words: FORM,
    context: /style\??: "form"/,
    path: "src/api/openapi",
    reason: "a field of OpenAPI",
  },
  { words: FORM, path: "test/pages", reason: "an HTML form" },
  { words: ["head"], context: /writeHead/, reason: "Node's http module" },
  { words: ["head"], context: /<\/?head>/, reason: "the HTML element" },
  { words: ["head"], context: /\bHEAD\b/, reason: "the HTTP method, git's revision" },
  { words: ["heads"], context: /refs\/heads/, reason: "git's names of branches" },
  {
    words: ["head"],
    context: /GITHUB_HEAD_REF|"head"|pull_request: \{ head/,
    reason: "a variable and a field of GitHub",
  },
  { words: ["head"], context: /\| head\b/, reason: "the program" },
  { words: ["strip"], context: /\.strip\(/, path: "clients/python", reason: "Python's str.strip" },
  { words: ["strip"], context: /\.strip\(/, path: "test/clients/python", reason: "as above" },
  { words: ["strip"], context: /stripVTControlCharacters/, reason: "Node's util module" },
  { words: ["digest"], context: /(?:subtle|hash|\))\.digest\(/, reason: "of a cryptographic hash" },
  { words: ["digest"], path: "src/access/secret.ts", reason: "SHA-256's result" },
  { words: ["digest"], path: "src/session/attachments/crypto.d.ts", reason: "as above" },
  { words: ["headless"], context: /--headless/, reason: "Chromium's option" },
  { words: ["board"], context: /board\W+stroke/, reason: "the end of keyboard" },
  { words: ["word", "words"], path: "src/core/segments/column.ts", reason: "32 bits of a number" },
  { words: ["beating"], context: /KeepBeating/, reason: "a method of the Go client" },
];
