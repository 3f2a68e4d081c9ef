/** The `datacat` command: what there is, and which file does it. Each is loaded only when it is asked for. */
import { program } from "./program.ts";

await program.parseAsync();
