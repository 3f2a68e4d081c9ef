/** How a person starts this command, for help, hints and error messages. */
import { fileURLToPath } from "node:url";

/**
 * `datacat` where it is installed. In a clone it is the path of the clone's launcher: `npx datacat` works only inside the clone, and
 * elsewhere runs a package of that name from the registry.
 */
export const DATACAT = import.meta.url.endsWith(".ts") ? launcher() : "datacat";

function launcher(): string {
  const path = fileURLToPath(new URL("../launch/datacat.mjs", import.meta.url));
  const argument = /[^\w./:\\-]/.test(path) ? JSON.stringify(path) : path;
  return process.platform === "win32" ? `node ${argument}` : argument;
}
