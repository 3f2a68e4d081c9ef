/** Restarts of a machine: its sessions from before a restart cannot be running any more. */
import { openBeforeBoot } from "../catalog/known.ts";
import type { SessionIndex } from "../core/session/session-index.ts";
import { verdict } from "../core/status/status.ts";
import type { Op } from "../core/wire.ts";
import type { Env } from "../env.ts";

/** A boot of a machine, as a session of one product reports it, and when that session ran in it last. */
export type Boot = { machineId: string; bootId: string; product: string; at: number };

/** Reports boots to the open sessions of their products that the catalog has for an earlier boot of the machine. */
export async function reportBoots(env: Env, boots: Boot[]): Promise<void> {
  const distinct = new Map(
    boots
      .sort((a, b) => a.at - b.at) // the newest remains
      .map((boot) => [JSON.stringify({ ...boot, at: 0 }), boot]),
  );
  for (const boot of distinct.values()) {
    const { machineId: machine_id, bootId: boot_id, product } = boot;
    for (const open of await openBeforeBoot(env.CATALOG, { machine_id, boot_id, product }))
      await env.SESSIONS.getByName(open).machineRestarted(boot);
  }
}

/**
 * The crash op for a session from before this boot. Undefined for another product or machine, the same boot, a session in contact, or one that
 * ran later: the boot is then an earlier one, of a session that was published again or imported.
 */
export function crashOf(index: SessionIndex, boot: Boot, now: number): Op | undefined {
  const { machineId, bootId, product, observations, updatedAt } = index;
  if (product !== boot.product || machineId !== boot.machineId) return undefined;
  if (bootId === "" || bootId === boot.bootId || updatedAt > boot.at) return undefined;
  if (verdict(observations, now).status !== "suspended") return undefined;
  return {
    op: "crash",
    at: Math.max(updatedAt, observations.lastOpAt), // points may be newer than their op
    reason: "rebooted",
    rebooted: true,
    message: "The machine was restarted, and this session did not continue",
  };
}
