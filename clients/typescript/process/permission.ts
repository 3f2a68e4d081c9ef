/**
 * The permissions of this program. Deno prompts at the terminal for what was not granted, and waits for the answer. A recorder must not
 * cause that, so in Deno it uses only what is granted already. Other runtimes grant everything.
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

/** Whether requests may be sent to this URL. */
export function isReachable(url: string): boolean {
  if (!URL.canParse(url)) return true; // the request fails by itself
  const { protocol, hostname, port } = new URL(url);
  return isGranted({
    name: "net",
    host: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`,
  });
}

/** Whether everything is granted: Deno opens /proc and /sys only to such programs. */
export function isAllGranted(): boolean {
  const names = ["read", "write", "env", "net", "sys", "run", "ffi"] as const;
  return names.every((name) => isGranted({ name }));
}
