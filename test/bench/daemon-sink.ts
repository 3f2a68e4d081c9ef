/** A server that accepts everything, in a process of its own so that its cost is not measured. Prints its port, then what it received. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createGunzip } from "node:zlib";

let requests = 0;
let bytes = 0;

const server = createServer((request, response) => {
  requests += 1;
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  const plain =
    request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
  plain.on("data", (chunk: Buffer) => chunks.push(chunk));
  plain.on("end", () => {
    // Only what the answer needs: parsing all of it would make the sink slower than the daemon.
    const text = Buffer.concat(chunks).toString("latin1");
    const results = [
      ...text.matchAll(/\{"session":"([^"]+)","lane":"([^"]+)","first":\d+,"last":(\d+)/g),
    ].map(([, session, lane, last]) => ({ session, lane, applied: Number(last) }));
    // Headers count as bytes, too: this is about their size.
    bytes += request.rawHeaders.join("    ").length + (request.url?.length ?? 0) + 20;
    response
      .setHeader("content-type", "application/json")
      .end(JSON.stringify({ results, status: "ok" }));
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("message", () => process.send?.({ requests, bytes }));
