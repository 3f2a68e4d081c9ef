/**
 * A small believable world, as batches for `POST /api/ingest`: runs of a game, one of which dies, and a command recorded by
 * `datacat run`. Everything follows from the arguments, so that a test can state what must be on a page.
 */
import type { Batch } from "../../src/core/batch.ts";
import type { Json } from "../../src/core/wire.ts";

type Op = Batch["ops"][number];

export type Ending = "crash" | "end" | "running";

export type GameOptions = {
  id: string;
  /** When it starts, epoch milliseconds. */
  at: number;
  seconds?: number;
  product?: string;
  version?: string;
  ending?: Ending;
  host?: string;
  /** Put into every free text: to see that nothing of it becomes markup. */
  spice?: string;
  seed?: number;
};

/** A run of the game: state, events, exceptions, seven metrics, heartbeats, and output. */
export function game(options: GameOptions): Batch[] {
  const {
    id,
    at,
    seconds = 140,
    product = "archive-game",
    version = "1.4.2",
    ending = "crash",
    host = "workshop",
    spice = "",
  } = options;
  const random = randomFrom(options.seed ?? 7);
  const end = at + seconds * 1_000;
  const ops: Op[] = [
    {
      op: "start",
      at,
      product: `${product}${spice}`,
      version: `${version}${spice}`,
      tags: [`nightly${spice}`],
      state: beginning(spice),
    },
  ];
  for (let t = at; t < end; t += 1_000) ops.push({ op: "heartbeat", at: t + 1, timeout_ms: 5_000 });
  for (let t = at + 500; t < end; t += 700 + random() * 6_000)
    ops.push(stateAt(t, at, end, random));
  for (let t = at + 300; t < end; t += 300 + random() * 2_500)
    ops.push(eventAt(Math.round(t), random, spice));
  ops.push(...metrics(at, end, random, spice));
  if (ending === "crash") ops.push(...lastEvents(end, spice));
  ops.sort((a, b) => a.at - b.at);
  if (ending === "end") ops.push({ op: "end", at: end, exit_code: 0 });
  const writer = {
    program: `game.py${spice}`,
    arguments: ["--level", "3"],
    language: "python 3.13.0",
    client: "datacat-python 2.0.0",
    pid: 4321,
    machine_id: "9f86d081884c7d65",
    hostname: `${host}${spice}`,
    os: "linux x86_64",
    user: "ada",
  };
  const batches = batchesOf(id, `${id}-lane`, ops, writer);
  if (ending !== "crash") return batches;
  const crash: Op = { op: "crash", at: end, reason: "killed", signal: "SIGKILL" };
  return [
    ...batches,
    ...batchesOf(id, `${id}-daemon`, [crash], { program: "datacat-daemon", hostname: host }),
  ];
}

/** A command as `datacat run` records it: lines of output and what the process used. */
export function command({
  id,
  at,
  lines = 120,
}: {
  id: string;
  at: number;
  lines?: number;
}): Batch[] {
  const ops: Op[] = [
    {
      op: "start",
      at,
      product: "npm run check",
      version: "",
      state: {
        command: { arguments: ["npm", "run", "check"], folder: "/home/ada/game" },
        versions: { node: "24.21.0" },
      },
    },
  ];
  for (let line = 0; line < lines; line++) {
    ops.push({
      op: "event",
      at: at + line * 100,
      name: "output",
      group: line % 9 === 8 ? "stderr" : "stdout",
      message:
        line % 4 === 0
          ? `\u001B[32m✓\u001B[39m suite ${line} passed`
          : `compiling module ${line} of ${lines}`,
    });
  }
  for (let t = 0; t < lines * 100; t += 1_000) {
    ops.push({
      op: "metric",
      at: at + t,
      type: "gauge",
      name: "cpu",
      unit: "percent",
      value: 50 + (t % 7_000) / 140,
    });
    ops.push({
      op: "metric",
      at: at + t,
      type: "gauge",
      name: "memory",
      unit: "bytes",
      value: 2e8 + t * 9_000,
    });
  }
  ops.sort((a, b) => a.at - b.at);
  ops.push({ op: "end", at: at + lines * 100, exit_code: 0 });
  return batchesOf(id, `${id}-lane`, ops, {
    program: "npm",
    arguments: ["run", "check"],
    hostname: "workshop",
    pid: 99,
  });
}

