/**
 * The stacks of threads in the text that each runtime writes (clients/README.md, "Stacks and fatal errors"). Takes time proportional to the
 * text's length, and bounds what it returns: the text is of a program, which may have written anything.
 */
import {
  MAX_FRAME_LENGTH,
  MAX_NAME_LENGTH,
  MAX_STACK_THREADS,
  MAX_STACKS_LENGTH,
  MAX_THREAD_FRAMES,
} from "../../src/core/limits.ts";
import type { Stacks } from "../../src/core/wire.ts";
import { parsedJson } from "../json.ts";

type Thread = Stacks["threads"][number];
export type Runtime = "python" | "go" | "javascript";

export type Sample = Pick<Stacks, "threads" | "left_out" | "cut"> & {
  /** Its time, if the text states it. */
  at?: number;
  /** The interval of samples that the runtime takes by itself. */
  everyMs?: number;
};

/** Threads as a text has them, before they are bounded. */
type Found = { at?: number; everyMs?: number; threads: Thread[]; cut?: boolean };

/** The runtime of a writer, by the first part of its `language`: "python 3.13.0". */
export function runtimeOf(language = ""): Runtime | undefined {
  const [name = ""] = language.toLowerCase().split(" ", 1);
  if (name === "python" || name === "go") return name;
  return ["node", "deno", "bun"].includes(name) ? "javascript" : undefined;
}

/** The samples of a text, in its order; none of them empty. */
export function samplesIn(runtime: Runtime, text: string): Sample[] {
  return SAMPLES[runtime](text)
    .filter(({ threads }) => threads.length > 0)
    .map(bounded);
}

/** The threads of one sample: of a fatal error with the thread that caused it first. */
export function threadsIn(runtime: "python" | "go", text: string): Sample | undefined {
  const found = SAMPLES[runtime](text).findLast(({ threads }) => threads.length > 0);
  if (!found) return undefined;
  return bounded({
    ...found,
    threads: withFirst(found.threads, ({ current }) => current === true),
  });
}

const SAMPLES = { python: pythonSamples, go: goSamples, javascript: javascriptSamples };

