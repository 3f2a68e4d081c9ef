/** Reads a report file, JUnit XML or TAP, as a stream: a report with much output is larger than memory should be. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { JunitReader } from "./junit.ts";
import { CHUNK_BYTES, MAX_REPORT_BYTES } from "./limits.ts";
import { BadReport, type Report } from "./report.ts";
import { TapReader } from "./tap.ts";

export type ReadFile = { report: Report; modifiedAt: number; sha256: string };

/** Throws a BadReport, or the error of the file system. `folder`: absolute paths in the report are relative to it. */
export function readReport(path: string, folder: string): ReadFile {
  const descriptor = openSync(path, "r");
  try {
    const { size, mtimeMs, isFile } = fileStatus(descriptor);
    if (!isFile) throw new BadReport("It is no file");
    if (size > MAX_REPORT_BYTES) throw new BadReport(`It is larger than ${MAX_REPORT_BYTES} bytes`);
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const first = chunk.subarray(0, readSync(descriptor, chunk));
    const reader = readerOf(first, path, folder);
    const decoder = decoderOf(first);
    for (
      let bytes = first;
      bytes.length > 0;
      bytes = chunk.subarray(0, readSync(descriptor, chunk))
    ) {
      hash.update(bytes);
      reader.write(decoder.decode(bytes, { stream: true }));
    }
    reader.write(decoder.decode());
    const report = reader.end();
    if (reader instanceof TapReader) reader.named(report);
    return { report, modifiedAt: mtimeMs, sha256: hash.digest("hex") };
  } finally {
    closeSync(descriptor);
  }
}

function fileStatus(descriptor: number) {
  const status = fstatSync(descriptor);
  return { size: status.size, mtimeMs: status.mtimeMs, isFile: status.isFile() };
}

/** XML begins with `<`, perhaps after a byte order mark; in UTF-16 with it and a zero. */
function readerOf(first: Buffer, path: string, folder: string): JunitReader | TapReader {
  const begin = first
    .toString("latin1", 0, 200)
    .replace(/^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)/, "");
  if (begin.replaceAll("\0", "").trimStart().startsWith("<")) return new JunitReader(folder);
  if (/\.xml$/i.test(path)) throw new BadReport("It does not begin with <", 1);
  return new TapReader(basename(path));
}

/** By the byte order mark, else by the XML declaration, else UTF-8. */
function decoderOf(first: Buffer): TextDecoder {
  const begin = first.toString("latin1", 0, 200);
  if (begin.startsWith("\u00ff\u00fe")) return new TextDecoder("utf-16le");
  if (begin.startsWith("\u00fe\u00ff")) return new TextDecoder("utf-16be");
  const [, named = "utf-8"] =
    /^\s*<\?xml[^>]{0,100}\sencoding=["']([\w.:-]{1,40})["']/.exec(begin) ?? [];
  try {
    return new TextDecoder(named);
  } catch {
    throw new BadReport(`Its encoding ${named} is not known`, 1);
  }
}
