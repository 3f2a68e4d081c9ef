/** A lane's bytes (clients/README.md, "A file"): header and records, each a line behind its checksum. */
import type { Writer } from "../../../src/core/wire.ts";
import { jsonOf } from "../encode/values.ts";

export type Header = {
  lane: string;
  session: string;
  server: string;
  at: number;
  monotonic_ms: number;
  writer: Writer;
};

/** The header's JSON for one part of the lane, whose first record has the sequence `first`. */
export function headerText(header: Header, part: number, first: number): string {
  const { lane, session, server, at, monotonic_ms, writer } = header;
  return jsonOf({
    lane,
    format: 1,
    part,
    first,
    session,
    server,
    at,
    monotonic_ms,
    writer: inOrder(writer),
  });
}

/** Keys in the order of core's wire, whatever order they were found in. */
function inOrder(writer: Writer): Writer {
  const { program, arguments: words, language, client, pid, pid_started, parent_pid } = writer;
  const { machine_id, boot_id, hostname, os, user } = writer;
  const known = { program, arguments: words, language, client, pid, pid_started, parent_pid };
  // Undefined fields are left out by JSON.
  return { ...known, machine_id, boot_id, hostname, os, user } as Writer;
}
