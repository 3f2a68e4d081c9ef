/** Streams of what a session answers. */
/** Text in pieces, as a stream that is read at the reader's pace. Byte streams are the kind that crosses RPC. */
export function streamOf(pieces: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { value, done } = pieces.next();
      if (done) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      controller.enqueue(encoder.encode(value));
    },
  });
}
