/** The smallest useful program: open a session, record, end it. Run: node examples/basic.ts */
import { open } from "@datacat/client";

const session = open({ product: "basic-example", version: "1.0.0" });

session.updateState({ status: "running", progress: 0 });
session.logEvent("loaded", { message: "Everything is in place", data: { items: 3 } });
for (let item = 1; item <= 3; item++) {
  session.gauge("items_done", item);
  session.updateState({ progress: item / 3 });
}
session.updateState({ status: "done" });

session.end();
console.log(session.id);