/** A run that only begins and ends, for counting. */
export function brief({
  id,
  at,
  product,
  version,
  ending,
}: {
  id: string;
  at: number;
  product: string;
  version: string;
  ending: Ending;
}): Batch[] {
  const ops: Op[] = [{ op: "start", at, product, version }];
  if (ending === "end") ops.push({ op: "end", at: at + 1_000, exit_code: 0 });
  if (ending === "crash")
    ops.push({ op: "crash", at: at + 1_000, reason: "killed", signal: "SIGKILL" });
  return batchesOf(id, `${id}-lane`, ops, { program: product, hostname: "workshop" });
}

/** A script without product and version that ends by an exception. */
export function nameless({ id, at }: { id: string; at: number }): Batch[] {
  const ops: Op[] = [
    { op: "start", at },
    {
      op: "event",
      at: at + 500,
      name: "exception",
      category: "critical",
      handled: false,
      exception_type: "KeyError",
      exception_msg: "no such door",
      stacktrace: ['  File "/home/ada/script.py", line 3, in <module>'],
    },
    { op: "end", at: at + 1_000, exit_code: 1 },
  ];
  return batchesOf(id, `${id}-lane`, ops, { program: "script.py", hostname: "workshop" });
}

/** Recorded text that must not become markup. */
export const SPICE = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`;

/** Sends batches and answers when the server has stored them. */
export async function record(
  send: (
    path: string,
    init: { method: string; headers: Record<string, string>; body: string },
  ) => Promise<Response>,
  batches: Batch[],
): Promise<void> {
  for (const batch of batches) {
    const answer = await send("/api/ingest", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ batches: [batch] }),
    });
    const text = await answer.text();
    if (!answer.ok || text.includes('"error"'))
      throw new Error(`ingest answered ${answer.status}: ${text}`);
  }
}

/** A batch stays well under its limit of operations. */
function batchesOf(session: string, lane: string, ops: Op[], writer: Batch["writer"]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < ops.length; from += 1_000) {
    const part = ops.slice(from, from + 1_000);
    batches.push({
      session,
      lane,
      first: from + 1,
      last: from + part.length,
      ops: part,
      writer,
    });
  }
  return batches;
}

function beginning(spice: string): { [key: string]: Json } {
  return {
    level: { name: `The Sunken Archive${spice}`, index: 3, seed: 90_210 },
    player: { name: "Ada", hp: 100, position: { x: 12, y: 4 }, inventory: ["rope", "lantern"] },
    renderer: { backend: "vulkan", resolution: [2_560, 1_440], vsync: true },
    network: { connected: true, peers: 3, latency_ms: 21 },
    save: { slot: 2, dirty: false },
    quests: { main: "find the index", side: ["feed the cat", "repair the lift"] },
    ...(spice && { [`key${spice}`]: spice }),
  };
}

function stateAt(t: number, at: number, end: number, random: () => number): Op {
  const hp = Math.max(1, Math.round(100 - ((t - at) / (end - at)) * 90 - random() * 8));
  const position = { x: Math.round(random() * 60), y: Math.round(random() * 30) };
  const patch: { [key: string]: Json } = { player: { hp, position } };
  if (random() < 0.3) patch["save"] = { dirty: random() < 0.5 };
  if (random() < 0.15) patch["network"] = { latency_ms: Math.round(20 + random() * 200) };
  return { op: "state", at: Math.round(t), patch };
}

function eventAt(at: number, random: () => number, spice: string): Op {
  const dice = random();
  const door = Math.floor(random() * 40);
  if (dice < 0.7) {
    return {
      op: "event",
      at,
      name: `${dice < 0.4 ? "door_opened" : "item_used"}${spice}`,
      group: `game.world${spice}`,
      message: `Door ${door} opened by Ada${spice}`,
      data: { door, took_ms: Math.round(random() * 80), ...(spice && { [spice]: spice }) },
    };
  }
  if (dice < 0.85)
    return {
      op: "event",
      at,
      name: "autosave",
      category: "debug",
      group: "game.save",
      message: "Saved slot 2",
    };
  return {
    op: "event",
    at,
    name: "asset_missing",
    category: `warning${spice}`,
    group: "game.assets",
    labels: [`assets${spice}`],
    message: "Texture stone_07.ktx2 not found, using fallback",
  };
}

function metrics(at: number, end: number, random: () => number, spice: string): Op[] {
  const ops: Op[] = [];
  const gauge = (name: string, unit: string, step: number, value: (share: number) => number) => {
    for (let t = at + 200; t < end; t += step) {
      const share = (t - at) / (end - at);
      ops.push({
        op: "metric",
        at: Math.round(t + random() * 20),
        type: "gauge",
        name,
        unit,
        value: value(share),
      });
    }
  };
  gauge(
    `cpu${spice}`,
    `percent${spice}`,
    1_000,
    (s) => 38 + 18 * Math.sin(s * 15) + random() * 14 + (s > 0.7 ? 30 * random() : 0),
  );
  gauge(
    "memory",
    "bytes",
    1_000,
    (s) => 3.1e8 + s * s * 5e8 + random() * 2e7 + (s > 0.8 ? (s - 0.8) * 1.2e9 : 0),
  );
  gauge(
    "fps",
    "",
    120,
    (s) => (60 - 4 * random() - (s > 0.75 ? 24 * random() : 0)) / (random() < 0.02 ? 3 : 1),
  );
  gauge("open_files", "", 1_000, (s) => 44 + Math.round(s * 16));
  for (let t = at + 1_000; t < end; t += 1_000) {
    ops.push({
      op: "metric",
      at: t,
      type: "counter",
      name: "assets_loaded",
      delta: Math.floor(random() * 9 * Math.exp((at - t) / 40_000)),
    });
    ops.push({
      op: "metric",
      at: t,
      type: "histogram",
      name: "frame_time",
      unit: "seconds",
      value: 0.016 + random() * 0.006 + (random() < 0.03 ? 0.04 : 0),
    });
  }
  for (let t = at + 2_000; t < end; t += 2_500) {
    ops.push({
      op: "metric",
      at: t,
      type: "timer",
      name: "chunk_load",
      unit: "seconds",
      tags: [`world${spice}`],
      value: 0.02 + random() * 0.05,
    });
  }
  return ops;
}

function lastEvents(end: number, spice: string): Op[] {
  const decode = {
    exception_type: `AssetError${spice}`,
    exception_msg: `cannot decode stone_07.ktx2${spice}`,
    stacktrace: [
      `  File "/home/ada/game/assets.py", line 41, in load${spice}\n    return decode(read(path))`,
      '  File "/home/ada/game/assets.py", line 88, in decode\n    return zstd.decompress(blob)',
    ],
  };
  return [
    {
      op: "event",
      at: end - 9_000,
      name: "exception",
      group: "game.assets",
      handled: true,
      ...decode,
    },
    {
      op: "state",
      at: end - 400,
      patch: {
        player: { hp: 7 },
        world: { chunks_loaded: 412, allocating: { chunk: [9, 12], mib: 512 } },
      },
    },
    {
      op: "event",
      at: end - 20,
      name: "exception",
      category: "critical",
      group: "game.main",
      handled: false,
      exception_type: "MemoryError",
      exception_msg: `cannot allocate 512 MiB for chunk (9,12)${spice}`,
      stacktrace: [
        '  File "/home/ada/game/main.py", line 212, in <module>\n    run(world)',
        '  File "/usr/lib/python3.13/concurrent/futures/thread.py", line 59, in run\n    result = self.fn(*self.args)',
        '  File "/home/ada/game/world.py", line 141, in step\n    chunk = self.allocate(key)',
      ],
      attributes: { errno: 12, "…": 3 },
      notes: ["raised in step 41"],
      causes: [
        decode,
        { ...decode, kind: "member", parent: 0 },
        { exception_type: "KeyError", kind: "context" },
      ],
      causes_left_out: 2,
      sources: [
        {
          file: "/home/ada/game/world.py",
          first: 139,
          lines: ["def step(self, key):", "    self.count += 1", "    chunk = self.allocate(key)"],
        },
      ],
      data: { chunk: [9, 12], free_mib: 131 },
    },
  ];
}

/** The same numbers every time (a linear congruential generator). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}
