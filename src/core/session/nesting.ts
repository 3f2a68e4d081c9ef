/** Refuses (too_deep) values that are nested too deep, before anything walks through them. */
import { checkDepth } from "../state/merge.ts";
import type { Op } from "../wire.ts";

export function checkNesting(op: Op): void {
  switch (op.op) {
    case "start":
      if (op.state) checkDepth(op.state, "The initial state");
      break;
    case "state":
      checkDepth(op.patch, "The state");
      break;
    case "event":
      if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
      break;
    case "metric":
    case "points":
      if (op.metadata) checkDepth(op.metadata, `The metadata of metric "${op.name}"`);
  }
}
