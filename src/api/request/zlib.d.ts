/** The one function of Node's zlib that request bodies use, as workerd has it. Over `maxOutputLength` it throws a RangeError. */
declare module "node:zlib" {
  export function gunzipSync(data: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}
