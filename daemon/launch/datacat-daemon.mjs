#!/usr/bin/env node
import { launch } from "./launch.mjs";

await launch("daemon/launch/datacat-daemon.ts", { isDaemon: true });
