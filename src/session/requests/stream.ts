/** Streams of what a session answers. */
import { PIECE_LENGTH } from "../../core/exports/limits.ts";

/** Text in pieces, as a stream that is read at the reader's pace. Byte streams are the kind that crosses RPC. */
export function streamOf(pieces: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const parts: string[] = [];
      for (let length = 0; length < PIECE_LENGTH;) {
        const { value, done } = pieces.next();
        if (done) break;
        parts.push(value);
        length += value.length;
      }
      if (parts.length > 0) {
        controller.enqueue(encoder.encode(parts.join("")));
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}
