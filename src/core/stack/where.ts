/** Where an exception arose: the innermost frame of the program's own code, with its source line where it is recorded. */
import { MAX_STACK_LINES } from "../limits.ts";
import type { Event } from "../wire.ts";
import { asResolved } from "../sourcemaps/resolved.ts";
import { type Frame, framesOf, placeText } from "./frame.ts";
import type { Place } from "./place.ts";

type Placed = Pick<
  Event,
  | "stacktrace"
  | "causes"
  | "sources"
  | "resolved"
  | "source_file"
  | "source_line"
  | "source_function"
>;

/** Undefined if nothing is recorded of its place. Without own frames, the place that the program gave, or the innermost frame. */
export function whereOf(recorded: Placed): Place | undefined {
  const event = asResolved(recorded);
  const frames = framesOf((event.stacktrace ?? []).slice(0, MAX_STACK_LINES));
  const innermost = innermostFrame(frames);
  const place = innermost?.isOwn ? innermost.place : (reportedPlace(event) ?? innermost?.place);
  return place && { ...place, source: place.source ?? sourceAt(place, event.sources ?? []) };
}

/** `open_door (door.py:12)`; "" if it is not known. */
export function whereText(event: Placed): string {
  const place = whereOf(event);
  return place ? placeText(place) : "";
}

/**
 * The other frames of the program's own code than that of `whereText`, innermost first, each once: of the exception, then of its causes.
 * `load (saves.py:2), main (game.py:7)`
 */
export function callsText(event: Placed, where?: string): string {
  const { stacktrace = [], causes = [] } = asResolved(event);
  const calls = [stacktrace, ...causes.map((cause) => cause.stacktrace ?? [])].flatMap((stack) => {
    const frames = framesOf(stack.slice(0, MAX_STACK_LINES));
    const own = frames.filter(({ place, isOwn }) => place && isOwn);
    const texts = own.map(({ place }) => (place ? placeText(place) : ""));
    return endsInnermost(own, frames) ? texts.reverse() : texts;
  });
  return [...new Set(calls)].filter((call) => call !== where).join(", ");
}

/** Of the program itself, or of libraries if it has none. Python prints it last, but its fault handler and all others print it first. */
export function innermostFrame(frames: Frame[]): Frame | undefined {
  // The members of an exception group have stacks of their own.
  const members = frames.findIndex(({ text }) => /^\s*\+-\+-/.test(text));
  const outer = members < 0 ? frames : frames.slice(0, members);
  const placed = outer.filter(({ place }) => place);
  const own = placed.filter(({ isOwn }) => isOwn);
  const chosen = own.length > 0 ? own : placed;
  return chosen.at(endsInnermost(chosen, outer) ? -1 : 0);
}

/** `placed`: frames of the stack that have places. */
function endsInnermost(placed: Frame[], stack: Frame[]): boolean {
  return (
    placed[0]?.place?.language === "python" &&
    !stack.some(({ text }) => text.includes("most recent call first"))
  );
}

function reportedPlace({ source_file, source_line, source_function }: Placed): Place | undefined {
  if (!source_file) return undefined;
  return {
    language: "script",
    name: source_function ?? "",
    file: source_file,
    line: source_line,
  };
}

function sourceAt(
  { file, line = 0 }: Place,
  sources: NonNullable<Event["sources"]>,
): string | undefined {
  const found = sources.find(
    ({ file: of, first, lines }) => of === file && first <= line && line < first + lines.length,
  );
  return found?.lines[line - found.first]?.trim();
}
