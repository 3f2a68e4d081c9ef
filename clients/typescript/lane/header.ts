/** The header of a lane file, its first line (clients/README.md, "A file"). */
import type { Writer } from "../../../src/core/batch.ts";
import { jsonOf } from "../encode/values.ts";

export type Header = {
  lane: string;
  session: string;
  server: string;
  at: number;
  monotonic_ms: number;
  writer: Writer;
};

/** The header's JSON for the part of the lane whose first record has the sequence `first`. */
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

/** The writer with its keys in the order of core's wire. */
function inOrder(writer: Writer): Writer {
  const { program, arguments: args, language, client, pid, pid_started, parent_pid } = writer;
  const { thread, machine_id, boot_id, hostname, os, user } = writer;
  const known = { program, arguments: args, language, client, pid, pid_started, parent_pid };
  // JSON leaves out undefined fields.
  return { ...known, thread, machine_id, boot_id, hostname, os, user } as Writer;
}