function pythonSamples(text: string): Found[] {
  const samples: Found[] = [];
  let sample: Found = { threads: [] };
  let thread: Thread | undefined;
  const begin = (more: Partial<Found>) => {
    // A line with the time may stand before faulthandler's own first line.
    if (sample.threads.length > 0 || samples.length === 0) samples.push((sample = { threads: [] }));
    Object.assign(sample, more);
    thread = undefined;
  };
  begin({});
  for (const whole of text.split("\n")) {
    const line = whole.slice(0, LONGEST_LINE);
    const at = timeIn(line);
    const everyMs = intervalIn(line);
    const started = /^(Current thread|Thread) 0x[0-9a-f]+ (?:\[(.*)\] )?\(most recent call/i.exec(
      line,
    );
    if (at !== undefined) begin({ at });
    else if (everyMs !== undefined) begin({ everyMs });
    else if (started) {
      thread = { frames: [] };
      if (started[2]) thread.name = started[2].trim();
      if (started[1] === "Current thread") thread.current = true;
      sample.threads.push(thread);
    } else if (line.startsWith('  File "')) thread?.frames.push(pythonFrame(line));
    else if (line.startsWith("    ")) addSource(thread?.frames, line);
    else if (line === "  ...") sample.cut = true;
    else if (line !== "" && !line.startsWith("  ")) thread = undefined; // "Extension modules: …"
  }
  for (const each of samples)
    each.threads = mainFirst(each.threads.filter((one) => !isClients(one)));
  return samples;
}

/** As a traceback has it: faulthandler leaves out the comma after the line number. */
function pythonFrame(line: string): string {
  return line.trim().replace(/^(File ".*", line (?:\d+|\?\?\?)) in /, "$1, in ");
}

/** The client's own samples have the source line of a frame below it, as a traceback has. */
function addSource(frames: string[] | undefined, line: string): void {
  const last = frames?.at(-1);
  if (frames && last && !last.includes("\n")) frames[frames.length - 1] = `${last}\n${line}`;
}

/** `Timeout (0:00:05)!`, with decimals in some versions. */
function intervalIn(line: string): number | undefined {
  const found = /^Timeout \((\d+):(\d\d):(\d\d)(\.\d+)?\)!$/.exec(line);
  if (!found) return undefined;
  const [, hours, minutes, seconds, decimals = ""] = found;
  return (Number(hours) * 3_600 + Number(minutes) * 60 + Number(`${seconds}${decimals}`)) * 1_000;
}

function timeIn(line: string): number | undefined {
  const [, at] = /^# (\d{12,14})$/.exec(line) ?? [];
  return at === undefined ? undefined : Number(at);
}

/** A thread of the client itself, which may not have begun to run Python. */
function isClients({ frames }: Thread): boolean {
  if (frames.length === 0) return true;
  const isOwn = (frame: string) => /[/\\]datacat\.py", line/.test(frame);
  return (
    frames.some(isOwn) && frames.every((frame) => isOwn(frame) || /[/\\]threading\.py"/.test(frame))
  );
}

/** faulthandler writes the newest thread first, so that the main thread is the last. */
function mainFirst(threads: Thread[]): Thread[] {
  const isNamed = threads.some(({ name }) => name === "MainThread");
  const last = threads.at(-1);
  const main = withFirst(threads, (each) => (isNamed ? each.name === "MainThread" : each === last));
  if (main[0] && !isNamed) main[0].name ??= "MainThread";
  return main;
}

function goSamples(text: string): Found[] {
  const samples: Found[] = [{ threads: [] }];
  let thread: Thread | undefined;
  for (const whole of text.split("\n")) {
    const line = whole.slice(0, LONGEST_LINE);
    const at = timeIn(line);
    const started = /^goroutine (\d+)(?: [^[\]]*)? \[([^\]]*)\]:$/.exec(line);
    if (at !== undefined) {
      samples.push({ at, threads: [] });
      thread = undefined;
    } else if (started) {
      const [, number = "", state = ""] = started;
      thread = { name: `goroutine ${number}`, state, frames: [] };
      if (state === "running") thread.current = true;
      samples.at(-1)?.threads.push(thread);
    } else if (line === "") thread = undefined;
    else if (thread) addGoLine(thread.frames, line);
  }
  return samples;
}

/** A frame is the function, and the file below it. Fatal errors of the runtime also print the registers of a frame. */
function addGoLine(frames: string[], whole: string): void {
  const line = whole.replace(/ fp=0x[0-9a-f]+ sp=0x[0-9a-f]+ pc=0x[0-9a-f]+$/, "");
  const last = frames.at(-1);
  if (line.startsWith("\t") && last !== undefined && !last.includes("\n"))
    frames[frames.length - 1] = `${last}\n${line}`;
  else frames.push(line);
}

function javascriptSamples(text: string): Found[] {
  return text.split("\n").flatMap((line) => {
    const sample = parsedObject(line);
    const { at, threads } = sample ?? {};
    if (!Array.isArray(threads)) return [];
    const found = threads.slice(0, MAX_STACK_THREADS).flatMap((thread: unknown): Thread[] => {
      if (typeof thread !== "object" || thread === null) return [];
      const { name, state, frames } = thread as Record<string, unknown>; // an object
      if (!Array.isArray(frames)) return [];
      return [
        {
          name: typeof name === "string" ? name : undefined,
          state: typeof state === "string" ? state : undefined,
          frames: frames.filter((frame) => typeof frame === "string"),
        },
      ];
    });
    const cut = threads.length > MAX_STACK_THREADS || undefined;
    return [{ at: typeof at === "number" ? at : undefined, threads: found, cut }];
  });
}

/** A JSON object, if the text is one. */
export function parsedObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  return parsedJson(text) as Record<string, unknown> | undefined; // it begins with a brace
}

function withFirst(threads: Thread[], isFirst: (thread: Thread) => boolean): Thread[] {
  const first = threads.find(isFirst);
  return first ? [first, ...threads.filter((thread) => thread !== first)] : threads;
}

/** Within the limits of an op. Frames are removed at the outer end, which all threads of a pool share. */
export function bounded({ at, everyMs, threads, cut }: Found): Sample {
  let isCut = cut ?? false;
  let left = MAX_STACKS_LENGTH;
  const kept: Thread[] = [];
  for (const { name, state, current, frames } of threads.slice(0, MAX_STACK_THREADS)) {
    const texts: string[] = [];
    for (const frame of frames.slice(0, MAX_THREAD_FRAMES)) {
      const text = frame.slice(0, MAX_FRAME_LENGTH);
      if (text.length > left) break;
      left -= text.length;
      texts.push(text);
      if (text.length < frame.length) isCut = true;
    }
    if (texts.length < frames.length) isCut = true;
    kept.push({
      name: name?.slice(0, MAX_NAME_LENGTH),
      state: state?.slice(0, MAX_NAME_LENGTH),
      current,
      frames: texts,
    });
  }
  const leftOut = threads.length - kept.length;
  return {
    at,
    everyMs,
    threads: kept,
    left_out: leftOut > 0 ? leftOut : undefined,
    cut: isCut || undefined,
  };
}

/** Characters of a line that are matched: longer ones are no frames, and their end is cut in any case. */
const LONGEST_LINE = 2 * MAX_FRAME_LENGTH;
