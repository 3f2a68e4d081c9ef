/**
 * The three functions of Node's zlib that segments use, as workerd has them (compatibility date 2026-08-04 and later): synchronous,
 * unlike CompressionStream.
 */
declare module "node:zlib" {
  export function crc32(data: Uint8Array, value?: number): number;
  export function deflateRawSync(data: Uint8Array, options: { level: number }): Uint8Array;
  /** Throws a RangeError over `maxOutputLength`. */
  export function inflateRawSync(
    data: Uint8Array,
    options?: { maxOutputLength: number },
  ): Uint8Array;
}
