/**
 * A session's stacks by the source maps of its version: of exceptions before they are recorded, so that they are grouped by them, and of
 * what is answered, since maps may be uploaded later. Without maps nothing changes; nor if they do not answer.
 */
import * as v from "valibot";
import type { EventRow } from "../core/answers/events.ts";
import type { Page } from "../core/answers/page.ts";
import type { StackRow } from "../core/answers/stacks.ts";
import type { SessionIndex } from "../core/session/session-index.ts";
import type { Redactor } from "../core/secrets/redact.ts";
import type { Original } from "../core/sourcemaps/blocks.ts";
import { MAX_POSITIONS } from "../core/sourcemaps/limits.ts";
import {
  boundedResolved,
  positionsOf,
  resolveEvent,
  resolveThreads,
  stacksIn,
} from "../core/sourcemaps/resolve.ts";
import { Event, Start } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { hasMaps, type Release, resolvePositions } from "../sourcemaps/client.ts";
import { MAX_RESOLVED_EVENTS, RECORD_WAIT_MS } from "../sourcemaps/limits.ts";
import type { QuestionName } from "../core/questions/questions.ts";

export class SessionMaps {
  readonly #env: Env;
  readonly #index: () => SessionIndex | undefined;
  readonly #redactor: Redactor;
  /** The request that waits last for maps: later ones are applied after it. */
  #last: Promise<void> | undefined;

  constructor(env: Env, index: () => SessionIndex | undefined, redactor: Redactor) {
    this.#env = env;
    this.#index = index;
    this.#redactor = redactor;
  }

  /**
   * Adds `resolved` to exceptions among `ops`, which may have any shape. `body`: the text that they are of. `product`: of the key that
   * they came with.
   */
  async beforeApplied(body: string, ops: unknown[], product: string | null): Promise<void> {
    const hasExceptions = body.includes('"exception_type"');
    if (!hasExceptions && !this.#last) return;
    const last = Promise.resolve(this.#last).then(() =>
      hasExceptions ? this.#resolveInTime(ops, product) : undefined,
    );
    this.#last = last;
    await last;
    if (this.#last === last) this.#last = undefined;
  }

  async #resolveInTime(ops: unknown[], product: string | null): Promise<void> {
    const timer = new AbortController();
    try {
      await Promise.race([
        this.#resolveOps(ops, product).catch(report),
        scheduler.wait(RECORD_WAIT_MS, { signal: timer.signal }),
      ]);
    } finally {
      timer.abort(); // a timer keeps the object in memory
    }
  }

  async #resolveOps(ops: unknown[], product: string | null): Promise<void> {
    const starts = ops.flatMap((op) => (v.is(Start, op) ? [op] : []));
    const index = this.#index();
    const release = {
      product: index?.product || (starts.find((op) => op.product)?.product ?? product ?? ""),
      version: index?.version || (starts.find((op) => op.version)?.version ?? ""),
    };
    if (!(await hasMaps(this.#env, release))) return;
    const events = ops
      .filter((op) => v.is(Event, op))
      .filter(({ exception_type, resolved }) => exception_type && !resolved)
      .slice(0, MAX_RESOLVED_EVENTS);
    const found = await this.#originals(release, events.flatMap(stacksIn));
    for (const event of events) {
      const resolved = boundedResolved(event, found);
      if (resolved) event.resolved = resolved;
    }
  }

  /** An answer with `resolved` for each exception, or sample of stacks, that has none yet. */
  async answer(name: QuestionName, answered: unknown): Promise<unknown> {
    if (name !== "events" && name !== "stacks") return answered;
    try {
      const { product = "", version = "" } = this.#index() ?? {};
      const release = { product, version };
      if (!(await hasMaps(this.#env, release))) return answered;
      return name === "events"
        ? await this.#events(release, answered as Page<EventRow>) // as core/questions/questions.ts gives them
        : await this.#stacks(release, answered as Page<StackRow>);
    } catch (error) {
      report(error);
      return answered;
    }
  }

  async #events(release: Release, page: Page<EventRow>): Promise<Page<EventRow>> {
    const open = page.items.filter(({ exception_type, resolved }) => exception_type && !resolved);
    const found = await this.#originals(release, open.flatMap(stacksIn));
    const items = page.items.map((event) => {
      const resolved = open.includes(event) ? resolveEvent(event, found) : undefined;
      return resolved ? { ...event, resolved: this.#redactor.value(resolved) } : event;
    });
    return { ...page, items };
  }

  async #stacks(release: Release, page: Page<StackRow>): Promise<Page<StackRow>> {
    const open = page.items.filter(({ resolved }) => resolved === undefined);
    const all = open.flatMap(({ threads }) => threads.map(({ frames }) => frames));
    const found = await this.#originals(release, all);
    const items = page.items.map((row) => {
      const resolved = open.includes(row) ? resolveThreads(row.threads, found) : undefined;
      return resolved ? { ...row, resolved: this.#redactor.value(resolved) } : row;
    });
    return { ...page, items };
  }

  /** Of the first MAX_POSITIONS positions. */
  async #originals(release: Release, stacks: string[][]): Promise<Map<string, Original>> {
    const asked = positionsOf(stacks).slice(0, MAX_POSITIONS);
    if (asked.length === 0) return new Map();
    const found = await resolvePositions(this.#env, release, asked);
    noteAnswer();
    return found;
  }
}

let isFailing = false;

/** Logs the first of several failures. */
function report(error: unknown): void {
  if (!isFailing) console.error("Source maps do not answer; stacks are as recorded:", error);
  isFailing = true;
}

/** Logs that they answer again. */
function noteAnswer(): void {
  if (isFailing) console.error("Source maps answer again.");
  isFailing = false;
}
