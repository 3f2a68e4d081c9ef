/** Sixty frames a second, a hundred log calls each: what recording costs a game is a fraction of a millisecond a frame. */
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@datacat/client";

const FRAMES = Number(process.argv[2] ?? 120);
const FRAME_MS = 1_000 / 60;
const ENEMIES = 96;

const session = open({ product: "game-loop-example", version: "1.0.0", state: { level: 1 } });
const monitor = session.startHeartbeatMonitor(5_000);

let dueAt = performance.now();
for (let frame = 1; frame <= FRAMES; frame++) {
  const startedAt = performance.now();
  for (let enemy = 0; enemy < ENEMIES; enemy++) {
    session.gauge(`enemy_${enemy % 8}_x`, Math.sin(frame / 20 + enemy));
  }
  session.counter("frames");
  session.gauge("fps", 1_000 / Math.max(performance.now() - dueAt + FRAME_MS, 1));
  if (frame % 60 === 0) session.updateState({ level: 1 + frame / 60 });
  session.histogram("frame_seconds", (performance.now() - startedAt) / 1_000);

  dueAt += FRAME_MS;
  await sleep(Math.max(dueAt - performance.now(), 0));
}

monitor.stop();
session.logEvent("game_over", { data: { frames: FRAMES } });
session.end();
console.log(session.id);
