/**
 * What this program may touch. Deno asks the person at the terminal for whatever a program was not permitted, and waits for the
 * answer; a recorder must never be why. So there it touches only what is granted already. Elsewhere all is.
 */

type Descriptor =
  | { name: "read" | "write"; path?: string }
  | { name: "env"; variable?: string }
  | { name: "net"; host?: string }
  | { name: "sys" | "run" | "ffi" };

type Permissions = { querySync(descriptor: Descriptor): { state: string } };

export function isGranted(descriptor: Descriptor): boolean {
  const { Deno } = globalThis as { Deno?: { permissions: Permissions } }; // elsewhere there is none
  return Deno === undefined || Deno.permissions.querySync(descriptor).state === "granted";
}

/** May requests be sent there? */
export function isReachable(url: string): boolean {
  if (!URL.canParse(url)) return true; // nobody can forbid it
  const { protocol, hostname, port } = new URL(url);
  return isGranted({
    name: "net",
    host: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`,
  });
}

/** /proc and /sys tell so much that Deno opens them only to programs that may do anything. */
export function isAllGranted(): boolean {
  const names = ["read", "write", "env", "net", "sys", "run", "ffi"] as const;
  return names.every((name) => isGranted({ name }));
}
