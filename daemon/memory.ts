/** Keeps the daemon small beside somebody else's program. */
import { setFlagsFromString } from "node:v8";

/**
 * V8 doubles its space for new objects, up to 100 MB, while many are made and die at once, as when the daemon catches up. What
 * that buys is time that the daemon does not need. The factor is read at each growth, so it takes effect in a process that runs.
 */
export function staySmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
