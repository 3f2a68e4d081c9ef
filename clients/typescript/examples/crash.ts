/** A program that crashes: by an exception (default), or with the argument "kill" by SIGKILL. Its page shows the status Crashed, with the reason. */
import { open } from "@datacat/client";

const session = open({ product: "crash-example", version: "1.0.0" });
console.log(session.id);

session.updateState({ player: { hp: 3, room: "cellar" }, inventory: ["lantern"] });
session.logEvent("door_opened", { data: { door: 7 } });
session.gauge("light", 0.2);

if (process.argv[2] === "kill") process.kill(process.pid, "SIGKILL");

function enter(room: { monsters?: string[] }): number {
  return room.monsters!.length; // oxlint-disable-line no-non-null-assertion -- the mistake that this example is about
}
enter({});
