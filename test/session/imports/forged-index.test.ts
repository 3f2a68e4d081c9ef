/** Whatever a file has in its index: it is refused, or every answer and page of the session is one. A failure prints its seed. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { MAX_TIME } from "../../../src/core/limits.ts";
import { PART, packJson } from "../../../src/core/session-file/parts.ts";
import { CODEC } from "../../../src/session/storage/row.ts";
import { server } from "../../api/server.ts";
import { World } from "../world.ts";
import { everythingIn } from "./everything.ts";
import { type AnyIndex, fileWith, forged, partsOf } from "./forge.ts";
import { KINDS } from "./kinds.ts";

const ask = server();

type Path = (string | number)[];
type Recorded = { file: Uint8Array; paths: Path[] };

const kinds = Object.keys(KINDS).filter((kind) => !kind.includes("damaged"));
const recorded = new Map<string, Recorded>();
beforeAll(async () => {
  for (const kind of kinds) {
    const world = new World();
    await KINDS[kind]?.(world);
    const file = await bytesOf(`/api/sessions/${world.id}/export?format=datacat`);
    const paths: Path[] = [];
    forged(file, ({ index }, n) => void (n === 0 && paths.push(...pathsIn(index))));
    recorded.set(kind, { file, paths });
  }
});

async function bytesOf(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await ask(path)).arrayBuffer());
}

/** Of every member; of lists, those of the first two items. */
function* pathsIn(value: AnyIndex, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  const keys = Array.isArray(value) ? [...value.keys()].slice(0, 2) : Object.keys(value);
  for (const key of keys) yield* pathsIn(value[key], [...path, key]);
}

/** The file with another value at the path. It names damage, so that its log need not agree. */
function changed({ file }: Recorded, path: Path, value: unknown): Uint8Array {
  const other = forged(file, ({ index }, n) => {
    if (n > 0) return;
    const holder = path.slice(0, -1).reduce<AnyIndex>((inner, key) => inner[key], index);
    holder[path.at(-1) ?? ""] = value;
  });
  const damage = { kind: PART.damage, payload: packJson([[1, "index"]], CODEC) };
  return fileWith([...partsOf(other), damage]);
}

const ANSWERS =
  "summary state state/history events events/counts tests stacks attachments metrics timeline changes export export?format=json export?format=csv&table=metrics_wide export?format=datacat";

/** Every answer, the page, and what the page fetches. */
async function expectAnswers(id: string): Promise<void> {
  for (const path of ANSWERS.split(" ")) await expectAnswer(`/api/sessions/${id}/${path}`);
  await expectAnswer(`/api/sessions/${id}`);
  const page = await expectAnswer(`/sessions/${id}`);
  for (const [, path = ""] of page.matchAll(/hx-get="([^"]+)"/g))
    await expectAnswer(path.replaceAll("&amp;", "&"));
  for (const path of ["/sessions", "/api/sessions?limit=1000", "/exceptions", "/metrics"])
    await expectAnswer(path);
}

async function expectAnswer(path: string): Promise<string> {
  const response = await ask(path);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  expect(response.status, `${path}: ${text.slice(0, 200)}`).toBeLessThan(500);
  return text;
}

const value = fc.oneof(
  fc.constantFrom(1e308, -1e308, 1e15, 0, -1, 0.5, 5e-324, MAX_TIME),
  fc.constantFrom("", "x".repeat(250), "=5", "\u001B[2J", "__proto__"),
  fc.constantFrom<unknown>(true, false, null, undefined, [], {}, [null], [[]]),
);
const place = fc.tuple(fc.constantFrom(...kinds), fc.nat());

let made = 0;

test("an index with any other value is refused, or gives answers", async () => {
  await fc.assert(
    fc.asyncProperty(place, value, async ([kind, at], other) => {
      const one = recorded.get(kind);
      if (!one) throw new Error(`Nothing was recorded ${kind}.`);
      const file = changed(one, one.paths[at % one.paths.length] ?? [], other);
      const id = `any-index-${++made}`;
      const response = await ask(`/api/sessions/import?id=${id}`, { method: "POST", body: file });
      expect(response.status, await response.text()).toBeLessThan(500);
      if (response.status !== 200) return;
      await expectAnswers(id);
      await everythingIn(file);
    }),
    { numRuns: 30 },
  );
}, 600_000);
