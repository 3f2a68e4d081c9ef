/** The part of Node's crypto that attachments use, as workerd has it: synchronous, unlike DigestStream, and by parts, unlike SubtleCrypto. */
declare module "node:crypto" {
  export function createHash(algorithm: "sha256"): Hash;
  type Hash = { update(bytes: Uint8Array): Hash; digest(encoding: "hex"): string };
}
