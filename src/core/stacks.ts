/** Samples of stacks: where the main thread was in each, and what several of a hang have in common. */
import type { Evidence } from "./answers.ts";
import { formatDuration } from "./format.ts";
import { hash } from "./hash.ts";
import { MAX_NAME_LENGTH } from "./limits.ts";
import { framesOf, placeText } from "./stack/frame.ts";
import type { Place } from "./stack/place.ts";
import type { Stacks } from "./wire.ts";

type Where = Pick<Place, "name" | "file" | "line" | "source">;

export type StackSample = {
  /** The op's sequence in the session: it has the whole stacks. */
  seq: number;
  at: number;
  /** Equal if the thread was in the same line of each function. */
  exact: string;
  /** The innermost frame of the program's own code. */
  own: Where;
  /** The innermost frame, if it is another one. */
  inner?: Where;
};

/** Where the first thread of a sample was; undefined if none of its frames is readable. The innermost frame is the first. */
export function sampleOf({ at, threads }: Stacks, seq: number): StackSample | undefined {
  const frames = framesOf(threads[0]?.frames ?? []);
  const places = frames.flatMap(({ place }) => place ?? []);
  const [innermost] = places;
  const own = frames.find(({ isOwn }) => isOwn)?.place ?? innermost;
  if (!own || !innermost) return undefined;
  const isInner = placeText(innermost) !== placeText(own);
  return {
    seq,
    at,
    exact: hash(places.map(placeText).join("\n")),
    own: short(own),
    inner: isInner ? short(innermost) : undefined,
  };
}

/** Where the main thread was during a hang; undefined if the samples differ in their function. */
export function commonPlace(samples: StackSample[]): Where | undefined {
  const [first] = samples;
  if (!first) return undefined;
  const { file, name } = first.own;
  const isSame = samples.every(({ own }) => own.file === file && own.name === name);
  if (!isSame) return undefined;
  return samples.every(({ own }) => own.line === first.own.line)
    ? first.own
    : { ...first.own, line: undefined, source: undefined };
}

/** What the samples of a hang show, as sentences. */
export function samplesEvidence(samples: StackSample[]): Evidence[] {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last) return [];
  const text = samples.length === 1 ? oneText(first) : severalText(samples, first, last);
  return [{ kind: "stacks", text, at: last.at, confidence: "certain" }];
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
  const places = [...new Set(samples.map(({ own }) => placeText(own)))];
  return `In ${count} the main thread was in different functions: ${places.join(", ")}`;
}

/** "load_level (game.py:88), lock.acquire(), in acquire (threading.py:12)". */
export function whereText({ own, inner }: Pick<StackSample, "own" | "inner">): string {
  const source = own.source === undefined ? "" : `, at ${own.source}`;
  return `${placeText(own)}${source}${inner ? `, in ${placeText(inner)}` : ""}`;
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
