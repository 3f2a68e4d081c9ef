/** V8's profiler in a running workerd, over the inspector's protocol (chromedevtools.github.io/devtools-protocol, domain Profiler). */

export type Frame = {
  functionName: string;
  url: string;
  /** From 0, as the column. */
  lineNumber: number;
  columnNumber: number;
};

/** `samples[i]` is the node that ran for the `timeDeltas[i]` microseconds before it was looked at. */
export type Profile = {
  nodes: { id: number; children?: number[]; callFrame: Frame }[];
  samples: number[];
  timeDeltas: number[];
};

type Reply = { id?: number; result?: { profile?: Profile } };

export class Profiler {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #sent = 0;

  /** To one isolate, by the name that workerd gives it. */
  static async attach(port: number, isolate: string): Promise<Profiler> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${isolate}`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    const profiler = new Profiler(socket);
    await profiler.#command("Profiler.enable");
    await profiler.#command("Profiler.setSamplingInterval", { interval: 200 }); // µs
    return profiler;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply; // the protocol's
      this.#waiting.get(reply.id ?? 0)?.(reply);
    });
  }

  async start(): Promise<void> {
    await this.#command("Profiler.start");
  }

  async stop(): Promise<Profile> {
    const { result } = await this.#command("Profiler.stop");
    if (!result?.profile) throw new Error("The profiler gave no profile.");
    return result.profile;
  }

  detach(): void {
    this.#socket.close();
  }

  #command(method: string, params = {}): Promise<Reply> {
    const id = ++this.#sent;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}
