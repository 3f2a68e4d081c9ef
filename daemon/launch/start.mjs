#!/usr/bin/env node
import { launch } from "./launch.mjs";

await launch("daemon/serve/main.ts");
