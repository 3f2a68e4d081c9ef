#!/usr/bin/env node
/** The entry of dist/datacat.js: the command or the daemon, by the name that the file was started with. */
import { basename } from "node:path";

if (basename(process.argv[1] ?? "").startsWith("datacat-daemon")) {
  await import("./datacat-daemon.ts");
} else {
  await import("../cli/main.ts");
}
