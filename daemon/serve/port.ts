/** Loopback addresses and ports: this server can be reached from this machine only. */
import { createServer, type Server } from "node:net";

/** Both, because `localhost` means either; a machine without IPv6 has only the first. */
export const LOOPBACK = ["127.0.0.1", "::1"];

type Address = { host: string; port: number };

/** The addresses to bind for `port` (0: any that is free), or nothing if another program has the port. */
export async function findAddresses(port: number): Promise<Address[] | undefined> {
  // A port that is free on one address may be taken on the other, so a few are tried.
  for (let attempt = 0; attempt < 10; attempt++) {
    const found: Address[] = [];
    let taken = false;
    for (const host of LOOPBACK) {
      const bound = await tryPort(host, found[0]?.port ?? port);
      if (typeof bound === "number") found.push({ host, port: bound });
      else if (bound === "taken") taken = true;
    }
    if (!taken && found.length > 0) return found;
    if (port !== 0) return undefined;
  }
  return undefined;
}

/** A command with an environment variable, as the shell takes it that is usual on the platform: PowerShell on Windows. */
export function withVariable(
  [name, value]: [string, string | number],
  command: string,
  platform: string,
): string {
  return platform === "win32"
    ? `$env:${name} = "${value}"; ${command}`
    : `${name}=${value} ${command}`;
}

async function tryPort(host: string, port: number): Promise<number | "taken" | "no such address"> {
  const server = createServer();
  const bound = await bind(server, host, port);
  if (typeof bound === "number") await new Promise((resolve) => server.close(resolve));
  return bound;
}

/** Listens. The port, or why not. */
export async function bind(
  server: Server,
  host: string,
  port: number,
): Promise<number | "taken" | "no such address"> {
  try {
    return await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, () => {
        server.removeListener("error", reject);
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") return "taken";
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return "no such address";
    throw error;
  }
}
