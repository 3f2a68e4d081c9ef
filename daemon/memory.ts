/** Keeps the daemon's memory small, because it runs beside the user's program. */
import { setFlagsFromString } from "node:v8";

/**
 * V8 doubles its space for new objects, up to 100 MB, while many are allocated and released, as after an outage. That saves CPU time
 * which the daemon does not need. V8 reads the factor at each growth, so it can be set in a running process.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
