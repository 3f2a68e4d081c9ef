/**
 * Listens on the port of a private daemon before the daemon is loaded: clients of 1.x connect once, a second after they started it.
 * Plain JavaScript that Node 18 parses, and few imports. Connections wait, paused, until the daemon takes them (api/early.ts).
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import { resolve } from "node:path";

const ADDRESSES = ["127.0.0.1", "::1"];
/** Names the addresses that the parent listens on already; their file descriptors begin at 3. */
const INHERITED = "DATACAT_LISTENERS";

/** The listeners, one for each address; none if 1.x's configuration names no port, or the port is taken: the daemon reports that. */
export async function listenEarly(env, folder) {
  const inherited = env[INHERITED]?.split(",") ?? [];
  delete env[INHERITED];
  if (inherited.length > 0)
    return Promise.all(inherited.map((address, i) => listen(address, { fd: 3 + i })));
  const port = readPort(env, folder);
  if (port === undefined) return [];
  const listeners = [];
  for (const host of ADDRESSES) {
    try {
      listeners.push(await listen(host, { host, port }));
    } catch (error) {
      // A machine without IPv6, or without IPv4.
      if (["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].includes(error.code)) continue;
      for (const { server } of listeners) server.close();
      return [];
    }
  }
  return listeners;
}

/** The listeners' sockets as options of a child process, which listens on them from now on. */
export function handOver(listeners) {
  if (listeners.length === 0) return { stdio: ["inherit", "inherit", "inherit"] };
  return {
    stdio: ["inherit", "inherit", "inherit", ...listeners.map(({ server }) => server._handle.fd)], // Node has no other name for it
    env: { ...process.env, [INHERITED]: listeners.map(({ address }) => address).join() },
  };
}

/** The port in 1.x's configuration (config.ts), if it names one. */
function readPort(env, folder) {
  try {
    if (!env.DATACAT_CONFIG) return undefined;
    const path = resolve(folder(), env.DATACAT_CONFIG);
    const port = Number(JSON.parse(readFileSync(path, "utf8")).daemon_port);
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined; // no such file, or not JSON: the daemon logs it
  }
}

function listen(address, where) {
  const waiting = [];
  const server = net.createServer({ pauseOnConnect: true }, (socket) => waiting.push(socket));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.removeListener("error", reject);
      resolve({ address, server, waiting });
    });
  });
}
