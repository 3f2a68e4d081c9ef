/**
 * A vitest reporter: records each run as a session, and each test as an event with its result and duration, failures with their stacks.
 * In vitest.config.ts: `reporters: ["default", ["@datacat/client/vitest", { product: "my tests" }]]`.
 */
import { relative } from "node:path";
import type {
  Reporter,
  SerializedError,
  TestCase,
  TestModule,
  TestRunEndReason,
} from "vitest/node";
import { open } from "../node.ts";
import type { Session } from "../session/session.ts";
import type { OpenOptions } from "../settings.ts";

export default class DatacatReporter implements Reporter {
  readonly #options: OpenOptions;
  #session: Session | undefined;
  #counts = { passed: 0, failed: 0, skipped: 0 };

  constructor(options: OpenOptions = {}) {
    this.#options = options;
  }

  onTestRunStart(): void {
    const { product = "tests", tags = [] } = this.#options;
    this.#counts = { passed: 0, failed: 0, skipped: 0 };
    this.#session = open({ ...this.#options, product, tags: ["vitest", ...tags] });
    this.#session.updateState({ phase: "running", tests: this.#counts });
  }

  onTestModuleStart(module: TestModule): void {
    this.#session?.updateState({ file: nameOf(module) });
  }

  /** Records files that could not be loaded: they have no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    for (const error of module.errors()) {
      this.#session?.logException(error, { name: "file_failed", data: { file: nameOf(module) } });
    }
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state === "pending") return;
    this.#counts[state]++;

    const durationMs = test.diagnostic()?.duration ?? 0;
    const event = {
      message: test.fullName,
      group: nameOf(test.module),
      labels: [state],
      data: {
        test: test.fullName,
        file: nameOf(test.module),
        result: state,
        duration_ms: durationMs,
      },
    };
    const [error] = errors;
    if (error === undefined) this.#session?.logEvent("test", event);
    else
      this.#session?.logException(error, {
        ...event,
        name: "test",
        category: "error",
        handled: true,
      });
    this.#session?.histogram("test_seconds", durationMs / 1_000, { unit: "s" });
    this.#session?.updateState({ tests: this.#counts });
  }

  onTestRunEnd(
    _modules: readonly TestModule[],
    unhandled: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    for (const error of unhandled) this.#session?.logException(error, { handled: false });
    this.#session?.updateState({ phase: reason });
    this.#session?.end({ exitCode: reason === "passed" ? 0 : 1 });
  }
}

function nameOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}
