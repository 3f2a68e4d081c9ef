/** The session for a caller who may do this with it. Each function throws a Refusal if there is none, or if the caller may not. */
import {
  type Access,
  checkKind,
  checkMayOpen,
  checkOpener,
  checkOwner,
} from "../../core/access/authority.ts";
import type { Arrival } from "../../core/session/times.ts";
import type { KeyKind } from "../../core/vocabulary.ts";
import type { Op } from "../../core/wire.ts";
import { damagedStorage } from "../storage/database.ts";
import type { Loaded, Log } from "../storage/log.ts";

/** For a caller with a key of this kind. */
export function permitted(log: Log, access: Access, action: KeyKind): Loaded {
  checkKind(access, action);
  const loaded = log.need();
  checkOwner(access, loaded.projection.index.product);
  return loaded;
}

/** For a caller who adds to it, with the key that opened it unless the key may continue others' sessions. */
export function continued(log: Log, access: Access): Loaded {
  const loaded = permitted(log, access, "ingest");
  checkOpener(access, loaded.projection.index.opener, `Session ${log.id}`);
  return loaded;
}

/** For a caller who records in it, or opens it. A new one belongs to the product of the caller's key, if that is bound to one. */
export function continuedOrOpened(log: Log, access: Access, ops: Op[], arrival: Arrival): Loaded {
  checkKind(access, "ingest");
  log.checkNotErased();
  for (const op of ops) if (op.op === "start" && op.product) checkOwner(access, op.product);
  // Writing into a file that SQLite cannot read could spread the damage. Any other damage is left as it is, and the session goes on
  // in a segment after it. The owner may be among what is damaged; then only keys for all products may go on.
  if (log.store.isUnwritable) throw damagedStorage();
  if (log.load()) return continued(log, access);
  checkMayOpen(access);
  return log.open(ops[0]?.at ?? arrival.now, arrival, access);
}
