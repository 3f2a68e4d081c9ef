/**
 * The only access to the objects of source maps. Callers have checked that who asks may upload to the product, or read the session whose
 * stacks are resolved.
 */
import { Refusal, type RefusalCode } from "../core/refusal.ts";
import type { Original } from "../core/sourcemaps/blocks.ts";
import { type Asked, keyOf } from "../core/sourcemaps/resolve.ts";
import type { Env } from "../env.ts";
import { haveSourceMaps, noteSourceMaps, removeSourceMaps } from "../registry/source-maps.ts";
import { KNOWN_MS, MAX_KNOWN } from "./limits.ts";
import type { SourceMapFile, SourceMaps, Totals, Upload, Uploaded } from "./object.ts";

/** A version of a product. */
export type Release = { product: string; version: string };

/** Stores a map. Throws a Refusal. */
export async function uploadMap(env: Env, release: Release, upload: Upload): Promise<Uploaded> {
  const reply = await (await objectOf(env, release)).put(upload);
  if ("refusal" in reply) {
    const { code, message } = (JSON.parse(reply.refusal) as ReturnType<Refusal["toJSON"]>).error; // as the object wrote it
    throw new Refusal(code satisfies RefusalCode, message);
  }
  await note(env, release, reply.value.totals, upload);
  return reply.value;
}

/** Its files. Lists the version again if the registry does not have it, because it was lost: an upload sends only what is new. */
export async function mapsOf(env: Env, release: Release): Promise<SourceMapFile[]> {
  const files = await (await objectOf(env, release)).list();
  const last = files.toSorted((a, b) => b.uploaded_at - a.uploaded_at)[0];
  if (last && !(await haveSourceMaps(env.REGISTRY, release))) {
    const bytes = files.reduce((sum, each) => sum + each.stored_bytes, 0);
    await note(
      env,
      release,
      { files: files.length, bytes },
      { at: last.uploaded_at, by: last.uploaded_by },
    );
  }
  return files;
}

/** Removes the map of one file; whether there was one. */
export async function removeMap(
  env: Env,
  release: Release,
  { file, ...by }: Pick<Upload, "file" | "at" | "by">,
): Promise<boolean> {
  const totals = await (await objectOf(env, release)).remove(file);
  if (!totals) return false;
  if (totals.files === 0) await removeMaps(env, release);
  else await note(env, release, totals, by);
  return true;
}

/** Removes all maps of a version. */
export async function removeMaps(env: Env, release: Release): Promise<Totals> {
  const removed = await (await objectOf(env, release)).erase();
  // After the object: as long as it may have maps, it is listed.
  await removeSourceMaps(env.REGISTRY, release);
  known.delete(nameOf(release));
  return removed;
}

/** What the version's maps have of each position, by keyOf. */
export async function resolvePositions(
  env: Env,
  release: Release,
  asked: Asked[],
): Promise<Map<string, Original>> {
  const answers = await (await objectOf(env, release)).resolve(asked);
  const found = new Map<string, Original>();
  for (const [index, position] of asked.entries()) {
    const original = answers[index];
    if (original) found.set(keyOf(position), original);
  }
  return found;
}

async function note(
  env: Env,
  release: Release,
  { files, bytes }: Totals,
  { at, by }: Pick<Upload, "at" | "by">,
): Promise<void> {
  await noteSourceMaps(env.REGISTRY, {
    ...release,
    files,
    bytes,
    uploaded_at: at,
    checked_at: at,
    uploaded_by: by,
  });
  known.delete(nameOf(release));
}

/** Answers of this isolate to hasMaps. */
const known = new Map<string, { has: boolean; until: number }>();

/** Whether a version has maps, as this isolate read it within KNOWN_MS: most have none, and then nothing else is asked. */
export async function hasMaps(env: Env, release: Release): Promise<boolean> {
  if (release.product === "" || release.version === "") return false;
  const name = nameOf(release);
  const now = Date.now();
  const found = known.get(name);
  if (found && found.until > now) return found.has;
  const has = await haveSourceMaps(env.REGISTRY, release);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, { has, until: now + KNOWN_MS });
  return has;
}

function nameOf({ product, version }: Release): string {
  return JSON.stringify([product, version]);
}

/** Named by a hash, because a name of two long names could exceed the platform's limit. */
async function objectOf(env: Env, release: Release): Promise<DurableObjectStub<SourceMaps>> {
  const name = new TextEncoder().encode(nameOf(release));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", name));
  return env.SOURCE_MAPS.getByName([...hash].map((byte) => byte.toString(16)).join("-"));
}
