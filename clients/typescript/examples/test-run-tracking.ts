/** A run of tests as a session: each test an event with its result and time. (For vitest there is a reporter: "@datacat/client/vitest".) */
import { open } from "@datacat/client";

const tests: [string, () => void][] = [
  ["adds", () => check(1 + 1 === 2, "1 + 1 should be 2")],
  ["joins", () => check(["a", "b"].join("") === "ab", "a and b should be ab")],
  ["rounds", () => check(Math.round(2.5) === 2, "2.5 should round to 2")],
  ["compares", () => check(Math.min(3, 1, 2) === 1, "1 should be the least")],
];

function check(isTrue: boolean, message: string): void {
  if (!isTrue) throw new Error(message);
}

const session = open({ product: "test-run-example", version: "1.0.0", tags: ["tests"] });
const counts = { passed: 0, failed: 0, total: tests.length };

for (const [name, test] of tests) {
  session.updateState({ running: name });
  const timer = session.timer("test", { tags: [name] });
  try {
    test();
    counts.passed++;
    session.logEvent("test_passed", { group: "arithmetic", message: name });
  } catch (thrown) {
    counts.failed++;
    session.logException(thrown, {
      name: "test_failed",
      group: "arithmetic",
      message: name,
      handled: true,
    });
  }
  timer.stop();
  session.updateState({ counts });
}

session.updateState({ running: null });
session.end({ exitCode: counts.failed > 0 ? 1 : 0 });
console.log(session.id);
