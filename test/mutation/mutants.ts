/** Mutants of a source text: copies with one token changed, so that the program means something else. Text in, text out. */
import { stripTypeScriptTypes } from "node:module";

export type Language = "typescript" | "python" | "go";

export type Mutant = {
  /** From 1. */
  line: number;
  /** The changed line, without indentation, before and after. */
  before: string;
  after: string;
  /** The whole source with the change. */
  source: string;
};

type Token = { kind: "code" | "text" | "number" | "name"; text: string; at: number };

/** Comments, then strings, numbers, names and operators. Template strings, regular expressions and docstrings are left as they are. */
const TOKENS: Record<Language, RegExp> = {
  typescript:
    /(?<skip>\/\/.*|\/\*[^]*?\*\/|`(?:\\[^]|[^`\\])*`|(?<=[(=,:!&|?]\s*|return )\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*)|(?<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?<number>\b0x[\da-fA-F_]+|\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[A-Za-z_$][\w$]*(?:\.(?:min|max|floor|ceil))?)|(?<code>>>>=?|<<|>>|===|!==|\?\?=?|&&|\|\||[<>+*/%&|^-]=|\+\+|--|=>|[<>+\-*/%&|^!])/g,
  python:
    /(?<skip>#.*|[rbu]*"""[^]*?"""|[rbu]*'''[^]*?'''|\b[rbu]+"(?:\\.|[^"\\\n])*"|\b[rbu]+'(?:\\.|[^'\\\n])*')|(?<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?<number>\b0x[\da-fA-F]+|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<code><<|>>|==|!=|\*\*|\/\/|[<>+*/%&|^-]=|[<>+\-*/%&|^])/g,
  go: /(?<skip>\/\/.*|\/\*[^]*?\*\/|`[^`]*`|'(?:\\.|[^'\\\n])+')|(?<text>"(?:\\.|[^"\\\n])*")|(?<number>\b0x[\da-fA-F]+|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<code>&\^|<<|>>|==|!=|&&|\|\||:=|<-|[<>+*/%&|^-]=|\+\+|--|[<>+\-*/%&|^!])/g,
};

const REPLACEMENTS: Record<string, string> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "==": "!=",
  "!=": "==",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "//": "*",
  "%": "*",
  "&&": "||",
  "||": "&&",
  "??": "&&",
  "&": "|",
  "|": "&",
  "^": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "++": "--",
  "--": "++",
  "!": "",
  true: "false",
  false: "true",
  True: "False",
  False: "True",
  and: "or",
  or: "and",
  not: "",
  "Math.min": "Math.max",
  "Math.max": "Math.min",
  "Math.floor": "Math.ceil",
  "Math.ceil": "Math.floor",
  min: "max",
  max: "min",
  continue: "break",
  break: "continue",
};

/** Lines that name other files. */
const IMPORT = /^\s*(?:import|export (?:\*|\{.*\}) from|\} from|from|package)\b/;

/** Every mutant of a source, in order. */
export function mutantsOf(source: string, language: Language): Mutant[] {
  // Types mean nothing at run time. Spaces take their place, so that the tokens keep their positions.
  const code = language === "typescript" ? stripTypeScriptTypes(source) : source;
  return tokensOf(code, language).flatMap((token) => {
    const replacement = replacementOf(token, code);
    return replacement === undefined ? [] : [mutantOf(source, token, replacement)];
  });
}

function tokensOf(source: string, language: Language): Token[] {
  return [...source.matchAll(TOKENS[language])].flatMap(({ groups = {}, index }) => {
    const kind = (["code", "text", "number", "name"] as const).find((name) => groups[name]);
    const text = kind && groups[kind];
    return kind && text ? [{ kind, text, at: index }] : [];
  });
}

function replacementOf({ kind, text, at }: Token, source: string): string | undefined {
  if (IMPORT.test(lineAt(source, at))) return undefined;
  // `list[i] ?? 0` satisfies the compiler; the index is in range.
  if (source.slice(0, at).endsWith("] ?? ")) return undefined;
  const [previous, next] = [source[at - 1] ?? "", source[at + text.length] ?? ""];
  switch (kind) {
    case "text":
      // A property name or a key is not a value; an empty string becomes one with a character.
      return next === ":" ? undefined : `${text.slice(0, -1)}~${text.at(-1)}`;
    case "number":
      return incremented(text);
    case "name":
      return previous === "." ? undefined : own(text);
    case "code":
      // The formatters put blanks around binary operators, so that an operator without is a type argument or a sign.
      if (text === "!") return /[\w(#]/.test(next) && previous !== "." ? "" : undefined;
      if (text === "++" || text === "--") return own(text);
      return previous === " " && next === " " ? own(text) : undefined;
  }
}

function own(text: string): string | undefined {
  return Object.hasOwn(REPLACEMENTS, text) ? REPLACEMENTS[text] : undefined;
}

function incremented(text: string): string {
  const value = Number(text.replaceAll("_", ""));
  return text.startsWith("0x") ? `0x${(value + 1).toString(16)}` : String(value + 1);
}

function mutantOf(source: string, { at, text }: Token, replacement: string): Mutant {
  const changed = source.slice(0, at) + replacement + source.slice(at + text.length);
  return {
    line: source.slice(0, at).split("\n").length,
    before: lineAt(source, at).trim(),
    after: lineAt(changed, at).trim(),
    source: changed,
  };
}

function lineAt(source: string, at: number): string {
  const end = source.indexOf("\n", at);
  return source.slice(source.lastIndexOf("\n", at - 1) + 1, end < 0 ? undefined : end);
}
