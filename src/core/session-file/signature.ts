/** What a session file begins with. */
import { BadFile } from "./bad-file.ts";

/** Line breaks and a character above 127 show whether a transfer changed the file as if it were text; as in PNG. */
export const SIGNATURE = Uint8Array.of(0x89, 0x44, 0x43, 0x41, 0x54, 0x0d, 0x0a, 0x1a);

/** Throws a BadFile if a file that begins with these bytes, of which there may be few, is no session file. */
export function checkSignature(first: Uint8Array): void {
  const isAt = (from: number, to: number) =>
    SIGNATURE.subarray(from, to).every((byte, i) => (first[from + i] ?? byte) === byte);
  if (isAt(0, SIGNATURE.length)) return;
  if (first.length > NAME_END && isAt(1, NAME_END))
    throw new BadFile("it was changed on its way as if it were text", "Copy it as a binary file.");
  throw new BadFile("it does not begin as one", HOW_TO_EXPORT);
}

/** Before it, the signature has letters. */
const NAME_END = 5;
export const HOW_TO_EXPORT = "`datacat export SESSION -o FILE.datacat` writes one.";
