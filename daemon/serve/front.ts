/**
 * The port of `npm start` on Linux. Each connection goes to one of the Worker's two sockets: a program of this process's user needs no
 * key, every other caller does. The sockets are in a folder that only this user may enter.
 */
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOwn, peerOf } from "../peer.ts";
import { MAX_SOCKET_FOLDER } from "./limits.ts";
import { bind, LOOPBACK } from "./port.ts";

/** One of the Worker's sockets, as Miniflare takes it. */
type WorkerSocket = { host: string; port: number; entrypoint?: string };

export type Front = {
  port: number;
  sockets: WorkerSocket[];
  /** To be called each time that the Worker has begun to listen. */
  workerStarted(): void;
  close(): Promise<void>;
};

/** Listens on `port` (0: any that is free) of both loopback addresses; undefined if another program has the port. */
export async function openFront(port: number): Promise<Front | undefined> {
  const folder = makeFolder();
  const open = new Set<Socket>();
  const servers: Server[] = [];
  const close = async () => {
    for (const socket of open) socket.destroy();
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  const accept = async (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {}); // "close" follows
    const name = isOwn(await peerOf(socket)) ? "owner" : "others";
    if (socket.destroyed) return;
    moveSockets(folder);
    pipe(socket, join(folder, name));
  };

  for (const host of LOOPBACK) {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.on("connection", (socket: Socket) => void accept(socket));
    const bound = await bind(server, host, port);
    if (bound === "no such address") continue;
    if (bound === "taken") {
      await close();
      return undefined;
    }
    servers.push(server);
    port = bound;
  }
  return {
    port,
    // workerd's address is the host, a colon and the port. The socket of "unix:/tmp/…/owner" is the file /tmp/…/owner:0.
    sockets: [
      { host: `unix:${join(folder, "owner")}`, port: 0, entrypoint: "owner" },
      { host: `unix:${join(folder, "others")}`, port: 0 },
    ],
    workerStarted: () => moveSockets(folder),
    close,
  };
}

/** A new folder, 0700, whose path leaves room for the name of a socket. */
function makeFolder(): string {
  const within = tmpdir().length <= MAX_SOCKET_FOLDER ? tmpdir() : "/tmp";
  return mkdtempSync(join(within, "datacat-"));
}

/** Moves the sockets that workerd has made. A workerd that is started again then finds their names free. */
function moveSockets(folder: string): void {
  for (const name of ["owner", "others"]) {
    try {
      renameSync(join(folder, `${name}:0`), join(folder, name));
    } catch {
      // It was moved before.
    }
  }
}

/** Passes bytes between a connection and one of the Worker's sockets until both directions have ended, or one has failed. */
function pipe(socket: Socket, path: string): void {
  const inner = connect({ path, allowHalfOpen: true });
  inner.on("error", () => {}); // the Worker is starting again; "close" follows
  inner.on("close", () => socket.destroy());
  socket.on("close", () => inner.destroy());
  socket.pipe(inner);
  inner.pipe(socket);
}
