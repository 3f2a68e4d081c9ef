/** The listeners that the launcher opened before the daemon was loaded (launch/early.mjs). */
import type { Server as HttpServer } from "node:http";
import type { Server, Socket } from "node:net";

export type EarlyListener = {
  address: string;
  server: Server;
  /** Connections that came meanwhile, paused. */
  waiting: Socket[];
};

/** Gives the connections of the listener to the HTTP server: those that wait, and the later ones. */
export function serve({ server, waiting }: EarlyListener, httpServer: HttpServer): void {
  const connect = (socket: Socket) => {
    httpServer.emit("connection", socket);
    socket.resume();
  };
  server.removeAllListeners("connection");
  server.on("connection", connect);
  waiting.splice(0).forEach(connect);
}
