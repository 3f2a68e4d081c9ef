/** Exceptions: handled ones, ones with causes, odd ones, and one in a callback that a library calls. */
import { open } from "@datacat/client";

class SaveError extends Error {}

const session = open({ product: "exceptions-example", version: "1.0.0" });
session.updateState({ document: { name: "Report", dirty: true } });

function save(): void {
  try {
    throw new RangeError("disk full");
  } catch (cause) {
    throw new SaveError("Report could not be saved", { cause });
  }
}

try {
  save();
} catch (thrown) {
  session.logException(thrown, { handled: true, data: { retry: 1 } });
}

// Anything can be thrown, so anything can be recorded.
session.logException("just a text");
session.logException({ code: 42 });
session.logException(new AggregateError([new TypeError("first"), new Error("second")], "several"));

// The same failure again counts in the same group.
for (let attempt = 2; attempt <= 3; attempt++) {
  try {
    save();
  } catch (thrown) {
    session.logException(thrown, { handled: true, data: { retry: attempt } });
  }
}

session.end();
console.log(session.id);
