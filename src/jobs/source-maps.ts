/** Deletes the source maps of versions that have no session any more. */
import { hasSessions } from "../catalog/products.ts";
import { DAY_MS } from "../core/limits.ts";
import type { Env } from "../env.ts";
import { noteSourceMaps, oldSourceMaps } from "../registry/source-maps.ts";
import { removeMaps } from "../sourcemaps/client.ts";
import { SOURCE_MAPS_DAYS, SOURCE_MAPS_PER_RUN } from "./limits.ts";

/** Returns of how many versions. Those that are still used are looked at again after SOURCE_MAPS_DAYS. */
export async function expireSourceMaps(env: Env, now: number): Promise<number> {
  if (env.DATACAT_RETENTION_DAYS === "0") return 0;
  let deleted = 0;
  const before = now - SOURCE_MAPS_DAYS * DAY_MS;
  for (const row of await oldSourceMaps(env.REGISTRY, before, SOURCE_MAPS_PER_RUN)) {
    if (await hasSessions(env.CATALOG, row)) {
      await noteSourceMaps(env.REGISTRY, { ...row, checked_at: now });
      continue;
    }
    await removeMaps(env, row);
    deleted++;
  }
  return deleted;
}
