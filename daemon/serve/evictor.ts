/**
 * A Worker beside ours, which takes session objects out of memory (src/session/residents.ts). Only a Worker with workerd's unsafe module
 * can, and ours has to run without it on Cloudflare. An eviction waits until its object has no request; no request fails by it.
 */
import type { V4WorkerOptions } from "miniflare";

const CODE = `
import { WorkerEntrypoint } from "cloudflare:workers";
import unsafe from "workerd:unsafe";

export default class extends WorkerEntrypoint {
  evict(objectIds) {
    const { SESSIONS } = this.env;
    for (const id of objectIds) {
      // Rejected: it is evicted already, or busy for 30 s.
      this.ctx.waitUntil(unsafe.evict(SESSIONS.get(SESSIONS.idFromString(id))).catch(() => {}));
    }
  }
}`;

/** Our Worker with its evictor. */
export function withEvictor(worker: V4WorkerOptions): [V4WorkerOptions, V4WorkerOptions] {
  const { name, compatibilityDate } = worker;
  return [
    { ...worker, serviceBindings: { ...worker.serviceBindings, EVICTOR: "evictor" } },
    {
      name: "evictor",
      compatibilityDate,
      compatibilityFlags: ["unsafe_module"],
      modules: [{ type: "ESModule", path: "evictor.js", contents: CODE }],
      durableObjects: { SESSIONS: { className: "Session", scriptName: name, useSQLite: true } },
    },
  ];
}
