#!/usr/bin/env node
/** What dist/datacat.js is made of: the command and the daemon, told apart by the name that the file was called by. */
import { basename } from "node:path";

if (basename(process.argv[1] ?? "").startsWith("datacat-daemon")) {
  await import("./datacat-daemon.ts");
} else {
  await import("../cli/main.ts");
}
