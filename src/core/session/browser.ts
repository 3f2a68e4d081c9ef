/** The name of a browser and its system, from its User-Agent header (RFC 9110 §10.1.5), which the client in pages records as its language. */

/** Products of a User-Agent by their tokens. The order matters: most browsers also name those that they are compatible with. */
const BROWSERS: [token: RegExp, name: string][] = [
  [/\bEdg(?:A|iOS)?\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bSamsungBrowser\/(\d+)/, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/(?:Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//, "Safari"],
];

/** Windows and macOS have no version here: browsers always send the same one, whatever the system's is. */
const SYSTEMS: [token: RegExp, name: string][] = [
  [/\bAndroid (\d+)/, "Android"],
  [/\b(?:iPhone|CPU) OS (\d+)/, "iOS"],
  [/\bWindows NT\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/** "Chrome 126 on Windows", "Safari 17 on iOS 17"; "" if it is not the User-Agent of a browser. */
export function browserOf(userAgent: string): string {
  if (!userAgent.startsWith("Mozilla/")) return "";
  const browser = firstOf(BROWSERS, userAgent) ?? "Browser";
  const system = firstOf(SYSTEMS, userAgent);
  return system === undefined ? browser : `${browser} on ${system}`;
}

function firstOf(tokens: [token: RegExp, name: string][], text: string): string | undefined {
  for (const [token, name] of tokens) {
    const match = token.exec(text);
    if (match) return match[1] === undefined ? name : `${name} ${match[1]}`;
  }
  return undefined;
}
