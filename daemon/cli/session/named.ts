/** The session that an argument names: in a session file, or on the server that the environment names. */
import { withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { isSessionFile } from "./path.ts";
import type { Changes, QuestionName, Session } from "./session.ts";

const PATHS: { [name in QuestionName]: string } = {
  summary: "/summary",
  state: "/state",
  history: "/state/history",
  events: "/events",
  eventCounts: "/events/counts",
  series: "/metrics",
  stacks: "/stacks",
  attachments: "/attachments",
  timeline: "/timeline",
};

/** Runs `act` with the session that the argument names: a session file, or a session of the server that the environment names. */
export async function withSession<Result>(
  named: string,
  act: (session: Session) => Promise<Result>,
): Promise<Result> {
  // No id has a slash.
  if (/[/\\]/.test(named) || isSessionFile(named)) {
    // Loaded only by commands that read a file.
    const { withSessionIn } = await import("./file.ts");
    return withSessionIn(named, act);
  }
  return withServer(async (server) => act(sessionOf(server, await server.findSession(named))));
}

function sessionOf(server: Server, id: string): Session {
  const at = `/api/sessions/${encodeURIComponent(id)}`;
  return {
    id,
    argument: id,
    place: `${server.url}/sessions/${id}`,
    container: "on the server",
    now: "now",
    problems: [],
    ask: (name, query = {}) => server.get(at + PATHS[name], query),
    // From the catalog; what the session itself answers is printed without it.
    changes: () => server.get<Changes>(`${at}/changes`).catch(() => undefined),
    content: (attachment, from, to) =>
      server.getBytes(`${at}/attachments/${encodeURIComponent(attachment)}`, from, to),
    export: ({ metrics, ...parameters }, receive) =>
      server.getParts(
        `${at}/export`,
        { ...parameters, metrics: metrics && JSON.stringify(metrics) },
        receive,
      ),
    watch: () => watch(server, id),
  };
}

/** While a socket is open, the daemon sends every 250 ms instead of every 5 s. */
async function watch(server: Server, id: string): Promise<() => void> {
  const { WebSocket } = await import("undici");
  const url = `${server.url.replace(/^http/, "ws")}/api/sessions/${encodeURIComponent(id)}/live`;
  const headers = server.key === undefined ? {} : { authorization: `Bearer ${server.key}` };
  const socket = new WebSocket(url, { headers });
  socket.addEventListener("error", () => {}); // without the socket, events only arrive later
  return () => socket.close();
}
