/** Streams of what a session answers, which are read at their reader's pace. Byte streams are the kind that crosses RPC. */
import type { Asked } from "../../core/exports/asked.ts";
import { exportOf } from "../../core/exports/exports.ts";
import type { Source } from "../../core/questions/questions.ts";
import { sessionFile } from "../../core/session-file/write.ts";
import { fileSourceOf } from "../storage/file-source.ts";
import { CODEC } from "../storage/row.ts";
import type { Store } from "../storage/store.ts";

/** The session of `source`, which is in `store`. */
export function streamFor(query: Asked, source: Source, store: Store): ReadableStream<Uint8Array> {
  if (query.kind !== "file") return textStream(exportOf(source, query));
  return byteStream(sessionFile(fileSourceOf(store, source.index), CODEC, source.now));
}

export function textStream(pieces: Iterator<string, void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return streamOf(() => {
    const piece = pieces.next().value;
    return piece === undefined ? undefined : encoder.encode(piece);
  });
}

function byteStream(pieces: Iterator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return streamOf(() => pieces.next().value ?? undefined);
}

/** `next`: undefined at the end. */
function streamOf(next: () => Uint8Array | undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const piece = next();
      if (piece) {
        controller.enqueue(piece);
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}
