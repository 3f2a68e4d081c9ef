/** Issues ops, and so has the list of what must be on the server. */
import { expect } from "vitest";
import type { LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { merge } from "../../src/core/state/merge.ts";
import type { JsonObject, Op } from "../../src/core/wire.ts";
import type { World } from "../daemon/world.ts";

/** Issues ops, keeps them, and checks what arrived: C1 to C6 and C8. */
export class Oracle {
  readonly #world: World;
  readonly #random: () => number;
  readonly #sessions: { id: string; lane: LaneWriter; issued: Op[] }[];
  #count = 0;

  /** `name`: what its sessions' ids begin with. */
  constructor(world: World, random: () => number, sessions: number, name = "oracle") {
    this.#world = world;
    this.#random = random;
    this.#sessions = Array.from({ length: sessions }, (_, index) => {
      const id = `${name}-${index}`;
      return { id, lane: world.lane(id, {}, 20_000), issued: [] };
    });
    for (const session of this.#sessions) this.#issue(session, { op: "start", at: this.#next() });
  }

  log(): void {
    const session = this.#sessions[Math.floor(this.#random() * this.#sessions.length)];
    if (!session) return;
    const at = this.#next();
    const dice = this.#random();
    if (dice < 0.3)
      this.#issue(session, { op: "event", at, name: `event ${at}`, data: { id: at } });
    else if (dice < 0.5)
      this.#issue(session, { op: "state", at, patch: { [`k${at % 5}`]: at, same: 1 } });
    else if (dice < 0.7)
      this.#issue(session, { op: "metric", at, type: "counter", name: "c", delta: at % 7 });
    else this.#issue(session, { op: "metric", at, type: "gauge", name: "g", value: at });
  }

  end(): void {
    for (const session of this.#sessions) this.#issue(session, { op: "end", at: this.#next() });
  }

  judge(): void {
    for (const { id, issued } of this.#sessions) {
      const { ops } = this.#world.server.session(id);
      expect(this.#world.server.dropped(id), id).toEqual({});
      // Events, once, in order, whole.
      const named = (op: Op) => op.op === "event" || op.op === "start" || op.op === "end";
      expect(ops.filter(named), id).toEqual(issued.filter(named));
      // The state: all issued patches, merged in order.
      expect(fold(ops), id).toEqual(fold(issued));
      // Every point, once, with its time.
      expect(gauges(ops), id).toEqual(gauges(issued));
      expect(total(ops), id).toBe(total(issued));
    }
  }

  #issue(session: { lane: LaneWriter; issued: Op[] }, op: Op): void {
    session.issued.push(op);
    session.lane.append(op);
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}

function fold(ops: Op[]): JsonObject {
  const state: JsonObject = {};
  for (const op of ops) if (op.op === "state") merge(state, op.patch);
  return state;
}

function gauges(ops: Op[]): [number, number][] {
  return ops.flatMap((op): [number, number][] => {
    if (op.op === "metric" && op.type === "gauge") return [[op.at, op.value ?? 0]];
    if (op.op !== "points" || op.type !== "gauge") return [];
    let { at } = op;
    return op.values.map((value, index) => {
      at += op.dt[index] ?? 0;
      return [at, value];
    });
  });
}

function total(ops: Op[]): number {
  return ops.reduce((sum, op) => {
    if (op.op === "metric" && op.type === "counter") return sum + (op.delta ?? 0);
    if (op.op === "points" && op.type === "counter")
      return sum + op.values.reduce((a, b) => a + b, 0);
    return sum;
  }, 0);
}
