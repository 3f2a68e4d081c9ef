/** Samples of stacks: where the main thread was in each, and what several of a hang have in common. */
import type { Evidence } from "../answers/verdict.ts";
import type { StackRow } from "../answers/stacks.ts";
import { formatDuration } from "../text/format.ts";
import { hash } from "../hash.ts";
import { MAX_NAME_LENGTH } from "../limits.ts";
import { type Frame, framesOf, placeText } from "../stack/frame.ts";
import type { Place } from "../stack/place.ts";
import type { Stacks } from "../wire.ts";

type Where = Pick<Place, "name" | "file" | "line" | "source">;

export type StackSample = {
  /** The op's sequence in the session: it has the whole stacks. */
  seq: number;
  at: number;
  /** Equal if the thread was in the same line of each function. */
  exact: string;
  /** The innermost frame of the program's own code; undefined if no frame is readable. */
  own?: Where;
  /** The innermost frame, if it is another one. */
  inner?: Where;
  /** What the runtime reports of a thread without frames: "in native code". */
  state?: string;
};

/** Where the first thread of a sample was. The innermost frame is the first. */
export function sampleOf({ at, threads, resolved }: Stacks, seq: number): StackSample {
  const frames = framesOf(resolved?.threads[0] ?? threads[0]?.frames ?? []);
  const places = frames.flatMap(({ place }) => place ?? []);
  const [innermost] = places;
  const own = ownPlace(frames);
  const isInner = innermost && own && placeText(innermost) !== placeText(own);
  return {
    seq,
    at,
    exact: hash(places.map(placeText).join("\n")),
    own: own && short(own),
    inner: isInner ? short(innermost) : undefined,
    state: own ? undefined : threads[0]?.state,
  };
}

/** The threads with their frames by source maps, where there are some. */
export function shownThreads({
  threads,
  resolved,
}: Pick<StackRow, "threads" | "resolved">): StackRow["threads"] {
  return threads.map((thread, index) => ({
    ...thread,
    frames: resolved?.threads[index] ?? thread.frames,
  }));
}

/** The innermost frame of the program's own code, in frames with the innermost first; of foreign frames alone, the innermost. */
export function ownPlace(frames: Frame[]): Place | undefined {
  return (frames.find(({ isOwn }) => isOwn) ?? frames.find(({ place }) => place))?.place;
}

/** Where the main thread was during a hang; undefined if the samples differ in their function. */
export function commonPlace(samples: StackSample[]): Where | undefined {
  const first = samples[0]?.own;
  if (!first) return undefined;
  const { file, name, line } = first;
  const isSame = samples.every(({ own }) => own?.file === file && own?.name === name);
  if (!isSame) return undefined;
  return samples.every(({ own }) => own?.line === line)
    ? first
    : { ...first, line: undefined, source: undefined };
}

/** What the samples of a hang show, as sentences. */
export function samplesEvidence(samples: StackSample[]): Evidence[] {
  const placed = samples.filter(({ own }) => own);
  const [first = samples[0]] = placed;
  const last = placed.at(-1) ?? samples.at(-1);
  if (!first || !last) return [];
  let text: string | undefined;
  if (placed.length === 0) text = last.state && `The main thread was ${last.state}`;
  else text = placed.length === 1 ? oneText(first) : severalText(placed, first, last);
  return text ? [{ kind: "stacks", text, at: last.at, confidence: "certain" }] : [];
}

function oneText(sample: StackSample): string {
  return `In one sample the main thread was in ${whereText(sample)}`;
}

function severalText(samples: StackSample[], first: StackSample, last: StackSample): string {
  const count = `${samples.length} samples over ${formatDuration(Math.max(0, last.at - first.at))}`;
  if (samples.every(({ exact }) => exact === first.exact))
    return `In ${count} the main thread was in the same place: ${whereText(last)}`;
  const place = commonPlace(samples);
  if (place)
    return `In ${count} the main thread was in ${placeText(place)}, in different lines or calls`;
  const places = [...new Set(samples.flatMap(({ own }) => (own ? placeText(own) : [])))];
  return `In ${count} the main thread was in different functions: ${places.join(", ")}`;
}

/** "load_level (game.py:88), at lock.acquire(), inside acquire (threading.py:12)". */
export function whereText({ own, inner }: Pick<StackSample, "own" | "inner">): string {
  if (!own) return "an unknown place";
  const source = own.source === undefined ? "" : `, at ${own.source}`;
  return `${placeText(own)}${source}${inner ? `, inside ${placeText(inner)}` : ""}`;
}

/** Texts are bounded: the index keeps them. */
function short({ name, file, line, source }: Place): Where {
  return {
    name: name.slice(0, MAX_NAME_LENGTH),
    file: file?.slice(-MAX_NAME_LENGTH),
    line,
    source: source?.slice(0, MAX_NAME_LENGTH),
  };
}
