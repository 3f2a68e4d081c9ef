/** A lane's bytes (clients/README.md, "A file"): header and records, each a line behind its checksum. */
import type { Writer } from "../../src/core/wire.ts";
import { quote, quoteAll } from "./encode.ts";

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
  return (
    `{"lane":${quote(header.lane)},"format":1,"part":${part},"first":${first}` +
    `,"session":${quote(header.session)},"server":${quote(header.server)}` +
    `,"at":${header.at},"monotonic_ms":${header.monotonic_ms},"writer":${writerText(header.writer)}}`
  );
}

/** Who writes, keys in the order of core's wire. */
export function writerText(writer: Writer): string {
  const { arguments: words, pid, parent_pid } = writer;
  const fields = [
    text("program", writer.program),
    words && `"arguments":${quoteAll(words)}`,
    text("language", writer.language),
    text("client", writer.client),
    pid !== undefined && `"pid":${pid}`,
    text("pid_started", writer.pid_started),
    parent_pid !== undefined && `"parent_pid":${parent_pid}`,
    text("machine_id", writer.machine_id),
    text("boot_id", writer.boot_id),
    text("hostname", writer.hostname),
    text("os", writer.os),
    text("user", writer.user),
  ];
  return `{${fields.filter((field) => field).join(",")}}`;
}

function text(key: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `"${key}":${quote(value)}`;
}
