/**
 * A session as one JSON document: the summary, the state at the end, and lists of what exports as lines have (lines.ts). Each list is read
 * in a pass of its own over the segments, so that memory holds one segment at a time.
 */
import { ANSWERS, type Source } from "../questions/questions.ts";
import {
  changesIn,
  contentLines,
  damagedLine,
  eventsIn,
  heartbeatsIn,
  type Line,
  othersIn,
  pointsIn,
} from "./lines.ts";
import type { SegmentReader } from "../segments/segment-reader.ts";

export function* exportDocument(source: Source): Generator<string> {
  const { store, index, state } = source;
  const infos = store.list();
  const damaged = new Map<number, Line>();
  function* read(linesIn: (reader: SegmentReader) => Iterable<object>): Generator<object> {
    for (const info of infos) {
      const reader = store.open(info)?.reader;
      if (reader) yield* linesIn(reader);
      else damaged.set(info.id, damagedLine(info));
    }
  }
  const lists: [name: string, items: Iterable<object>][] = [
    ["changes", read(changesIn)],
    ["events", read(eventsIn)],
    ["others", read(othersIn)],
    ["heartbeats", read(heartbeatsIn)],
    ["points", read((reader) => pointsIn(reader, index.series))],
    ["contents", contentLines(store, index.attachments)],
    ["damaged_segments", damaged.values()], // a live iterator: read after the others
  ];

  yield `{"summary":${JSON.stringify(ANSWERS.summary(source))},\n"state":${JSON.stringify(state)}`;
  for (const [name, items] of lists) {
    yield `,\n"${name}":[`;
    let separator = "\n";
    for (const item of items) {
      yield separator + JSON.stringify(item);
      separator = ",\n";
    }
    yield "]";
  }
  yield "}\n";
}
