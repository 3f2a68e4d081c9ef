/** Stacks of JavaScript with the places of their sources, by what source maps have of each position. The recorded stacks stay unchanged. */
import { type Frame, framesOf } from "../stack/frame.ts";
import { innermostFrame } from "../stack/where.ts";
import type { Event, Resolved, Stacks } from "../wire.ts";
import type { Original } from "./blocks.ts";
import { MAX_EVENT_BYTES } from "../limits.ts";
import { MAX_EXCERPTS, MAX_POSITIONS, MAX_RESOLVED_LENGTH } from "./limits.ts";

/** A position as a frame names it: line and column from 1. */
export type Asked = { file: string; line: number; column: number; withExcerpt: boolean };

type Thrown = Pick<Event, "stacktrace" | "causes">;

/** What stacks ask of source maps, each position once. The innermost own frame of each stack comes first, with the lines around it. */
export function positionsOf(stacks: readonly (readonly string[])[]): Asked[] {
  const found = new Map<string, Asked>();
  const parsed = stacks.map((stack) => framesOf(stack));
  const add = (frame: Frame | undefined) => {
    const position = frame && positionOf(frame);
    if (!position || found.size >= MAX_POSITIONS) return;
    const key = keyOf(position);
    if (!found.has(key)) found.set(key, { ...position, withExcerpt: found.size < MAX_EXCERPTS });
  };
  for (const frames of parsed) add(innermostFrame(frames));
  for (const frames of parsed) for (const frame of frames) add(frame);
  return [...found.values()];
}

/** The stacks of an exception and of its causes. */
export function stacksIn({ stacktrace = [], causes = [] }: Thrown): string[][] {
  return [stacktrace, ...causes.map(({ stacktrace: stack = [] }) => stack)];
}

/** `found`: by keyOf. Undefined if no frame is in it. */
export function resolveEvent(
  event: Thrown,
  found: ReadonlyMap<string, Original>,
): Resolved | undefined {
  const [own, ...causes] = stacksIn(event).map((stack) => resolveStack(stack, found));
  if (own === undefined && causes.every((stack) => stack === undefined)) return undefined;
  const excerpts = new Map<string, NonNullable<Resolved["sources"]>[number]>();
  for (const { file, excerpt } of originalsOf(stacksIn(event), found))
    if (excerpt) excerpts.set(`${file}:${excerpt.first}`, { file, ...excerpt });
  return {
    ...(own && { stacktrace: own }),
    ...(causes.some(Boolean) && {
      causes: causes.map((stack, index) => stack ?? event.causes?.[index]?.stacktrace ?? []),
    }),
    ...(excerpts.size > 0 && { sources: [...excerpts.values()] }),
  };
}

/**
 * The same for an event that is sent or stored with it. Undefined also if it would be longer than MAX_RESOLVED_LENGTH, or would make the
 * event too long.
 */
export function boundedResolved(
  event: Thrown,
  found: ReadonlyMap<string, Original>,
): Resolved | undefined {
  const resolved = resolveEvent(event, found);
  const length = resolved ? JSON.stringify(resolved).length : Infinity;
  if (length > MAX_RESOLVED_LENGTH) return undefined;
  return JSON.stringify(event).length + length < MAX_EVENT_BYTES - EVENT_FIELDS
    ? resolved
    : undefined;
}

/** The frames of each thread, and the lines around the innermost ones. Undefined if no frame is in `found`. */
export function resolveThreads(
  threads: Stacks["threads"],
  found: ReadonlyMap<string, Original>,
): Stacks["resolved"] {
  const stacks = threads.map(({ frames }) => frames);
  const resolved = stacks.map((stack) => resolveStack(stack, found));
  if (resolved.every((frames) => frames === undefined)) return undefined;
  const sources = originalsOf(stacks, found).flatMap(({ file, excerpt }) =>
    excerpt ? [{ file, ...excerpt }] : [],
  );
  return { threads: resolved.map((frames, at) => frames ?? stacks[at] ?? []), sources };
}

/** The same for stacks that are sent with it; undefined also if it would be longer than MAX_RESOLVED_LENGTH. */
export function boundedThreads(
  threads: Stacks["threads"],
  found: ReadonlyMap<string, Original>,
): Stacks["resolved"] {
  const resolved = resolveThreads(threads, found);
  return resolved && JSON.stringify(resolved).length <= MAX_RESOLVED_LENGTH ? resolved : undefined;
}

/** Characters of the fields that the server adds to an event. */
const EVENT_FIELDS = 1_000;

/** What `found` has of the positions of these stacks. */
function originalsOf(
  stacks: readonly (readonly string[])[],
  found: ReadonlyMap<string, Original>,
): Original[] {
  return positionsOf(stacks).flatMap((position) => found.get(keyOf(position)) ?? []);
}

/** One frame or other line an entry. Undefined if no frame is in `found`. */
function resolveStack(
  stack: readonly string[],
  found: ReadonlyMap<string, Original>,
): string[] | undefined {
  const frames = framesOf(stack);
  const originals = frames.map((frame) => {
    const position = positionOf(frame);
    return position && found.get(keyOf(position));
  });
  if (originals.every((original) => original === undefined)) return undefined;
  return frames.map((frame, index) => {
    const original = originals[index];
    if (!original) return frame.text;
    // A name of the map is that of the token at the position: at a call, of the called function.
    const outer = frames[index + 1];
    const called =
      / \[as ([\w$]+)\] /.exec(frame.text)?.[1] ??
      (outer && !isAsync(outer) ? originals[index + 1]?.name : undefined);
    const name = nameOf(frame.place?.name ?? "", called);
    const prefix = isAsync(frame) ? "async " : "";
    const where = `${original.file}:${original.line}:${original.column}`;
    return name === "" ? `    at ${prefix}${where}` : `    at ${prefix}${name} (${where})`;
  });
}

/** A frame that waited: its position is not that of the call. */
function isAsync({ text }: Frame): boolean {
  return /^\s*at async /.test(text);
}

/** Without the names that a minifier chose: they differ in each build. */
function nameOf(recorded: string, called: string | undefined): string {
  const parts = recorded.split(".");
  const last = parts.pop() ?? "";
  if (last === "") return "";
  if (isChosen(last)) return called ?? "";
  // Names of properties are kept, and so the called one is the recorded one, if it is known.
  return [...parts.filter((part) => !isChosen(part)), last].join(".");
}

function isChosen(name: string): boolean {
  return name.length <= 2;
}

function positionOf({ place }: Frame): Pick<Asked, "file" | "line" | "column"> | undefined {
  if (place?.language !== "javascript") return undefined;
  const { file, line, column } = place;
  if (file === undefined || !line || !column || RUNTIME.test(file)) return undefined;
  return { file, line, column };
}

/** Files of Node itself, for which there is no map. */
const RUNTIME = /^(?:node|internal|native)[:/]/;

export function keyOf({ file, line, column }: Pick<Asked, "file" | "line" | "column">): string {
  return `${file}:${line}:${column}`;
}
