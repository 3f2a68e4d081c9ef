/** `daemon.json` in the home: which process serves it, on which port, and with which token. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import type { Home } from "./home.ts";

const Info = v.object({
  pid: v.number(),
  pid_started: v.optional(v.string()),
  port: v.number(),
  version: v.string(),
  /** Opens what its local API has for its owner alone. */
  token: v.optional(v.string()),
});
export type DaemonInfo = v.InferOutput<typeof Info>;

export function readInfo(home: Home): DaemonInfo | undefined {
  try {
    return v.parse(Info, JSON.parse(readFileSync(home.info, "utf8")));
  } catch {
    return undefined;
  }
}
