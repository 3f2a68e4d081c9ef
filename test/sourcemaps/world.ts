/** A minified file of two functions, its map, and an exception of it. */
import { gzip, post, type Server } from "../api/server.ts";

export const SOURCE = [
  "export function openDoor(door) {",
  "  if (door.isLocked)",
  '    throw new Error("The door is locked");',
  "}",
  "export function startGame() {",
  "  openDoor({ isLocked: true });",
  "}",
].join("\n");

/** Column 10: line 3 of openDoor. Column 50, of the name openDoor: line 6 of startGame. */
export const MAP = {
  version: 3,
  sources: ["../src/door.ts"],
  sourcesContent: [SOURCE],
  names: ["openDoor"],
  // 0 → 1:0; 9 → 3:4; 40 → 5:0; 49 → 6:2, named
  mappings: "AAAA,SAEI,+BAEJ,SACEA",
};

export const FILE = "https://game.example.org/assets/app-1f2e3d4c.js";
export const STACK = [
  "Error: The door is locked",
  `    at t (${FILE}:1:10)`,
  `    at e (${FILE}:1:50)`,
];
export const RESOLVED = [
  "Error: The door is locked",
  "    at openDoor (src/door.ts:3:5)",
  "    at src/door.ts:6:3",
];

export function address(release: { product: string; version?: string; file?: string }): string {
  return `/api/sourcemaps?${new URLSearchParams(release).toString()}`;
}

export async function put(
  ask: Server,
  release: { product: string; version: string; file?: string },
  map: unknown = MAP,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask(address({ file: "assets/app-1f2e3d4c.js", ...release }), {
    method: "PUT",
    body: await gzip(typeof map === "string" ? map : JSON.stringify(map)),
    headers: { "content-encoding": "gzip", ...headers },
  });
}

/** Records a session that throws. */
export async function crash(
  ask: Server,
  session: string,
  { product, version, stack = STACK }: { product: string; version: string; stack?: string[] },
): Promise<void> {
  const at = Date.now();
  const exception = {
    exception_type: "Error",
    exception_msg: "The door is locked",
    stacktrace: stack,
  };
  const ops = [
    { op: "start", at, product, version },
    { op: "event", at: at + 1, name: "exception", ...exception, handled: false },
    { op: "stacks", at: at + 2, when: "died", threads: [{ name: "main", frames: stack }] },
    { op: "end", at: at + 3, exit_code: 1 },
  ];
  const batch = { session, lane: "l", first: 1, last: ops.length, ops };
  const response = await ask("/api/ingest", post({ batches: [batch] }));
  const { results } = (await response.json()) as { results: { error?: unknown }[] };
  if (results[0]?.error) throw new Error(JSON.stringify(results));
}
